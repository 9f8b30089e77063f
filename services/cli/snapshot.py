"""`govbus snapshot …`: take a resource's full volume as an epoch, see how it stands, give it up."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from confluent_kafka import KafkaException
from rich.console import Console

from schemas.registry import RegistryUnavailable
from services.cli import bus
from services.cli.acting import AsOrNobody
from services.cli.output import CommandFailed, ExitCode, Json, emit_json, table
from services.cli.owing import Who, owe, owe_if_served, who_acts
from services.cli.plan import access_of
from services.cli.policy import current_policy
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.copy_transactions import EpochInterrupted
from services.control.epochs import errors
from services.control.epochs.acts import KIND, Owe, Step, What
from services.control.epochs.errors import (
    AbortFirst,
    ConfirmShrink,
    CorrectOrder,
    ScanFailed,
    ScanStalled,
    StartAgain,
)
from services.control.epochs.progress import Pace, Progress
from services.control.epochs.run import Ended, abort_epoch, epoch_status, start_epoch
from services.control.epochs.state import EpochState, Newest
from services.control.kafka_topics import TransactionStaysOpen
from services.stack.api import Stack
from services.stack.progress import Bars
from services.stack.settings import StackSettings
from topics.event import ResourceId

app = typer.Typer(help="Take full volumes of resources, and prove that they are whole.", no_args_is_help=True)
Named = Annotated[
    str, typer.Argument(metavar="RESOURCE", help="A captured resource, such as population.person.v1.")
]
_LONG_S: Final = 120.0
_DOWN: Final = "`govbus status` shows what is down; then give the same order again: it goes on"
_ENDS: Final[dict[type[Exception], tuple[ExitCode, str]]] = {
    CorrectOrder: (ExitCode.USAGE, "`govbus snapshot status RESOURCE` says how it stands"),
    AbortFirst: (ExitCode.REFUSED, ""),
    ConfirmShrink: (ExitCode.NEGATIVE, ""),
    ScanStalled: (ExitCode.PENDING, ""),
    ScanFailed: (ExitCode.NEGATIVE, ""),
    StartAgain: (ExitCode.PENDING, ""),
    TransactionStaysOpen: (ExitCode.PENDING, "`govbus doctor` says whose it is; then give the order again"),
    EpochInterrupted: (ExitCode.REFUSED, "another run or an abort has taken over: ask for the status"),
    KafkaException: (ExitCode.UNAVAILABLE, _DOWN),
    RegistryUnavailable: (ExitCode.UNAVAILABLE, _DOWN),
    TimeoutError: (ExitCode.UNAVAILABLE, _DOWN),
}


@app.callback()
def snapshot() -> None:
    """Take full volumes of resources, and prove that they are whole."""


@app.command("start")
def start_command(
    resource: Named,
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="COLUMN=VALUE[,VALUE…] of the source's primary key, or COLUMN:hash=RANGE[,RANGE…] as "
            "`govbus reconcile` names them; several must all fit."
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why, for the record; nothing personal.")
    ] = "ordered at a console",
    initial: Annotated[
        bool, typer.Option("--initial", help="Prove the snapshot that the connector took by itself.")
    ] = False,
    confirm_shrink: Annotated[
        bool,
        typer.Option("--confirm-shrink", help="Remove what the source does not have, however much it is."),
    ] = False,
    login: AsOrNobody = None,
    as_json: Json = False,
) -> None:
    """Begin an epoch, or go on with the open one, until it is proven whole; what is gone is withdrawn."""
    with _stack() as stack, Bars(Console(stderr=True, emoji=False)) as bars:
        who = _who(stack, resource, login)
        ended = start_epoch(
            access_of(stack),
            ResourceId(resource),
            tuple(where or ()),
            reason=reason,
            by=who.by,
            initial=initial,
            confirm_shrink=confirm_shrink,
            told=_teller(bars),
            owe=_owing(who),
        )
    _answer(asdict(ended), _told(ended), as_json=as_json)


@app.command("status")
def status_command(resource: Named, as_json: Json = False) -> None:
    """Say how the newest epoch stands: begun, waiting for an operator, proven whole, or given up."""
    with _stack() as stack:
        newest = epoch_status(access_of(stack), ResourceId(resource))
    if as_json:
        emit_json(_shown(resource, newest))
    else:
        table(f"Newest epoch of {resource}", ["what", "value"], _shown(resource, newest).items())


@app.command("abort")
def abort_command(resource: Named, login: AsOrNobody = None, as_json: Json = False) -> None:
    """Give the open epoch up: nothing more is read or removed, and nobody takes it for whole."""
    with _stack() as stack:
        who = _who(stack, resource, login)
        newest = abort_epoch(access_of(stack), ResourceId(resource), by=who.by, owe=_owing(who))
    _answer(
        _shown(resource, newest),
        f"epoch {newest.number} of {resource}: {newest.state.value}",
        as_json=as_json,
    )


def _who(stack: Stack, resource: str, login: str | None) -> Who:
    """Whoever orders; an account must be allowed to with this provider's resources."""
    if login is None:
        return who_acts(None, Action.OPERATION_TAKE_VOLUME, Whose())
    policy = current_policy(stack)
    entry = policy.resources.get(ResourceId(resource)) if policy is not None else None
    whose = Whose() if entry is None else Whose(provider=entry.resource.provider)
    return who_acts(login, Action.OPERATION_TAKE_VOLUME, whose)


def _owing(who: Who) -> Owe:
    """Owes each step; nothing is removed above the guard unless the ledger is owed who confirmed it."""

    def owing(step: Step) -> None:
        act = who.act(step.what.value, KIND, step.resource, step.reason, step.said)
        (owe if step.what is What.CONFIRMED else owe_if_served)(act)

    return owing


def _teller(bars: Bars, clock: Callable[[], float] = time.monotonic) -> Callable[[Progress], None]:
    """Shows each phase as a bar with its rate and the time that is left."""
    pace, key = Pace(), ""

    def told(progress: Progress) -> None:
        nonlocal key
        rate, left = pace.of(progress, clock())
        of = "" if progress.of is None else f" of {progress.of}"
        remains = "" if left is None else f", {_lasting(left)} left"
        done = f"{progress.phase.value} {progress.done}{of}"
        text = f"epoch {progress.number}: {done}, {rate:.0f} a second{remains}"
        if key and key != progress.phase.value:
            bars.done(key, f"epoch {progress.number}: {key} done")
        key = progress.phase.value
        bars.show(key, text, progress.done, progress.of)

    return told


def _lasting(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _LONG_S else f"{seconds / 60:.0f} min"


def _told(ended: Ended) -> str:
    return (
        f"epoch {ended.number} of {ended.resource} is whole: {ended.rows_scanned} rows scanned, "
        f"{ended.swept} records withdrawn, {ended.records} stand, digest {ended.digest}"
    )


def _shown(resource: str, newest: Newest) -> dict[str, Any]:
    return {
        "resource": resource,
        "number": newest.number,
        "state": newest.state.value,
        "where": list(newest.where),
        "reason": newest.reason,
        "by": newest.by,
        "begin_ms": newest.begin_ms,
        "told_ms": newest.told_ms,
        "detail": newest.detail,
        "counts": dict(newest.counts),
        "digest": newest.digest,
        "go_on": _go_on(ResourceId(resource), newest),
    }


def _go_on(resource: ResourceId, newest: Newest) -> str | None:
    """The order that goes on with what is open; where it waits, that means it."""
    if not newest.is_open:
        return None
    return errors.start_command(resource, newest.where, confirmed=newest.state is EpochState.WAITING)


@contextmanager
def _stack() -> Iterator[Stack]:
    """The environment's stack; what ends a run early is told with what to do."""
    stack = Stack(StackSettings.from_environment())
    bus.require(stack, "kafka", "registry")
    try:
        yield stack
    except tuple(_ENDS) as error:
        code, remedy = next(end for kind, end in _ENDS.items() if isinstance(error, kind))
        where = f"the stack in {stack.settings.home}"
        raise CommandFailed(code, str(error), where, getattr(error, "remedy", remedy)) from error


def _answer(answer: dict[str, Any], told: str, *, as_json: bool) -> None:
    if as_json:
        emit_json(answer)
    else:
        typer.echo(told)
