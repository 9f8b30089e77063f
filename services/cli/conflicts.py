"""`govbus conflicts list`: rows of one provider that claim the same identity, for the provider to correct."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from services.cli import bus, conflicts_decide, conflicts_items
from services.cli.acting import AsOrNobody
from services.cli.output import (
    CommandFailed,
    ExitCode,
    Form,
    Format,
    Json,
    emit_json,
    plain,
    table,
    wants_json,
)
from services.cli.reveal import Reveal, Why, at_provider, record_reveals
from services.ledger.conflicts import Conflict, read_conflicts
from services.ledger.lookup import Lookup
from services.ledger.masking import MASKED
from topics.event import ResourceId
from topics.names import canonical

app = typer.Typer(help="Look at what contradicts itself, and decide who owns an item.", no_args_is_help=True)
conflicts_items.register(app)
conflicts_decide.register(app)


@app.callback()
def conflicts() -> None:
    """Look at what contradicts itself, and decide who owns an item."""


@app.command("list")
def list_command(
    resource: Annotated[str | None, typer.Option(help="Only of this resource.")] = None,
    reveal: Reveal = False,
    who: AsOrNobody = None,
    why: Why = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List identities that more than one row claims now; masked unless --reveal, which is recorded."""
    chosen = None if resource is None else ResourceId(resource)
    with bus.open_bus() as opened:
        if chosen is not None:
            _require(opened.lookup, chosen)
        found = read_conflicts(opened.lookup, chosen)
        if reveal:
            named = sorted({(one.provider, one.resource) for one in found})
            looks = [at_provider(provider, canonical(name)) for provider, name in named]
            record_reveals(opened, looks, who, why)
    rows = [as_row(one, reveal=reveal) for one in found]
    if wants_json(as_json, output):
        emit_json({"conflicts": rows, "revealed": reveal})
    else:
        _print(rows)


def as_row(conflict: Conflict, *, reveal: bool) -> dict[str, Any]:
    """One conflict of docs/cli/conflicts-list.schema.json."""
    row: dict[str, Any] = plain(conflict)
    hidden = row.pop("record_ids_name_persons")
    if not reveal:
        row["identity"] = MASKED
        if hidden:
            row["records"] = [{**side, "record_id": MASKED} for side in row["records"]]
    return row


def _require(lookup: Lookup, resource: ResourceId) -> None:
    policies = lookup.policies
    known = policies[max(policies)].resources if policies else {}
    if resource not in known:
        names = ", ".join(sorted(known)) or "none yet"
        raise CommandFailed(
            ExitCode.USAGE, f"no resource is called {resource}", "--resource", f"the resources are: {names}"
        )


def _print(rows: list[dict[str, Any]]) -> None:
    table(
        "Rows that claim one identity",
        ["resource", "provider", "identity", "since", "record id", "canonical record", "raw record"],
        [
            (
                row["resource"],
                row["provider"],
                row["identity"],
                datetime.fromtimestamp(row["since_ms"] / 1000, UTC).isoformat(timespec="seconds"),
                side["record_id"],
                side["at"],
                side["raw"],
            )
            for row in rows
            for side in row["records"]
        ],
    )
