"""`govbus reconcile`: does the bus hold exactly what the provider's table holds, at one cut?"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import psycopg2
import typer
from sqlalchemy import Connection

from services.cli import bus
from services.cli.acting import AsOrNobody
from services.cli.control import open_control
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
from services.cli.owing import Who, who_acts
from services.cli.plan import Folder, access_of, load_declared
from services.cli.policy import current_policy
from services.cli.reveal import Reveal, Why, at_provider, record_reveals
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.credentials import write_owner_only
from services.control.epochs.errors import start_command
from services.control.store.errors import StoreError
from services.control.store.outbox import append
from services.control.store.reconciliations.proofs import (
    ACT,
    KIND,
    Proof,
    facts_of,
    keep,
    last_proofs,
)
from services.reconcile.bus import NotSettled
from services.reconcile.opening import NotComparable, Opening
from services.reconcile.report import without_values
from services.reconcile.run import Found, Wish
from services.stack.api import Stack
from services.stack.settings import StackSettings
from topics.event import ResourceId

_TOLD_EVERY_S: Final = 2.0
_PARTS: Final = ("kafka", "registry", "connect", "postgres")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("reconcile")(reconcile_command)


def reconcile_command(
    resource: Annotated[
        str | None, typer.Argument(help="The resource, such as population.person.v1.", show_default=False)
    ] = None,
    last: Annotated[
        bool, typer.Option("--last", help="Show what the last comparison found; nothing is compared.")
    ] = False,
    limit: Annotated[int, typer.Option(help="How many rows that differ to tell one by one.", min=0)] = 20,
    wait: Annotated[
        float, typer.Option(help="Seconds that capture, gate and sinks may take to come to the cut.", min=1)
    ] = 60.0,
    definitions: Folder = None,
    reveal: Reveal = False,
    why: Why = None,
    login: AsOrNobody = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Compare source, canonical topic and sinks at one cut (1: they differ, 5: only what was stopped)."""
    json_wanted = wants_json(as_json, output)
    if last:
        _show_last(resource, json_wanted=json_wanted)
        return
    if resource is None:
        raise CommandFailed(ExitCode.USAGE, "the resource is missing", "", "name it, or ask with --last")
    wish = Wish(limit, wait, reveal)
    found, document = _compare(ResourceId(resource), wish, definitions, login, why)
    if json_wanted:
        emit_json(document)
    else:
        _print(document)
    raise typer.Exit(_code(found))


def _code(found: Found) -> ExitCode:
    if not found.answer.same:
        return ExitCode.NEGATIVE
    return ExitCode.PENDING if found.answer.explained else ExitCode.OK


def _compare(
    resource: ResourceId, wish: Wish, definitions: Path | None, login: str | None, why: str | None
) -> tuple[Found, dict[str, Any]]:
    stack = Stack(StackSettings.from_environment())
    bus.require(stack, *_PARTS)
    policy = current_policy(stack)
    if policy is None:
        raise CommandFailed(ExitCode.UNAVAILABLE, "there is no policy yet", "", "run `govbus apply`")
    access = access_of(stack)
    sinks = load_declared(definitions).sinks.values()
    with bus.open_bus(max(30.0, wish.wait_s)) as opened, _told():
        opening = Opening(access, opened.lookup, policy, sinks, _Progress())
        reconciliation = opening.reconciliation(resource, wish)
        provider = reconciliation.entry.resource.provider
        who = who_acts(login, Action.OPERATION_LOOK_VOLUMES, Whose(provider=provider))
        if wish.reveal:
            at = at_provider(provider, reconciliation.entry.resource.raw_topic)
            record_reveals(opened, [at], login, why)
        found = reconciliation.run(datetime.now(UTC))
    document = {**found.answer.document(), "repair": _repair(found, access.home)}
    _keep(_proof(found, document), who, (why or "").strip())
    return found, document


@contextmanager
def _told() -> Iterator[None]:
    """What keeps a comparison from being made, in words."""
    try:
        yield
    except NotComparable as error:
        raise CommandFailed(ExitCode.USAGE, str(error), "", error.remedy) from error
    except NotSettled as error:
        remedy = "`govbus doctor` says what stands still; or give it longer with --wait"
        raise CommandFailed(ExitCode.UNAVAILABLE, str(error), "", remedy) from error
    except psycopg2.Error as error:
        # PostgreSQL's own words may quote a row.
        what = f"the source cannot be read: {type(error).__name__} {error.pgcode or ''}".strip()
        remedy = "`govbus doctor` checks the provider's database"
        raise CommandFailed(ExitCode.UNAVAILABLE, what, "", remedy) from error


def _repair(found: Found, home: Path) -> str | None:
    """The command that brings again what differs; which rows, stands in a file that only its owner reads."""
    if not found.answer.kept.total:
        return None
    if found.where is not None:
        folder = home / "reconcile"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_owner_only(folder / f"{found.answer.resource}.where", found.where)
    return start_command(found.answer.resource, found.ranges)


def _proof(found: Found, document: Mapping[str, Any]) -> Proof:
    answer = found.answer
    of_sinks = sum(sink.kept.total for sink in answer.sinks if sink.kept is not None)
    return Proof(
        resource=answer.resource,
        provider=answer.provider,
        at=answer.at,
        cut=answer.cut.position,
        same=answer.same,
        source_rows=answer.compared.table.count,
        source_digest=answer.compared.table.hex(),
        canonical_rows=answer.compared.topic.count,
        canonical_digest=answer.compared.topic.hex(),
        differences=answer.kept.total + of_sinks,
        explained=answer.explained,
        document=without_values(document),
    )


def _keep(proof: Proof, who: Who, reason: str) -> None:
    """Keep what was found and owe it to the ledger; where the database does not serve, that is said."""
    act = who.act(ACT, KIND, proof.resource, reason, facts_of(proof))
    try:
        with open_control() as database, database.begin() as connection:
            keep(connection, proof)
            append(connection, act)
    except (StoreError, CommandFailed) as error:
        note(f"what was found is neither kept nor in the ledger: {error}")


def _show_last(resource: str | None, *, json_wanted: bool) -> None:
    with open_control() as database, database.reading() as connection:
        proofs = _wanted(connection, resource)
    if json_wanted:
        emit_json({"proofs": [_row(proof) for proof in proofs]})
    else:
        counts = ("differences", "explained")
        columns = ["resource", "at", "same", "rows", *counts, "digest"]
        rows = [
            [row[column] for column in ("resource", "at", "same", "source_rows", *counts, "source_digest")]
            for row in map(_row, proofs)
        ]
        table("Last comparisons (UTC)", columns, rows)
        if not rows:
            note("nothing was compared yet: `govbus reconcile RESOURCE`")


def _wanted(connection: Connection, resource: str | None) -> list[Proof]:
    found = last_proofs(connection)
    return [proof for name, proof in found.items() if resource in (None, name)]


def _row(proof: Proof) -> dict[str, Any]:
    return {
        "resource": proof.resource,
        "provider": proof.provider,
        "at": proof.at.isoformat(timespec="milliseconds"),
        **facts_of(proof),
    }


def _print(document: Mapping[str, Any]) -> None:
    sides = [
        ["source", document["source"]["rows"], document["source"]["digest"]],
        ["canonical topic", document["canonical"]["rows"], document["canonical"]["digest"]],
    ]
    for sink in document["sinks"]:
        sides.append([f"topic of {sink['grant']}", sink["topic_rows"], sink["topic_digest"]])
        sides.append([f"sink {sink['table']}", sink["rows"], sink["digest"] or sink["trouble"]])
    cut = document["cut"]
    table(f"{document['resource']} at {cut['position']} ({cut['at']})", ["side", "rows", "digest"], sides)
    _print_differences(document)
    _print_timeliness(document["timeliness"])
    if document["not_compared"]:
        note(f"not compared, since other departments own them: {', '.join(document['not_compared'])}")
    if cut["snapshot_rows"]:
        note("a snapshot is under way: rows that it has not brought yet count as lost")
    told = "the bus holds exactly what the source holds" if document["same"] else "they differ"
    print_seconds = f"{told}; {document['seconds']:.1f} s, {document['peak_mb']:.0f} MB at most"
    typer.echo(print_seconds)
    if document["repair"]:
        typer.echo(f"to bring them again: {document['repair']}")


def _print_differences(document: Mapping[str, Any]) -> None:
    columns = ["where", "kind", "key", "items", "explained", "reason", "raw", "canonical", "record_id"]
    places = [("canonical topic", document["shown"])]
    places += [(sink["table"], sink["shown"]) for sink in document["sinks"]]
    rows = [
        [where, *(_cell(each[column]) for column in columns[1:])] for where, shown in places for each in shown
    ]
    if rows:
        table("What differs", columns, rows)
    counts = {kind: count for kind, count in document["differences"].items() if count}
    counts |= {f"explained: {why}": count for why, count in document["explained"].items()}
    if counts:
        typer.echo(", ".join(f"{count} {what}" for what, count in counts.items()))


def _cell(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value


def _print_timeliness(timely: Mapping[str, Any]) -> None:
    if not timely["changes"]:
        return
    typer.echo(
        f"timeliness: {timely['update_cycle']}, {timely['allowed_s']:.0f} s allowed;"
        f" of {timely['changes']} changes {timely['late']} were late,"
        f" half came within {timely['half_within_s']} s, 99 of 100 within {timely['nearly_all_within_s']} s;"
        f" the newest is of {timely['newest_change_at']}"
    )


class _Progress:
    """Tells what is going on, but not each step of something fast."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _TOLD_EVERY_S
            note(text)
