"""`govbus claims list`: items published by who does not own them, beside the owner's current value."""

from typing import Annotated, Any

import typer

from services.cli import bus
from services.cli.output import Form, Format, Json, emit_json, plain, table, wants_json
from services.cli.reveal import Actor, Reveal, Why, record_reveal
from services.ledger.claims import ClaimView, read_claims
from services.ledger.masking import MASKED
from topics.event import ProviderId

app = typer.Typer(help="Look at disputed items.", no_args_is_help=True)


@app.callback()
def claims() -> None:
    """Look at disputed items."""


@app.command("list")
def list_command(
    provider: Annotated[str | None, typer.Option(help="Only claims of this provider.")] = None,
    differing: Annotated[bool, typer.Option("--differing", help="Only where the two values differ.")] = False,
    reveal: Reveal = False,
    actor: Actor = None,
    why: Why = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List claims with both values, masked unless --reveal, which is recorded."""
    with bus.open_bus() as opened:
        topics = opened.lookup.reader.topics()
        providers = [
            ProviderId(topic.removeprefix("claims.")) for topic in topics if topic.startswith("claims.")
        ]
        chosen = [one for one in providers if provider in (None, one)]
        if reveal:
            for one in chosen:
                record_reveal(opened, one, f"claims.{one}", actor, why)
        found = [view for one in chosen for view in read_claims(opened.lookup, one)]
    shown = [as_row(view, reveal=reveal) for view in found if not (differing and view.agrees)]
    if wants_json(as_json, output):
        emit_json({"claims": shown, "revealed": reveal})
        return
    columns = ["raw", "claimant", "owner", "resource", "item", "subject", "claimed", "current", "agrees"]
    table("Claims", columns, [[row[name] for name in columns] for row in shown])


def as_row(view: ClaimView, *, reveal: bool) -> dict[str, Any]:
    """One claim of docs/cli/claims-list.schema.json."""
    row: dict[str, Any] = plain(view)
    if not reveal:
        for name in ("subject", "claimed", "current"):
            row[name] = None if row[name] is None else MASKED
    return row
