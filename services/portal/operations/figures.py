"""The figures of the dashboard: sums of the snapshots, how much flows, and what of them one person sees.

They are made once for all who look. A rate is the difference of two snapshots; before the second one there is
none, and none is made up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Connection

from services.control.store.operations import GrantGroup, Overdue, Round, grant_groups, overdue, rounds
from services.control.store.parties import Parties
from services.control.store.snapshots import Kind, Snapshot, alarms, all_of

POINTS: Final = 120
STALEST: Final = 10
_AUTHORITY: Final = "authority"
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that figures are made of, as it was at one moment."""

    rounds: Mapping[Kind, Round]
    resources: Snapshot
    alarms: Snapshot
    quarantine: Snapshot
    grants: Sequence[GrantGroup]
    overdue: Sequence[Overdue]


def seen(connection: Connection, today: date) -> Seen:
    """Read it, in one transaction."""
    return Seen(
        rounds(connection),
        all_of(connection, Kind.RESOURCE),
        alarms(connection),
        all_of(connection, Kind.QUARANTINE),
        grant_groups(connection),
        overdue(connection, today),
    )


def figures(found: Seen, providers: Mapping[str, str], before: Figures | None = None) -> Figures:
    """The figures of all departments.

    Args:
        found: what was read.
        providers: resource → the department that provides it, where a snapshot does not say it.
        before: the figures of before, for what flowed since.
    """
    resources = [_resource(name, each, providers) for name, each in found.resources.documents.items()]
    trend = _trend(before, found.resources.as_of, resources)
    rates = _rates(trend)
    return {
        "as_of": {kind.value: _text(each.as_of) for kind, each in found.rounds.items()},
        "trouble": {
            kind.value: each.trouble.what for kind, each in found.rounds.items() if each.trouble is not None
        },
        "providers": _providers(resources, rates),
        "stalest": sorted(
            (each for each in resources if each["freshness_s"] is not None),
            key=lambda each: -each["freshness_s"],
        ),
        "grants": [_group(each) for each in found.grants],
        "quarantine": [
            {"provider": name.removeprefix("quarantine."), "stopped": _number(each.get("count")) or 0}
            for name, each in found.quarantine.documents.items()
        ],
        "overdue": [
            {
                "department": each.department,
                "obliged": each.obliged,
                "cases": each.cases,
                "tickets": each.tickets,
            }
            for each in found.overdue
        ],
        "alarms": [
            {
                "name": name,
                "provider": each.get("provider"),
                "kind": each.get("kind"),
                "subject": each.get("subject", name),
            }
            for name, each in found.alarms.documents.items()
        ],
        "trend": trend,
    }


def for_viewer(whole: Figures, operation: Parties | None, grants: Parties | None) -> Figures:
    """What one person sees of the figures: those of the departments that the permissions name."""

    def provided(rows: Iterable[Mapping[str, Any]], key: str = "provider") -> list[Mapping[str, Any]]:
        return [row for row in rows if _seen_by(operation, row[key], row[key])]

    rows = provided(whole["providers"])
    names = {row["provider"] for row in rows}
    return {
        "as_of": whole["as_of"],
        "trouble": whole["trouble"],
        "providers": rows,
        "stalest": provided(whole["stalest"])[:STALEST],
        "grants": _of_states(
            row for row in whole["grants"] if _seen_by(grants, row["provider"], row["consumer"])
        ),
        "quarantine": provided(whole["quarantine"]),
        "overdue": _late(provided(whole["overdue"], "department")),
        "alarms": provided(whole["alarms"]),
        "flow": _flow(whole["trend"], names),
    }


def _seen_by(visible: Parties | None, provider: str | None, consumer: str | None) -> bool:
    return visible is None or provider in visible.providers or consumer in visible.consumers


def _resource(name: str, document: Mapping[str, Any], providers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "provider": document.get("provider") or providers.get(name),
        "records": _number(document.get("records")),
        "accepted": _number(document.get("accepted")),
        "stopped": _number(document.get("stopped")),
        "end": _number(document.get("canonical_end")),
        "stale": bool(document.get("stale")),
        "freshness_s": document.get("freshness_s"),
        "last_event_at": document.get("last_event_at"),
    }


def _providers(
    resources: Sequence[Mapping[str, Any]], rates: Mapping[str, float | None]
) -> list[dict[str, Any]]:
    """Per providing department: how much there is, how good it is, and how old the oldest."""
    names = sorted({str(each["provider"]) for each in resources if each["provider"] is not None})
    found = []
    for name in names:
        own = [each for each in resources if each["provider"] == name]
        ages = [each["freshness_s"] for each in own if each["freshness_s"] is not None]
        accepted, stopped = _sum(own, "accepted"), _sum(own, "stopped")
        whole = accepted + stopped
        found.append(
            {
                "provider": name,
                "resources": len(own),
                "records": _sum(own, "records"),
                "accepted": accepted,
                "stopped": stopped,
                "sound_percent": round(100 * accepted / whole, 2) if whole else None,
                "stale": sum(each["stale"] for each in own),
                "oldest_s": max(ages, default=None),
                "silent": sum(each["last_event_at"] is None for each in own),
                "rate": rates.get(name),
            }
        )
    return found


def _trend(
    before: Figures | None, as_of: datetime | None, resources: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Totals by provider at each snapshot; one that is seen again adds nothing."""
    kept: list[dict[str, Any]] = list(before["trend"]) if before else []
    if as_of is None or (kept and kept[-1]["at"] == as_of.isoformat()):
        return kept
    totals: dict[str, int] = {}
    for each in resources:
        if each["provider"] is not None:
            totals[each["provider"]] = totals.get(each["provider"], 0) + (each["end"] or 0)
    return [*kept, {"at": as_of.isoformat(), "records": totals}][-POINTS:]


def _rates(trend: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    if len(trend) < 2:
        return {}
    then, now = trend[-2], trend[-1]
    return {name: _rate(then, now, {name}) for name in now["records"]}


def _flow(trend: Sequence[Mapping[str, Any]], names: set[Any]) -> list[dict[str, Any]]:
    """Records a second between snapshots, summed up over what the viewer sees."""
    return [{"at": now["at"], "rate": _rate(then, now, names)} for then, now in pairwise(trend)]


def _rate(then: Mapping[str, Any], now: Mapping[str, Any], names: set[Any]) -> float | None:
    """A count that fell was begun anew: of that time nothing can be said."""
    took = (datetime.fromisoformat(now["at"]) - datetime.fromisoformat(then["at"])).total_seconds()
    more = [now["records"][name] - then["records"].get(name, 0) for name in names if name in now["records"]]
    if took <= 0 or any(each < 0 for each in more):
        return None
    return round(float(sum(more)) / took, 2)


def _group(each: GrantGroup) -> dict[str, Any]:
    return {
        "consumer": each.consumer,
        "provider": each.provider,
        "state": each.state,
        "grants": each.grants,
        "lag_records": each.lag_records,
        "longest_lag_s": each.longest_lag_s,
    }


def _of_states(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Grants by state, for whoever sees these."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        state = str(row["state"] or "unknown")
        sums = found.setdefault(state, {"state": state, "grants": 0, "lag_records": 0, "longest_lag_s": None})
        sums["grants"] += row["grants"]
        sums["lag_records"] += row["lag_records"]
        known = [each for each in (sums["longest_lag_s"], row["longest_lag_s"]) if each is not None]
        sums["longest_lag_s"] = max(known, default=None)
    return [found[state] for state in sorted(found)]


def _late(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Who is late with how much; what the authority owes stands in one row, without a department."""
    found: dict[str | None, dict[str, Any]] = {}
    for row in rows:
        who = None if row["obliged"] == _AUTHORITY else row["department"]
        sums = found.setdefault(who, {"department": who, "cases": 0, "tickets": 0})
        sums["cases"] += row["cases"]
        sums["tickets"] += row["tickets"]
    return list(found.values())


def _sum(rows: Iterable[Mapping[str, Any]], key: str) -> int:
    return sum(row[key] or 0 for row in rows)


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _text(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()
