"""Grants, receipts and resumptions as rows and tables."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from services.cli.output import table
from services.control.suspension.receipt import Receipt
from services.control.suspension.resumption import Resumption
from services.stack.progress import say
from topics.policy import GrantPolicy, Policy


def grant_row(policy: Policy, entry: GrantPolicy) -> dict[str, Any]:
    """One grant of docs/cli/grant-list.schema.json."""
    grant = entry.grant
    return {
        "grant": grant.id,
        "consumer": grant.consumer,
        "resource": grant.resource,
        "state": grant.state.value,
        "generation": entry.generation,
        "valid_from": grant.valid_from.isoformat(),
        "valid_until": grant.valid_until.isoformat(),
        "holds": [hold.id for hold in policy.holds_on(grant)],
    }


def shown_grant(policy: Policy, entry: GrantPolicy) -> dict[str, Any]:
    """docs/cli/grant-show.schema.json."""
    grant = entry.grant
    return {
        **grant_row(policy, entry),
        "topic": grant.topic,
        "group": grant.group,
        "items": list(grant.items),
        "rows": [{"item": row.item, "values": list(row.values)} for row in grant.rows],
        "masks": {item: mask.kind for item, mask in sorted(grant.masks.items())},
        "purpose": grant.purpose,
        "legal_basis": grant.legal_basis,
        "policy_version": policy.version,
        "holds": [
            {
                "id": hold.id,
                "scope": hold.scope.value,
                "name": hold.name,
                "reason": hold.reason,
                "since_ms": hold.since_ms,
                "since_version": hold.since_version,
            }
            for hold in policy.holds_on(grant)
        ],
    }


def print_grants(rows: Sequence[Mapping[str, Any]]) -> None:
    """A table for a person."""
    columns = ["grant", "consumer", "resource", "state", "valid_until", "holds"]
    cells = [[row[name] for name in columns[:-1]] + [" ".join(row["holds"])] for row in rows]
    table("Grants", columns, cells, {"active": "green", "suspended": "red", "revoked": "red"})


def print_receipt(receipt: Receipt) -> None:
    """The proof of a suspension for a person."""
    console = Console(emoji=False)
    withdrawn = receipt.id.startswith("w-")
    state = "withdrawn for good" if withdrawn else "suspended" if receipt.is_cut else "being suspended"
    say(console, f"[bold]{escape(receipt.id)}[/]: {escape(receipt.subject)} is {state}")
    say(console, f"ordered by {escape(receipt.by)}, because: {escape(receipt.reason)}", indent=2)
    say(console, f"ordered {_moment(receipt.requested_ms)}", indent=2)
    for step, when in receipt.steps.items():
        if step.is_proof:
            after = when - receipt.requested_ms
            say(console, f"{step.value.replace('_', ' ')} {_moment(when)} (+{after} ms)", indent=2)
    cells = [
        [held.grant, partition, offset]
        for held in receipt.grants
        for partition, offset in sorted(held.cut.items())
    ]
    table("No record can be read from these offsets on", ["grant", "partition", "cut"], cells)
    if receipt.fenced:
        say(console, f"[yellow]did not answer and were ended: {escape(', '.join(receipt.fenced))}[/]")
    say(console, f"[dim]{escape(receipt.as_json()['outside'])}[/]")


def print_resumption(done: Resumption) -> None:
    """What a resumption did, for a person."""
    console = Console(emoji=False)
    say(console, f"[bold]{escape(done.id)}[/]: {escape(done.subject)}, lifted {escape(done.hold)}")
    cells = [
        [grant, counts.get("records"), counts.get("swept")] for grant, counts in sorted(done.filled.items())
    ]
    table("Delivering again", ["grant", "records", "withdrawn"], cells)
    for grant, why in done.waiting.items():
        say(console, f"[yellow]grant {escape(grant)} waits for you: {escape(why)}[/]")


def _moment(when_ms: int) -> str:
    return datetime.fromtimestamp(when_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
