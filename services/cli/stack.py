"""`govbus up | down | status | logs | reset | run`: the embedded stack and the processes of the bus on it."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated

import requests
import typer
from rich.console import Console
from rich.markup import escape

from producers.connect_client import ConnectClient, RetryPolicy
from producers.connect_errors import ConnectError, ConnectorNotFound
from services.cli import processes
from services.cli.bus import require
from services.cli.control import prepare_control, tables_standing
from services.cli.database import prepared_in_words
from services.cli.expected import missing_parts, note_infrastructure_only
from services.cli.output import (
    CommandFailed,
    ExitCode,
    Form,
    Format,
    Json,
    emit_json,
    note,
    one_of,
    table,
    tell,
    wants_json,
)
from services.cli.policy import groups_of_policy
from services.stack.api import ComponentStatus, Stack, State
from services.stack.errors import CorrectSetting, NameAPart, StackError
from services.stack.probes import loopback_session
from services.stack.progress import Bars, say
from services.stack.python_process import PythonComponent, remembered
from services.stack.settings import StackSettings

_HEALTH_TIMEOUT_SECONDS = 2.0
_KINDS = ("gate", "fanout", "watch", "control", "portal")
_NEED_NOTHING = ("watch", "control", "portal")
"""Kinds of which there is one, and that start whatever else runs."""
_COLOURS = {"running": "green", "unhealthy": "yellow", "crashed": "red", "stopped": "dim"}
_SHORT_MINUTES, _LONG_MINUTES = 2, 120
_RETRIES = RetryPolicy(attempts=2, first_seconds=0.1, longest_seconds=0.2)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    commands: dict[str, Callable[..., None]] = {
        "up": up,
        "down": down,
        "status": status,
        "logs": logs,
        "reset": reset,
        "run": run,
    }
    for name, command in commands.items():
        app.command(name)(command)


def up(
    infrastructure_only: Annotated[
        bool, typer.Option("--infrastructure-only", help="Leave gate, fan-out and watch alone.")
    ] = False,
) -> None:
    """Start what is not running: PostgreSQL, Kafka, registry, Connect, then the bus and its control."""
    told: list[str] = []

    def bus() -> list[PythonComponent]:
        # The control plane's process needs its tables.
        told.append(_prepared(stack))
        return wanted_bus(stack)

    with explained() as stack, Bars() as bars:
        stack.up(bars, None if infrastructure_only else bus)
        note_infrastructure_only(stack, infrastructure_only)
        if infrastructure_only:
            told.append(_prepared(stack))
    for text in filter(None, told):
        note(text)
    Console(stderr=True, emoji=False).print(
        "The stack is up. Next: govbus status, govbus apply, govbus doctor."
    )


def _prepared(stack: Stack) -> str:
    """Make the control plane's tables; what was done, in words."""
    return prepared_in_words(prepare_control(stack, datetime.now(UTC)))


def start_bus(stack: Stack, bars: Bars) -> None:
    """Start the processes that the newest policy needs, all or none."""
    stack.run_processes(wanted_bus(stack), bars)


def wanted_bus(stack: Stack) -> list[PythonComponent]:
    """The processes that the newest policy needs; before the first apply those of the control plane.

    Raises:
        PolicyUnread: the newest policy cannot be read.
    """
    return processes.bus_processes(stack, groups_of_policy(stack))


def down() -> None:
    """Stop everything and wait until it has ended; the data stays."""
    with explained() as stack:
        ran = stack.has_processes()
        with Bars() as bars:
            stack.down(bars)
    told = f"The stack is down; its data stays in {stack.settings.home}." if ran else "Nothing was running."
    say(Console(stderr=True, emoji=False), escape(told))


def status(as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Show every part: whether it runs and answers, where, with how much memory."""
    with explained() as stack:
        found = stack.status()
        ill = ill_connectors(stack) if _runs(found, stack.connect.name) else ""
        missing = missing_parts(stack, found)
        tables = tables_standing(stack) if _runs(found, stack.postgres.name) else ""
    told = {stack.connect.name: ill, stack.kafka.name: missing.unread, stack.postgres.name: tables}
    found = [_unhealthy(part) if told.get(part.name) else part for part in found]
    details = _details(stack, found) | {name: text for name, text in told.items() if text}
    found += missing.parts
    details |= {part.name: missing.why for part in missing.parts}
    healthy = all(part.state is State.RUNNING for part in found)
    if wants_json(as_json, output):
        emit_json(status_answer(found, details, healthy=healthy))
    else:
        _print_status(found, details)
        if missing.on_purpose:
            typer.echo(
                "The infrastructure runs alone, as `govbus up --infrastructure-only` was asked: nothing is "
                "decided or delivered until `govbus up`."
            )
    raise typer.Exit(ExitCode.OK if healthy else ExitCode.NEGATIVE)


def status_answer(
    found: Sequence[ComponentStatus], details: Mapping[str, str], *, healthy: bool
) -> dict[str, object]:
    """What ``govbus status --json`` prints; ``details`` by the part's name."""
    return {
        "healthy": healthy,
        "components": [{**asdict(part), "detail": details[part.name]} for part in found],
    }


def logs(
    component: Annotated[str, typer.Argument(help="A name that `govbus status` shows.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1)] = 100,
) -> None:
    """Show the end of a component's log."""
    with explained() as stack:
        for line in stack.logs(component, follow=follow, lines=lines):
            typer.echo(line)


def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop everything and delete its data and secrets; downloads stay."""
    with explained() as stack:
        question = f"Delete all data, secrets, receipts and logs of the stack in {stack.settings.home}?"
        if not yes and not typer.confirm(question, err=True):
            raise typer.Exit(ExitCode.NEGATIVE)
        with Bars() as bars:
            stack.reset(bars)
    say(
        Console(stderr=True, emoji=False),
        escape(f"The stack in {stack.settings.home} is deleted; downloads stay."),
    )


def run(
    what: Annotated[str, typer.Argument(help="gate, fanout, watch or control.")],
    group: Annotated[str, typer.Option(help="The grant group that a fan-out serves.")] = "default",
    instances: Annotated[int, typer.Option(min=0, max=10, help="How many shall run in the end.")] = 1,
) -> None:
    """Bring one kind of process to so many instances: starts what is missing, stops what is too much."""
    one_of(what, _KINDS, "kind of process", "govbus run")
    with explained() as stack:
        if instances and what not in _NEED_NOTHING:
            require(stack, "kafka", "registry")
        wanted, surplus = _scaled(stack, what, group, instances)
        with Bars() as bars:
            stack.run_processes(wanted, bars)
            for name in surplus:
                stack.stop_process(name, bars)


def _scaled(stack: Stack, what: str, group: str, instances: int) -> tuple[list[PythonComponent], list[str]]:
    base = stack.settings.processes_port
    if what in _NEED_NOTHING:
        one = _alone(stack, what)
        return ([one], []) if instances else ([], [one.name])
    known = sorted(_groups(stack, group if what == "fanout" else None)) if instances else []
    if what == "gate":
        made = [processes.gate(base, number) for number in range(instances)]
        prefix = "gate."
    else:
        made = [processes.fanout(base, group, known.index(group), number) for number in range(instances)]
        prefix = f"fanout.{group}."
    names = {component.name for component in made}
    running = [part.name for part in stack.status() if part.name.startswith(prefix)]
    return made, [name for name in running if name not in names]


def _alone(stack: Stack, what: str) -> PythonComponent:
    """A process that there is one of."""
    if what == "watch":
        return processes.watch(stack.settings.watch_port)
    return processes.lone_processes(stack)[what]


def _groups(stack: Stack, wanted: str | None) -> list[str]:
    """The grant groups of the policy, among them the wanted one.

    Raises:
        CommandFailed: there is no policy yet, or it names no such group.
    """
    groups = groups_of_policy(stack)
    if groups is None:
        remedy = "`govbus apply` writes it; until then there is nothing to decide"
        raise CommandFailed(ExitCode.REFUSED, "there is no policy yet", "", remedy)
    if wanted is not None and wanted not in groups:
        remedy = f"the groups are: {', '.join(groups) or 'none yet'}"
        raise CommandFailed(ExitCode.USAGE, f"no grant is in group {wanted}", "--group", remedy)
    return groups


def _runs(found: list[ComponentStatus], name: str) -> bool:
    return any(part.name == name and part.state is State.RUNNING for part in found)


def _unhealthy(part: ComponentStatus) -> ComponentStatus:
    return replace(part, state=State.UNHEALTHY)


def ill_connectors(stack: Stack) -> str:
    """The connectors and tasks that do not run though they should; empty where all is well."""
    client = ConnectClient(
        stack.endpoints().connect_url, *stack.connect_auth(), session=loopback_session(), retries=_RETRIES
    )
    try:
        return ", ".join(part for name in client.names() for part in client.status(name).ill)
    except ConnectorNotFound:
        return ""
    except ConnectError as error:
        return f"its connectors cannot be asked: {error}"


def _details(stack: Stack, found: list[ComponentStatus]) -> dict[str, str]:
    """What our own processes say of themselves where they are not well."""
    urls = {process.name: process.component.ready_url for process in remembered(stack.context)}
    details = dict.fromkeys((part.name for part in found), "")
    for part in found:
        url = urls.get(part.name)
        if url is not None and part.state in (State.RUNNING, State.UNHEALTHY):
            details[part.name] = ready_detail(url)
    return details


def _print_status(found: list[ComponentStatus], details: dict[str, str]) -> None:
    rows = [
        (
            part.name,
            part.state.value,
            part.pid,
            part.port,
            part.memory_mb,
            _duration(part.uptime_s),
            details[part.name],
        )
        for part in found
    ]
    columns = ("component", "state", "pid", "port", "memory MB", "up for", "detail")
    table("Parts", columns, rows, _COLOURS)
    if any(part.state is State.CRASHED for part in found):
        typer.echo("Something crashed: `govbus logs NAME` says why, `govbus up` starts it again.")
    elif all(part.state is State.STOPPED for part in found):
        typer.echo("Nothing runs: `govbus up` starts it from its last data.")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes = int(seconds) // 60
    if minutes < _SHORT_MINUTES:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < _LONG_MINUTES else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def explained() -> Iterator[Stack]:
    """The stack of these settings; its errors become one line each that says what to do."""
    try:
        yield Stack(StackSettings.from_environment())
    except StackError as error:
        # What to do stands in the message itself.
        code = ExitCode.USAGE if isinstance(error, CorrectSetting | NameAPart) else ExitCode.UNAVAILABLE
        tell(CommandFailed(code, str(error), "", ""))
        raise typer.Exit(code) from None
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; nothing that this command started goes on.\n")
        raise typer.Exit(130) from None


def ready_detail(url: str) -> str:
    """Why a process is not ready; of a processor that is, what it works with; else empty."""
    try:
        answer = requests.get(url, timeout=_HEALTH_TIMEOUT_SECONDS)
    except requests.RequestException:
        return "does not answer"
    if not answer.ok:
        return answer.text[:200]
    try:
        told = dict(answer.json())
    except (ValueError, TypeError):
        return ""
    return ", ".join(f"{part}: {told[part]}" for part in ("engine", "transport") if told.get(part))
