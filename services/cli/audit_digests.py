"""`govbus audit digests`: compares every record of the topics with the digests of the ledger."""

import time
from typing import Annotated, Any, Final

import typer

from services.cli import bus
from services.cli.output import ExitCode, Form, Format, Json, emit_json, note, table, wants_json
from services.ledger.digest_run import DigestAnswer, DigestRun
from services.ledger.evidence import Gatherer

_DAY_MS: Final = 86_400_000


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command("digests")(digests_command)


def digests_command(
    as_json: Json = False,
    output: Form = Format.TABLE,
    lag_days: Annotated[
        float, typer.Option(help="Compaction lag of canonical and grant topics, in days.", min=0)
    ] = 7.0,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for Kafka.", min=1)] = 30.0,
) -> None:
    """Compare the records with the ledger's digests, byte for byte: exit 0 if they are the same, 1 if not."""
    now_ms = int(time.time() * 1000)
    with bus.open_bus(timeout) as opened:
        lookup = opened.lookup
        gatherer = Gatherer(lookup.reader, lookup.decoder, int(lag_days * _DAY_MS), progress=note)
        found = DigestRun(gatherer, now_ms, note).run()
    if wants_json(as_json, output):
        emit_json(as_answer(found))
    else:
        _print(found)
    raise typer.Exit(ExitCode.NEGATIVE if found.differences else ExitCode.OK)


def as_answer(found: DigestAnswer) -> dict[str, Any]:
    """The shape that docs/cli/audit-digests.schema.json describes."""
    return {
        "same": not found.differences,
        "compared": found.compared,
        "partitions": found.partitions,
        "skipped": [str(place) for place in found.skipped],
        "differences": [
            {
                "what": one.what.value,
                "topic": one.place.topic,
                "partition": one.place.partition,
                "first": one.first,
                "last": one.last,
                "block": one.block,
                "records": one.records,
            }
            for one in found.differences
        ],
    }


def _print(found: DigestAnswer) -> None:
    for place in found.skipped:
        note(f"{place}: its beginning is no longer kept whole, nothing of it is compared")
    if found.differences:
        table(
            "Differences",
            ["what", "partition", "offsets", "records", "block"],
            [
                (one.what.value, one.place, f"{one.first} to {one.last}", one.records, one.block)
                for one in found.differences
            ],
        )
        typer.echo("THE TOPICS ARE NOT WHAT THE LEDGER SAYS: docs/auditor.md says what to do")
        return
    typer.echo(f"{found.compared} records in {found.partitions} partitions are what the ledger says")
