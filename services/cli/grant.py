"""`govbus grant …`: look at grants, stop what one grant, consumer or resource delivers, and let it go on."""

import sys
from dataclasses import replace
from typing import Annotated, NoReturn

import typer

from services.cli import bus, grant_contract, grant_credential, grant_drift, grant_import
from services.cli.acting import AsOrNobody
from services.cli.grant_acting import ordered_as
from services.cli.grant_running import Running, fresh_id, said, told
from services.cli.grant_view import grant_row, print_grants, print_receipt, print_resumption, shown_grant
from services.cli.output import (
    CommandFailed,
    ExitCode,
    Form,
    Format,
    Json,
    emit_json,
    one_of,
    table,
    wants_json,
)
from services.control.cases.words import StopReason
from services.control.suspension.ids import is_of_case
from services.control.suspension.proofs import resumption_of, stop_proof
from services.control.suspension.receipt import Receipt, Standing
from services.control.suspension.resumption import Resumption
from services.control.suspension.suspend import Order, Suspend, hold_on
from services.control.suspension.switch import Verb
from topics.event import GrantId
from topics.grants.declaration import GrantState
from topics.grants.hold import LONGEST_REASON, HoldScope
from topics.policy import Policy

app = typer.Typer(help="Look at grants, suspend them at once, resume them.", no_args_is_help=True)
grant_contract.register(app)
grant_drift.register(app)
grant_import.register(app)
app.add_typer(grant_credential.app, name="credential")

Name = Annotated[str | None, typer.Argument(metavar="GRANT", help="The grant.", show_default=False)]
OfConsumer = Annotated[str | None, typer.Option("--consumer", help="All grants of this consumer.")]
OfResource = Annotated[str | None, typer.Option("--resource", help="All grants to this resource.")]
Everything = Annotated[bool, typer.Option("--all", help="Every grant there is.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why; a must, kept with your name.")]
Yes = Annotated[
    str | None,
    typer.Option("--yes", metavar="NAME", help="Do not ask: the name of what is meant, or all."),
]
Stop = Annotated[
    StopReason | None,
    typer.Option(
        "--stop-reason", help="Which of the reasons it is, for the case of the grant; RISK if not given."
    ),
]


@app.callback()
def grants() -> None:
    """Look at grants, suspend them at once, resume them."""


@app.command("list")
def list_command(
    consumer: OfConsumer = None,
    resource: OfResource = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List the grants of the policy in force, each with its state and the suspensions that hold it."""
    policy = Running.open().policy()
    for name, known, what in (
        (consumer, policy.consumers, "consumer"),
        (resource, policy.resources, "resource"),
    ):
        if name is not None:
            one_of(name, known, what, f"--{what}")
    rows = [
        grant_row(policy, entry)
        for _, entry in sorted(policy.grants.items())
        if consumer in (None, entry.grant.consumer) and resource in (None, entry.grant.resource)
    ]
    if wants_json(as_json, output):
        emit_json({"policy_version": policy.version, "grants": rows})
    else:
        print_grants(rows)


@app.command("show")
def show_command(
    grant: Annotated[str, typer.Argument(help="The grant.")],
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Show one grant: what it delivers to whom, its state, and why it is held if it is."""
    policy = Running.open().policy()
    one_of(grant, policy.grants, "grant", "govbus grant show")
    entry = next(entry for name, entry in policy.grants.items() if name == grant)
    shown = shown_grant(policy, entry)
    if wants_json(as_json, output):
        emit_json(shown)
    else:
        table(f"Grant {grant}", ["what", "value"], [(name, value) for name, value in shown.items()])


@app.command("suspend")
def suspend_command(
    grant: Name = None,
    consumer: OfConsumer = None,
    resource: OfResource = None,
    everything: Everything = False,
    reason: Reason = None,
    yes: Yes = None,
    who: AsOrNobody = None,
    stop_reason: Stop = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Stop delivery at once and prove it: the receipt names the offset at which each topic is cut.

    Interrupted, the same order carries on where it was; what is suspended already answers with its receipt.
    The case of a single grant is suspended with it, within seconds.
    """
    order = _order(grant, consumer, resource, everything, _reason(reason))
    order = replace(order, standing=Standing(stop="" if stop_reason is None else stop_reason.value))
    _confirmed(order, yes, "suspend")
    running, id_ = Running.open(), fresh_id("s")
    if who is not None:
        order = ordered_as(who, order, Verb.SUSPEND, running.policy(), id_)
    receipt = told(lambda: _suspended(running.suspend(), order, id_))
    if wants_json(as_json, output):
        emit_json(receipt.as_json())
    else:
        print_receipt(receipt)


@app.command("resume")
def resume_command(
    grant: Name = None,
    consumer: OfConsumer = None,
    resource: OfResource = None,
    everything: Everything = False,
    reason: Reason = None,
    yes: Yes = None,
    who: AsOrNobody = None,
    confirm_shrink: Annotated[
        list[str] | None,
        typer.Option("--confirm-shrink", help="Grant whose epoch may remove many records; repeatable."),
    ] = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Lift a suspension: each grant is filled by an epoch, which also withdraws what went meanwhile."""
    order = _order(grant, consumer, resource, everything, _reason(reason))
    _confirmed(order, yes, "resume")
    running, id_ = Running.open(), fresh_id("r")
    policy = running.policy()
    _not_of_a_case(policy, order)
    if who is not None:
        order = ordered_as(who, order, Verb.RESUME, policy, id_)
    done = told(lambda: _resumed(running, order, id_, tuple(confirm_shrink or ())))
    if wants_json(as_json, output):
        emit_json(done.as_json())
    else:
        print_resumption(done)
    if done.waiting:
        raise typer.Exit(ExitCode.NEGATIVE)


@app.command("receipt")
def receipt_command(
    suspension: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="The id of a suspension or resumption, or GRANT.GENERATION of a withdrawal."
        ),
    ],
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Show what the ledger keeps of a suspension, of a withdrawal for good, or of a resumption."""
    running = Running.open()
    acts = told(running.acts)
    resumed = resumption_of(acts, suspension)
    found = resumed or stop_proof(acts, suspension) or _missing(running, suspension)
    if wants_json(as_json, output):
        emit_json(found)
    elif resumed is not None:
        print_resumption(Resumption.from_json(resumed))
    else:
        print_receipt(Receipt.from_json(found))


def _suspended(run: Suspend, order: Order, id_: str) -> Receipt:
    """This order first; then whatever another command left half done."""
    receipt = run.order(order, id_)
    for left in run.unfinished():
        said(f"an interrupted suspension is finished: {left.id} of {left.subject}")
        run.carry_on(left)
    return receipt


def _resumed(running: Running, order: Order, id_: str, confirmed: tuple[str, ...]) -> Resumption:
    unfinished = [receipt.id for receipt in running.suspend().unfinished() if not receipt.is_cut]
    return running.resume(confirmed).order(order, id_, unfinished)


def _not_of_a_case(policy: Policy, order: Order) -> None:
    """What holds one grant of a case only the case lifts, or the two would say something else.

    Raises:
        CommandFailed: the grant belongs to a case.
    """
    hold = hold_on(policy, order.scope, order.name)
    entry = policy.grants.get(GrantId(order.name)) if order.scope is HoldScope.GRANT else None
    if hold is None or entry is None or entry.grant.state is GrantState.REVOKED:
        return
    if is_of_case(hold) or (policy.by_cases and entry.grant.id in policy.cases):
        what = f"{order.name} belongs to a case, which is suspended ({hold.reason})"
        remedy = "`govbus case resume` does it, by whoever may decide that"
        raise CommandFailed(ExitCode.REFUSED, what, "", remedy)


def _missing(running: Running, suspension: str) -> NoReturn:
    begun = [found for found in running.suspend().unfinished() if found.id == suspension]
    if begun:
        what = f"suspension {suspension} was interrupted and has no receipt yet"
        raise CommandFailed(ExitCode.PENDING, what, "", "order it again: it goes on where it was")
    remedy = "`govbus grant list` names the suspensions in force"
    raise CommandFailed(ExitCode.USAGE, f"the ledger knows no {suspension}", "", remedy)


def _reason(given: str | None) -> str:
    if given is None or not given.strip():
        remedy = "say why in --reason; it is kept with your name"
        raise CommandFailed(ExitCode.USAGE, "the reason is missing", "--reason", remedy)
    if len(given.strip()) > LONGEST_REASON:
        remedy = f"say it in {LONGEST_REASON} characters"
        raise CommandFailed(ExitCode.USAGE, "the reason is too long", "--reason", remedy)
    return given.strip()


def _order(
    grant: str | None,
    consumer: str | None,
    resource: str | None,
    everything: bool,
    reason: str,
) -> Order:
    """Exactly one thing is meant."""
    named = {HoldScope.GRANT: grant, HoldScope.CONSUMER: consumer, HoldScope.RESOURCE: resource}
    found = [(scope, name) for scope, name in named.items() if name is not None]
    found += [(HoldScope.ALL, "")] if everything else []
    if len(found) != 1:
        remedy = "name a grant, or give one of --consumer, --resource and --all"
        raise CommandFailed(ExitCode.USAGE, "say what is meant, one thing at a time", "", remedy)
    [(scope, name)] = found
    return Order(scope, name, bus.console_account(), reason)


def _confirmed(order: Order, yes: str | None, verb: str) -> None:
    """Who does not write the name does not mean it.

    Raises:
        CommandFailed: another name was written, or nobody can be asked.
    """
    wanted = order.name or HoldScope.ALL.value
    if yes is None and not sys.stdin.isatty():
        what = f"nobody is here to say that {wanted} is meant"
        raise CommandFailed(ExitCode.USAGE, what, "--yes", f"write --yes {wanted}")
    question = f"To {verb} {order.scope.value} {order.name}".rstrip() + ", write its name"
    given = yes if yes is not None else typer.prompt(f"{question} ({wanted})", err=True)
    if given.strip() != wanted:
        raise CommandFailed(ExitCode.USAGE, f"{given} is not {wanted}: nothing was done", "--yes", "")
