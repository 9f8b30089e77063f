"""`govbus quarantine`: stopped events listed, shown, released or discarded, with who did it on record."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from services.cli import bus
from services.cli.acting import AsOrNobody
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
    wants_json,
)
from services.cli.quarantine_worker import Work, worker
from services.cli.reveal import Look, Reveal, Why, record_reveals, required_reason
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.ledger.coordinates import Coordinate, parse_coordinate
from services.ledger.lookup import Lookup
from services.ledger.quarantine import (
    OPEN,
    STATES,
    Disposition,
    Quarantined,
    Selection,
    histogram,
    providers_of,
    read_quarantine,
    rule_histogram,
)
from services.ledger.quarantine_view import as_detail, as_row
from services.ledger.quarantine_work import Worked, discard_all, release_all
from topics.event import ProviderId, StopReason

app = typer.Typer(help="Work on stopped events.", no_args_is_help=True)

ALL: Final[frozenset[str]] = frozenset()
ALL_STATES: Final = "all"
RELEASABLE: Final = frozenset({OPEN, Disposition.RELEASING.value})
"""A release that nobody waited for is waited for again."""

Provider = Annotated[str | None, typer.Option(help="Only this provider's.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason code; docs/reasons.md lists them.")]
Rule = Annotated[str | None, typer.Option(help="Only what this quality rule stopped.")]
Topic = Annotated[str | None, typer.Option(help="Only from this raw topic.")]
Coordinates = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TOPIC:PARTITION:OFFSET]...", help="Raw or quarantine coordinates."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Everything = Annotated[bool, typer.Option("--all", help="All open events that the other options choose.")]


@app.callback()
def quarantine() -> None:
    """Work on stopped events."""


@app.command("list")
def list_command(
    of: Annotated[str | None, typer.Argument(metavar="[PROVIDER]", help="Only this provider's.")] = None,
    provider: Provider = None,
    reason: Reason = None,
    rule: Rule = None,
    topic: Topic = None,
    state: Annotated[
        str, typer.Option(help="open, releasing, released, superseded, stopped-again, discarded or all.")
    ] = OPEN,
    limit: Annotated[
        int, typer.Option(help="How many events to list; the histogram counts all.", min=0)
    ] = 50,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List stopped events with a histogram of their reasons; shows no values."""
    one_of(state, [ALL_STATES, OPEN, *STATES], "state", "--state")
    selection = Selection(reason, rule, topic, (), ALL if state == ALL_STATES else frozenset({state}))
    with bus.open_bus() as opened:
        found = [entry for _, entry in _chosen(opened.lookup, of or provider, selection)]
    answer = {
        "total": len(found),
        "reasons": histogram(found),
        "rules": rule_histogram(found),
        "events": [as_row(entry) for entry in found[:limit]],
    }
    if wants_json(as_json, output):
        emit_json(answer)
        return
    if found:
        table("Reasons", ["reason", "events"], histogram(found).items())
    columns = ["raw", "reason", "step", "detail", "state", "actor"]
    table("Stopped events", columns, [[as_row(entry)[name] for name in columns] for entry in found[:limit]])
    if len(found) > limit:
        note(f"{len(found) - limit} more: raise --limit or choose by --reason, --rule, --topic")


@app.command("show")
def show_command(
    coordinate: Annotated[str, typer.Argument(metavar="TOPIC:PARTITION:OFFSET")],
    reveal: Reveal = False,
    who: AsOrNobody = None,
    why: Why = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Show one stopped event; its values are masked unless --reveal, which is recorded."""
    wanted = parse_coordinate(coordinate)
    with bus.open_bus() as opened:
        [(provider, entry)] = _found(
            opened.lookup, None, [wanted], Selection(coordinates=(wanted,), states=ALL)
        )[:1]
        if reveal:
            record_reveals(opened, [_look(provider, entry)], who, why)
        detail = as_detail(opened.lookup, entry, reveal=reveal)
    if wants_json(as_json, output):
        emit_json(detail)
    else:
        shown = [(name, _readable(value)) for name, value in detail.items() if value not in (None, [], {})]
        table(entry.raw.coordinates, ["what", "value"], shown)


def _readable(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, indent=1) if isinstance(value, dict | list) else value


@app.command("release")
def release_command(
    coordinates: Coordinates = None,
    provider: Provider = None,
    reason: Reason = None,
    rule: Rule = None,
    topic: Topic = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    who: AsOrNobody = None,
    why: Why = None,
    deadline: Annotated[float, typer.Option(help="Seconds to wait for the gate's decision.", min=0)] = 30.0,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Send stopped events through the gate again: exit 0 if all were accepted, 4 if any was not."""
    given = _coordinates(coordinates, everything=everything)
    text = why if dry_run else required_reason(why)
    with bus.open_bus() as opened:
        chosen = _found(opened.lookup, provider, given, Selection(reason, rule, topic, given, RELEASABLE))
        by = worker(_work(Action.QUARANTINE_RELEASE, chosen, text, dry_run=dry_run), who)
        worked = release_all(opened, chosen, by, text or "", deadline, dry_run=dry_run)
    _finish("release", worked, dry_run=dry_run, as_json=wants_json(as_json, output))


@app.command("discard")
def discard_command(
    coordinates: Coordinates = None,
    provider: Provider = None,
    reason: Reason = None,
    rule: Rule = None,
    topic: Topic = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    who: AsOrNobody = None,
    why: Why = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Close stopped events without releasing them; their bytes stay for the audit period."""
    given = _coordinates(coordinates, everything=everything)
    text = why if dry_run else required_reason(why)
    with bus.open_bus() as opened:
        chosen = _found(opened.lookup, provider, given, Selection(reason, rule, topic, given))
        by = worker(_work(Action.QUARANTINE_DISCARD, chosen, text, dry_run=dry_run), who)
        worked = discard_all(opened, chosen, by, text or "", dry_run=dry_run)
    _finish("discard", worked, dry_run=dry_run, as_json=wants_json(as_json, output))


Chosen = list[tuple[ProviderId, Quarantined]]


def _work(action: Action, chosen: Chosen, why: str | None, *, dry_run: bool) -> Work:
    return Work(action, [provider for provider, _ in chosen], why or "", dry_run)


def _look(provider: ProviderId, entry: Quarantined) -> Look:
    whose = Whose(provider=provider)
    return Look(provider, entry.raw.coordinates, whose, Action.QUARANTINE_REVEAL, "stopped_event")


def _chosen(lookup: Lookup, provider: str | None, selection: Selection) -> Chosen:
    if selection.reason is not None:
        one_of(selection.reason, (reason.value for reason in StopReason), "reason", "--reason")
    known = providers_of(lookup.reader.topics())
    if provider is not None:
        one_of(provider, known, "provider", "--provider")
    providers = [one for one in known if provider in (None, one)]
    return [
        (one, entry) for one in providers for entry in read_quarantine(lookup, one) if selection.covers(entry)
    ]


def _found(
    lookup: Lookup,
    provider: str | None,
    given: Sequence[Coordinate],
    selection: Selection,
) -> Chosen:
    found = _chosen(lookup, provider, selection)
    if not found:
        raise CommandFailed(
            ExitCode.NEGATIVE,
            "no such stopped event" if given else "no stopped event is chosen",
            ", ".join(map(str, given)),
            "`govbus quarantine list --state all` shows what there is and what was done about it",
        )
    return found


def _coordinates(texts: list[str] | None, *, everything: bool) -> tuple[Coordinate, ...]:
    if bool(texts) == everything:
        raise CommandFailed(
            ExitCode.USAGE,
            "name the events, or choose them by --all with --provider, --reason, --rule or --topic",
            "coordinates",
            "try it with --dry-run first",
        )
    return tuple(parse_coordinate(text) for text in texts or ())


def _finish(what: str, worked: list[Worked], *, dry_run: bool, as_json: bool) -> None:
    refused = [one for one in worked if not one.ok]
    answer: dict[str, Any] = {
        "action": what,
        "dry_run": dry_run,
        "done": len(worked) - len(refused),
        "refused": len(refused),
        "events": worked,
    }
    if as_json:
        emit_json(answer)
    else:
        table(
            what, ["raw", "outcome", "reason", "where"], [(w.raw, w.outcome, w.reason, w.at) for w in worked]
        )
    raise typer.Exit(ExitCode.REFUSED if refused else ExitCode.OK)
