"""`govbus plan` and `govbus apply`: show and carry out what the definitions ask of the stack."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer
from confluent_kafka import KafkaException
from rich.console import Console
from rich.markup import escape

from producers.connect_errors import ConnectError, ConnectorConfigInvalid
from schemas.registry import RegistryUnavailable
from services.cli.output import (
    CommandFailed,
    ExitCode,
    Form,
    Format,
    Json,
    emit_json,
    failure,
    one_of,
    tell,
    wants_json,
)
from services.cli.policy import without_sample_grants
from services.control.applied import Applied
from services.control.apply import Apply, CorrectDefinitions
from services.control.comparison import Comparison, compare, compare_offline
from services.control.copy_transactions import EpochInterrupted
from services.control.definitions import (
    Definitions,
    DefinitionsInvalid,
    load_definitions,
    packaged_definitions,
)
from services.control.difference import Plan, StepKind
from services.control.policy_topic import AnotherApplyRuns, PolicyUnreadable
from services.control.settings import ApplySettings
from services.control.stack_access import access_of as access_of
from services.stack.api import Stack, State
from services.stack.errors import StackError
from services.stack.progress import say
from services.stack.settings import StackSettings
from topics.engine.choose import VARIABLE, NotAvailable, choose
from topics.event import ProviderId

Folder = Annotated[
    Path | None,
    typer.Option("--definitions", help="Folder of the definitions; the sample city's if not given."),
]

_START: Final = "start it with `govbus up`; `govbus plan --offline` needs no running stack"


def register(app: typer.Typer) -> None:
    """Add both commands to the program."""
    app.command("plan")(plan_command)
    app.command("apply")(apply_command)


def plan_command(
    definitions: Folder = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="What a first apply would do; needs no running stack.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where something would change.")
    ] = False,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Show what apply would change: topics, rights, users, quotas, schemas, connectors, policy, grants."""
    declared = load_declared(definitions)
    plan = (compare_offline(declared) if offline else _compare_now(definitions, declared)).plan
    if wants_json(as_json, output):
        emit_json(plan.as_json())
    else:
        _print_plan(plan)
    if plan.refusals:
        raise typer.Exit(ExitCode.REFUSED)
    if exit_code and plan.steps:
        raise typer.Exit(ExitCode.NEGATIVE)


def apply_command(
    definitions: Folder = None,
    confirm_shrink: Annotated[
        list[str] | None,
        typer.Option("--confirm-shrink", help="Grant whose epoch may remove many records; repeatable."),
    ] = None,
    recapture: Annotated[
        list[str] | None,
        typer.Option(
            "--recapture",
            help="Provider whose source lost changes: its full volume is captured anew; repeatable.",
        ),
    ] = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Carry out what plan shows; run it again after an interruption, it finishes what was begun."""
    declared = load_declared(definitions)
    recaptured = _known_providers(recapture or [], declared)
    for grant in confirm_shrink or []:
        one_of(grant, declared.grants, "grant", "--confirm-shrink")
    console = Console(stderr=True, emoji=False)
    _engine_is_here()
    # Kafka alone is enough to withdraw a right, and that must not wait for anything.
    stack = _running_stack("kafka")
    run = Apply(
        access_of(stack),
        declared if definitions is not None else without_sample_grants(declared, stack),
        say=lambda text: say(console, escape(text)),
        settings=ApplySettings.from_environment(),
        confirmed_shrinks=tuple(confirm_shrink or ()),
        recaptured=recaptured,
    )
    applied = carried_out(run)
    if wants_json(as_json, output):
        emit_json(applied.as_json())
    else:
        _print_applied(applied)
    if "registry" in applied.held_back:
        raise typer.Exit(ExitCode.UNAVAILABLE)
    if applied.waiting or applied.held_back:
        raise typer.Exit(ExitCode.NEGATIVE)


def _engine_is_here() -> None:
    """An engine that is asked for and missing is told before anything is begun."""
    try:
        choose(os.environ.get(VARIABLE))
    except NotAvailable as error:
        raise _ended(ExitCode.USAGE, str(error), f"unset {VARIABLE} or give another") from None


def carried_out(run: Apply) -> Applied:
    """Run it; what ends it early is told with what to do, and has its exit code."""
    try:
        return run.run()
    except CorrectDefinitions as error:
        _print_plan(Plan((), error.refusals))
        raise typer.Exit(ExitCode.REFUSED) from None
    except AnotherApplyRuns as error:
        raise _ended(ExitCode.REFUSED, str(error), "wait until it has ended, then `govbus plan`") from error
    except EpochInterrupted as error:
        raise _ended(ExitCode.UNAVAILABLE, str(error), "run `govbus apply` again") from error
    except ConnectorConfigInvalid as error:
        raise _ended(ExitCode.REFUSED, str(error), "correct the connection of the provider") from error
    except (PolicyUnreadable, KafkaException, ConnectError, RegistryUnavailable) as error:
        remedy = "`govbus status` shows what is down; then run `govbus apply` again"
        raise _ended(ExitCode.UNAVAILABLE, str(error), remedy) from error


def _ended(code: ExitCode, what: str, remedy: str) -> typer.Exit:
    tell(CommandFailed(code, what, "", remedy))
    return typer.Exit(code)


def load_declared(folder: Path | None) -> Definitions:
    """The definitions in a folder, the sample city's if none is given; what is wrong with them is told."""
    try:
        return load_definitions(folder or packaged_definitions())
    except DefinitionsInvalid as error:
        raise _ended(ExitCode.USAGE, str(error), "correct the definitions") from None


def _known_providers(names: list[str], definitions: Definitions) -> tuple[ProviderId, ...]:
    unknown = sorted(set(names) - set(definitions.providers))
    if unknown:
        known = ", ".join(sorted(definitions.providers)) or "none"
        what = f"no provider {', '.join(unknown)} is declared"
        raise _ended(ExitCode.USAGE, what, f"name one of these: {known}")
    return tuple(ProviderId(name) for name in dict.fromkeys(names))


def _running_stack(*needed: str) -> Stack:
    try:
        stack = Stack(StackSettings.from_environment())
        states = {status.name: status.state for status in stack.status()}
        if all(states[name] is State.RUNNING for name in needed):
            return stack
    except StackError as error:
        told = failure(error)
        wrong_setting = told is not None and told.code is ExitCode.USAGE
        remedy = told.remedy if told is not None and wrong_setting else _START
        raise _ended(told.code if told else ExitCode.UNAVAILABLE, str(error), remedy) from None
    raise _ended(ExitCode.UNAVAILABLE, f"{' or '.join(needed)} is not running", _START)


def _compare_now(folder: Path | None, declared: Definitions) -> Comparison:
    stack = _running_stack("kafka", "registry")
    access = access_of(stack)
    counting = declared if folder is not None else without_sample_grants(declared, stack)
    return compare(access, access.admin(), counting)


def _print_plan(plan: Plan) -> None:
    console = Console(emoji=False)
    if plan.is_empty:
        console.print("Nothing to change.")
    if plan.steps:
        _print_steps(console, plan)
    for note in plan.notes:
        say(console, f"[yellow]note: {escape(note)}[/]")
    for refusal in plan.refusals:
        say(console, f"[red]refused: {escape(refusal.target)}: {escape(refusal.reason)}[/]")


def _print_steps(console: Console, plan: Plan) -> None:
    """Kind by kind in the order of apply: a table would be one long narrow column of details."""
    for kind in StepKind:
        steps = plan.of(kind)
        if steps:
            say(console, f"[bold]{kind.value}[/] ({len(steps)})")
        for step in steps:
            # A right names its user, whose name is the target.
            about = (
                escape(step.detail) if step.acl else f"{escape(step.target)} [dim]{escape(step.detail)}[/]"
            )
            say(console, about, indent=2, hanging=2)
    console.print(f"{len(plan.steps)} changes", highlight=False)


def _print_applied(applied: Applied) -> None:
    console = Console(emoji=False)
    made = f"{applied.steps} changes made" if applied.steps else "Nothing to change"
    console.print(f"{made}, policy version {applied.policy_version}", highlight=False)
    for user, path in applied.credentials.items():
        say(console, f"credentials of {escape(user)}: {escape(path)}")
    for grant, path in applied.receipts.items():
        say(console, f"receipt of withdrawing {escape(grant)}: {escape(path)}")
    for held, problems in applied.held_back.items():
        console.print(f"{held} is not ready yet:", style="yellow", highlight=False)
        for problem in problems:
            console.print(f"  {problem['what']}\n{problem['remedy']}", highlight=False, markup=False)
    for grant, reason in applied.waiting.items():
        console.print(f"grant {grant} waits for you: {reason}", style="yellow", highlight=False)
