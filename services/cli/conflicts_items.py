"""`govbus conflicts items`: items that two departments publish, and what was ruled on each."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from services.cli import bus
from services.cli.output import Form, Format, Json, emit_json, plain, table, wants_json
from services.cli.reveal import Reveal, Why, at_provider, record_reveals
from services.ledger.claims import claimants, read_claims
from services.ledger.item_conflicts import ItemConflict, item_conflicts
from services.ledger.masking import MASKED

_VALUES = ("subject", "claimed", "then", "current")


def register(app: typer.Typer) -> None:
    """Add the command to `govbus conflicts`."""
    app.command("items")(items_command)


def items_command(
    undecided: Annotated[bool, typer.Option("--undecided", help="Only what nobody has ruled on.")] = False,
    pairs: Annotated[
        int, typer.Option(help="How many differing values to show of each, at most.", min=0)
    ] = 5,
    reveal: Reveal = False,
    why: Why = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List items that two departments publish: who claims them since when, and which values differ.

    Values of two departments stand side by side: no account may see both, so the machine's user looks.
    """
    with bus.open_bus() as opened:
        providers = claimants(opened.lookup.reader)
        if reveal:
            looks = [at_provider(one, f"claims.{one}", "claims") for one in providers]
            record_reveals(opened, looks, None, why)
        views = [view for one in providers for view in read_claims(opened.lookup, one)]
        policies = opened.lookup.policies
    found = item_conflicts(views, policies[max(policies)] if policies else None, pairs)
    rows = [as_row(each, reveal=reveal) for each in found if not (undecided and each.ruling)]
    if wants_json(as_json, output):
        emit_json({"items": rows, "revealed": reveal})
    else:
        _print(rows)


def as_row(conflict: ItemConflict, *, reveal: bool) -> dict[str, Any]:
    """One conflict of docs/cli/conflicts-items.schema.json."""
    row: dict[str, Any] = plain(conflict) | {
        "ruling": None if conflict.ruling is None else conflict.ruling.model_dump(mode="json")
    }
    row["pairs"] = [_pair(pair, reveal=reveal) for pair in row["pairs"]]
    return row


def _pair(pair: dict[str, Any], *, reveal: bool) -> dict[str, Any]:
    shown = {name: pair[name] for name in ("at", "raw", "timestamp_ms", *_VALUES)}
    if reveal:
        return shown
    return shown | {name: MASKED for name in _VALUES if shown[name] is not None}


def _print(rows: list[dict[str, Any]]) -> None:
    columns = ("claimant_resource", "column", "owner", "owner_resource", "item", "claims", "differing")
    table(
        "Items that two departments publish",
        [*columns, "since", "last", "ruling"],
        [
            (
                *(row[name] for name in columns),
                _instant(row["since_ms"]),
                _instant(row["last_ms"]),
                "" if row["ruling"] is None else f"{row['ruling']['decision']} ({row['ruling']['id']})",
            )
            for row in rows
        ],
    )
    table(
        "Values that differ, the newest last",
        ["item", "raw record", "claimed", "owner then", "owner now"],
        [
            (row["item"], pair["raw"], pair["claimed"], pair["then"], pair["current"])
            for row in rows
            for pair in row["pairs"]
        ],
    )


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
