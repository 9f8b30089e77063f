"""`govbus replay create | approve | run | show | list | cancel`: decide again, and compare."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.cli.acting import As, acting
from services.cli.bus import require
from services.cli.control import open_control
from services.cli.evidence_span import span_of
from services.cli.output import (
    CommandFailed,
    ExitCode,
    Form,
    Format,
    Json,
    emit_json,
    note,
    table,
    wants_json,
)
from services.cli.replay_scope import at_of, declared_grant, require_fitting, subject_in
from services.control.replays.asking import approves, asks
from services.control.replays.difference import HEAD, csv_text
from services.control.replays.life import Order, Refused, Replay, State, Step, requested
from services.control.replays.on_stack import DeliveryInterrupted, StackDeliverer, open_known
from services.control.replays.running import Runner
from services.control.replays.sharing import SharedJudges
from services.control.store.replays import work
from services.evidence.making import Span
from services.ledger.replay.audit import RunAgain
from services.ledger.replay.pace import Cancelled
from services.ledger.replay.scope import Scope, WrongScope, checked
from services.ledger.replay.what_is_known import SecretMissing
from services.ledger.replay.words import Purpose
from services.stack.api import Stack
from services.stack.settings import StackSettings
from topics.event import ConsumerId, GrantId, ProviderId, ResourceId

app = typer.Typer(help="Decide again what was decided, and compare.", no_args_is_help=True)
Number = Annotated[int, typer.Argument(min=1, help="The replay's number.")]
_FORMATS: Final = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]
_DAY: Final = "%Y-%m-%dT%H:%M:%SZ"


@app.callback()
def replay() -> None:
    """Decide again what was decided, and compare."""


@app.command("create")
def create_command(
    who: As,
    reason: Annotated[str, typer.Option(help="Why.")],
    basis: Annotated[str, typer.Option(help="The legal basis: document and article.")],
    purpose: Annotated[Purpose, typer.Option(help="audit compares with the ledger.")] = Purpose.AUDIT,
    resource: Annotated[str | None, typer.Option(help="Only this resource.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only what this department provides.")] = None,
    consumer: Annotated[str | None, typer.Option(help="Only what this department receives.")] = None,
    grant: Annotated[str | None, typer.Option(help="Only this grant.")] = None,
    ask_subject: Annotated[
        bool, typer.Option("--ask-subject", help="Ask for an identity; only its keyed hash is kept.")
    ] = False,
    last: Annotated[str | None, typer.Option(help="So long until now: 90s, 30m, 1h, 7d.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", help="Begin, in UTC.", formats=_FORMATS)] = None,
    until: Annotated[datetime | None, typer.Option("--to", help="End, in UTC.", formats=_FORMATS)] = None,
    at: Annotated[str | None, typer.Option(help="An input partition: TOPIC:PARTITION[:FROM-TO].")] = None,
    policy: Annotated[int | None, typer.Option(help="What-if: this version; today's if none.")] = None,
    grant_file: Annotated[Path | None, typer.Option(help="What-if: this declaration of a grant.")] = None,
    separate: Annotated[
        bool, typer.Option("--separate", help="Redeliver: to a topic of its own, for seven days.")
    ] = False,
    throttle: Annotated[int | None, typer.Option(min=1, help="Records a second at most.")] = None,
    as_json: Json = False,
) -> None:
    """Ask for a replay; another person approves it (exit code 4 if a rule is against it)."""
    now = datetime.now(UTC)
    span = None if (last, since, until) == (None, None, None) else span_of(last, since, until, _ms(now))
    subject = subject_in(_stack(), resource) if ask_subject else None
    departments = Scope(
        resource=ResourceId(resource) if resource else None,
        provider=ProviderId(provider) if provider else None,
        consumer=ConsumerId(consumer) if consumer else None,
        grant=GrantId(grant) if grant else None,
        subject=subject,
    )
    scope = _stretch_of(departments, span, at)
    grant_given, separately = declared_grant(grant_file), separate or None
    options = _given(policy_version=policy, grant=grant_given, separate=separately, throttle=throttle)
    with _told(), open_control() as database:
        order = Order(purpose, checked(scope), reason, basis, options)
        if requested(order).purpose is Purpose.REDELIVER:
            require_fitting(_stack(), scope)
        with database.begin() as connection:
            by = acting(connection, who, asks(purpose))
            made = work.request(connection, order, by.id, now, by.console)
    _answer(made, as_json=as_json)


def _stretch_of(scope: Scope, span: Span | None, at: str | None) -> Scope:
    """The scope within a time and within the offsets of an input partition, where these are given."""
    topic, partition, begin, end = at_of(at)
    within = replace(scope, topic=topic, partition=partition, from_offset=begin, to_offset=end)
    return within if span is None else replace(within, from_ms=span.from_ms, to_ms=span.to_ms + 1)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@app.command("approve")
def approve_command(number: Number, who: As, as_json: Json = False) -> None:
    """Approve a replay that another person asked for."""
    with _told(), open_control() as database, database.begin() as connection:
        found = _existing(work.load(connection, number), number)
        by = acting(connection, who, approves(found.order.purpose))
        moved = work.step(connection, number, Step.APPROVE, by.id, datetime.now(UTC), by.console)
    _answer(moved, as_json=as_json)


@app.command("run")
def run_command(
    number: Number,
    who: As,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; nothing is decided.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="So many processes share an audit.")] = 1,
    as_json: Json = False,
) -> None:
    """Run an approved replay, or carry on one that was killed (exit code 1 if anything differs)."""
    stack = _stack()
    require(stack, "kafka", "registry")
    with _told(), open_control() as database, open_known(stack) as known:
        with database.begin() as connection:
            found = _existing(work.load(connection, number), number)
            by = acting(connection, who, asks(found.order.purpose))
        runner = Runner(
            database,
            known,
            StackDeliverer(stack, known),
            lambda: datetime.now(UTC),
            _tell,
            by.console,
            SharedJudges(stack.settings, workers) if workers > 1 else None,
        )
        if dry_run:
            counted = runner.dry(found)
            if as_json:
                emit_json(counted)
            else:
                _show_count(counted)
            return
        done = runner.run(number, by.id)
    _answer(done, as_json=as_json)
    if (done.result or {}).get("verdict") in ("different", "incomplete"):
        raise typer.Exit(ExitCode.NEGATIVE)


@app.command("show")
def show_command(
    number: Number,
    csv: Annotated[Path | None, typer.Option(help="Write the difference to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Show a replay: what was asked, how far it is, what it came to."""
    with _told(), open_control() as database, database.reading() as connection:
        found = _existing(work.load(connection, number), number)
    if csv is not None:
        csv.write_text(csv_text((found.result or {}).get("rows", [])), encoding="utf-8", newline="")
    _answer(found, as_json=as_json)


@app.command("list")
def list_command(
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    before: Annotated[int | None, typer.Option(help="Go on below this number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List replays, the newest first."""
    with _told(), open_control() as database, database.reading() as connection:
        found = work.listed(connection, state, before, limit)
    if wants_json(as_json, output):
        emit_json({"replays": [_shown(each) for each in found]})
        return
    rows = [
        (r.number, _purpose(r.order), r.state.value, (r.result or {}).get("verdict", ""), r.order.reason)
        for r in found
    ]
    table("Replays", ("number", "purpose", "state", "verdict", "reason"), rows)


@app.command("cancel")
def cancel_command(number: Number, who: As, as_json: Json = False) -> None:
    """Cancel a replay; one that runs stops between two batches."""
    with _told(), open_control() as database, database.begin() as connection:
        found = _existing(work.load(connection, number), number)
        by = acting(connection, who, asks(found.order.purpose))
        moved = work.step(connection, number, Step.CANCEL, by.id, datetime.now(UTC), by.console)
    _answer(moved, as_json=as_json)


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong with a replay, in words."""
    try:
        yield
    except WrongScope as error:
        raise CommandFailed(ExitCode.USAGE, str(error), "", "correct the scope") from error
    except Refused as error:
        raise CommandFailed(
            ExitCode.REFUSED, str(error), "", "`govbus replay show` tells how it stands"
        ) from error
    except Cancelled as error:
        raise CommandFailed(
            ExitCode.REFUSED, str(error), "", "ask for a new one if it is still wanted"
        ) from error
    except RunAgain as error:
        raise CommandFailed(
            ExitCode.UNAVAILABLE, str(error), "", "run the replay again: it goes on"
        ) from error
    except (SecretMissing, DeliveryInterrupted) as error:
        raise CommandFailed(
            ExitCode.UNAVAILABLE, str(error), "", "mend it, and run the replay again"
        ) from error


def _stack() -> Stack:
    return Stack(StackSettings.from_environment())


def _existing(found: Replay | None, number: int) -> Replay:
    if found is None:
        raise CommandFailed(
            ExitCode.USAGE, f"there is no replay {number}", "", "`govbus replay list` shows them"
        )
    return found


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _tell(done: int, of: int, rate: float) -> None:
    left = f", {(of - done) / rate:.0f} s left" if rate > 0 else ""
    note(f"{done:,} of {of:,} records, {rate:,.0f} a second{left}")


def _shown(found: Replay) -> dict[str, Any]:
    order = found.order
    return {
        "number": found.number,
        "purpose": order.purpose.value,
        "state": found.state.value,
        "version": found.version,
        "reason": order.reason,
        "basis": order.basis,
        "scope": order.scope.record(),
        "options": dict(order.options),
        "requested_by": found.requested_by,
        "requested_at": found.requested_at.strftime(_DAY),
        "approved_by": found.approved_by,
        "progress": found.progress,
        "result": found.result,
    }


def _answer(found: Replay, *, as_json: bool) -> None:
    if as_json:
        emit_json(_shown(found))
        return
    typer.echo(f"replay {found.number}, {_purpose(found.order)}: {found.state.value}")
    if found.progress and found.state is State.RUNNING:
        typer.echo(f"  {found.progress['done']:,} of {found.progress['of']:,} records")
    if found.result:
        _show_result(found.result)


def _purpose(order: Order) -> str:
    return f"{order.purpose.value} to a separate topic" if order.separate else order.purpose.value


def _show_result(result: Mapping[str, Any]) -> None:
    said = result.get("said", result["verdict"])
    typer.echo(f"  {said}: {result.get('records', result.get('delivered', 0)):,} records")
    if "topic" in result:
        typer.echo(f"  on {result['topic']}")
    if result.get("by_copies"):
        typer.echo(
            f"  {result['by_copies']:,} deliveries that a full-volume copy gave, compared as it gave them"
        )
    if "why" in result:
        typer.echo(f"  {result['why']}")
    first = result.get("first_difference")
    if first:
        table(
            "The first difference", ("what", "is"), [(k, v) for k, v in first.items() if v not in (None, "")]
        )
    if "rows" in result:
        table("What would be different", HEAD, [tuple(row[name] for name in HEAD) for row in result["rows"]])
    for chain in result.get("chains", ()):
        if chain["why"]:
            typer.echo(f"  {chain['chain']}: {chain['why']}")


def _show_count(counted: Mapping[str, Any]) -> None:
    typer.echo(
        f"{counted['records']:,} records in {counted['blocks']:,} blocks, "
        f"{counted['warm_up_records']:,} before them for their state"
    )
    for place in counted["not_retained"]:
        typer.echo(f"  {place}: its beginning is kept no more")
