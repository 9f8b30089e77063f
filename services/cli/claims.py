"""`govbus claims list`: items published by who does not own them, beside the owner's values then and now."""

from collections import Counter
from typing import Annotated, Any

import typer

from services.cli import bus
from services.cli.output import Form, Format, Json, emit_json, note, one_of, plain, table, wants_json
from services.cli.reveal import Reveal, Why, at_provider, record_reveals
from services.ledger.claims import ClaimView, claimants, read_claims
from services.ledger.masking import MASKED

app = typer.Typer(help="Look at disputed items.", no_args_is_help=True)


@app.callback()
def claims() -> None:
    """Look at disputed items."""


@app.command("list")
def list_command(
    provider: Annotated[str | None, typer.Option(help="Only claims of this provider.")] = None,
    differing: Annotated[
        bool, typer.Option("--differing", help="Only where the owner's value then was another.")
    ] = False,
    limit: Annotated[
        int, typer.Option(help="How many claims to list, the newest; the sums count all.", min=0)
    ] = 50,
    reveal: Reveal = False,
    why: Why = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List claims with the owner's value then and now, masked unless --reveal, which is recorded.

    Values of two departments stand side by side: no account may see both, so the machine's user looks.
    """
    with bus.open_bus() as opened:
        providers = claimants(opened.lookup.reader)
        if provider is not None:
            one_of(provider, providers, "provider", "--provider")
        chosen = [one for one in providers if provider in (None, one)]
        if reveal:
            record_reveals(opened, [at_provider(one, f"claims.{one}", "claims") for one in chosen], None, why)
        found = [view for one in chosen for view in read_claims(opened.lookup, one)]
    wanted = sorted((view for view in found if view.agrees is False or not differing), key=_age)
    newest = [as_row(view, reveal=reveal) for view in wanted[max(len(wanted) - limit, 0) :]]
    if wants_json(as_json, output):
        emit_json({"total": len(wanted), "claims": newest, "revealed": reveal})
    else:
        _print(wanted, newest, reveal=reveal)


def _age(view: ClaimView) -> tuple[int, str]:
    return view.timestamp_ms, view.at


def _print(wanted: list[ClaimView], newest: list[dict[str, Any]], *, reveal: bool) -> None:
    sums = Counter((view.claimant, view.resource, view.item) for view in wanted)
    differ = Counter((view.claimant, view.resource, view.item) for view in wanted if view.agrees is False)
    if sums:
        columns = ["claimant", "resource", "item", "claims", "differing"]
        table("Items", columns, [(*which, count, differ[which]) for which, count in sorted(sums.items())])
    values = ["subject", "claimed", "then", "current"] if reveal else []
    columns = ["raw", "claimant", "item", "owner", "then_state", "agrees", *values]
    table("Claims, the newest last", columns, [[row[name] for name in columns] for row in newest])
    if len(wanted) > len(newest):
        note(f"{len(wanted) - len(newest)} more: raise --limit or choose by --provider, --differing")


def as_row(view: ClaimView, *, reveal: bool) -> dict[str, Any]:
    """One claim of docs/cli/claims-list.schema.json."""
    row: dict[str, Any] = plain(view)
    if not reveal:
        for name in ("subject", "claimed", "then", "current"):
            row[name] = None if row[name] is None else MASKED
    return row
