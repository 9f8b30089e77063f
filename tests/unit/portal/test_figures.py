"""The dashboard's figures: sums of snapshots, rates only where there are two, and no other department's."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.control.store.operations import GrantGroup, Overdue, Round
from services.control.store.parties import Parties
from services.control.store.snapshots import Kind, Snapshot, Trouble
from services.portal.operations.figures import POINTS, Seen, figures, for_viewer

BEGAN = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)
EVERYTHING = None
POLICE = Parties(providers=frozenset({"police"}))
PROVIDERS = {"population.person.v1": "police", "permit.shop.v1": "market"}


def snapshot(at: datetime, **records: int) -> Seen:
    documents: dict[str, Any] = {
        "population.person.v1": {
            "records": 90,
            "canonical_end": records.get("police", 100),
            "accepted": 100,
            "stopped": 25,
            "stale": True,
            "freshness_s": 30.0,
            "last_event_at": at.isoformat(),
        },
        "permit.shop.v1": {
            "records": 9,
            "canonical_end": records.get("market", 10),
            "accepted": None,
            "stopped": None,
            "stale": False,
            "freshness_s": None,
            "last_event_at": None,
        },
    }
    trouble = Trouble("Kafka does not answer", at)
    return Seen(
        {Kind.RESOURCE: Round(at, None), Kind.GRANT: Round(at, trouble)},
        Snapshot(at, documents),
        Snapshot(at, {"slot-lag police": {"kind": "slot-lag", "provider": "police"}, "x": {"kind": "y"}}),
        Snapshot(at, {"quarantine.police": {"count": 25, "reasons": {"IDENTITY_MISSING": 25}}}),
        [
            GrantGroup("health", "police", "active", 2, 7, 1.5),
            GrantGroup("tax", "police", "active", 1, 3, 9.0),
            GrantGroup("police", "market", "suspended", 1, 0, None),
        ],
        [
            Overdue("police", "authority", 1, 0),
            Overdue("police", "provider", 2, 1),
            Overdue("market", "provider", 1, 0),
        ],
    )


def test_a_department_sees_its_own_figures_and_no_others() -> None:
    mine = for_viewer(figures(snapshot(BEGAN), PROVIDERS), POLICE, POLICE)
    assert [row["provider"] for row in mine["providers"]] == ["police"]
    assert mine["overdue"] == [
        {"department": None, "cases": 1, "tickets": 0},
        {"department": "police", "cases": 2, "tickets": 1},
    ]
    assert [row["provider"] for row in mine["alarms"]] == ["police"]
    assert mine["grants"] == [{"state": "active", "grants": 3, "lag_records": 10, "longest_lag_s": 9.0}]


def test_who_may_see_everything_sees_what_belongs_to_nobody_too() -> None:
    whole = for_viewer(figures(snapshot(BEGAN), PROVIDERS), EVERYTHING, EVERYTHING)
    assert len(whole["alarms"]) == 2
    assert [row["state"] for row in whole["grants"]] == ["active", "suspended"]


def test_quality_is_what_passed_among_all_that_came() -> None:
    [police] = for_viewer(figures(snapshot(BEGAN), PROVIDERS), POLICE, POLICE)["providers"]
    assert (police["sound_percent"], police["stale"]) == (80.0, 1)
    [market] = for_viewer(
        figures(snapshot(BEGAN), PROVIDERS), Parties(providers=frozenset({"market"})), POLICE
    )["providers"]
    assert (market["silent"], market["oldest_s"], market["sound_percent"]) == (1, None, None)


def test_a_rate_needs_two_snapshots_and_one_that_is_seen_again_is_none() -> None:
    first = figures(snapshot(BEGAN), PROVIDERS)
    again = figures(snapshot(BEGAN), PROVIDERS, first)
    assert for_viewer(again, EVERYTHING, EVERYTHING)["flow"] == []
    later = figures(snapshot(BEGAN + timedelta(seconds=10), police=150, market=20), PROVIDERS, again)
    assert [point["rate"] for point in for_viewer(later, EVERYTHING, EVERYTHING)["flow"]] == [6.0]
    assert [point["rate"] for point in for_viewer(later, POLICE, POLICE)["flow"]] == [5.0]
    assert for_viewer(later, POLICE, POLICE)["providers"][0]["rate"] == 5.0


def test_of_a_count_that_fell_no_rate_is_said() -> None:
    first = figures(snapshot(BEGAN), PROVIDERS)
    later = figures(snapshot(BEGAN + timedelta(seconds=10), police=1), PROVIDERS, first)
    assert for_viewer(later, POLICE, POLICE)["flow"][0]["rate"] is None


def test_the_trend_keeps_so_many_points_and_no_more() -> None:
    found = None
    for number in range(POINTS + 5):
        found = figures(snapshot(BEGAN + timedelta(seconds=number)), PROVIDERS, found)
    assert found is not None
    assert len(found["trend"]) == POINTS


def test_what_cannot_be_renewed_is_said_with_its_reason() -> None:
    whole = figures(snapshot(BEGAN), PROVIDERS)
    assert whole["trouble"] == {"grant": "Kafka does not answer"}
