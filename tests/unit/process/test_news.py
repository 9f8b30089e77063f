"""What is told of grants and resources from acts and snapshots: to whom, and once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.control.notices.event import Offices
from services.control.notices.words import Audience, Kind, Slot
from services.control.process.news import of_acts, of_snapshots
from services.control.suspension.acts import Act, ActWord

NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
KNOWN = Offices(("data_bureau",), ("operations",))
GRANT: dict[str, Any] = {
    "consumer": "health",
    "provider": "police",
    "state": "active",
    "holds": [],
    "group": "health",
    "lag_seconds": 0.0,
    "lag_records": 0,
    "window_s": 7 * 86_400,
    "valid_until": "2030-12-31",
}
RESOURCE: dict[str, Any] = {
    "provider": "police",
    "consumers": ["health"],
    "last_event_at": NOW.isoformat(),
    "update_cycle": "real_time",
}
SUSPENDED = Act(
    "s-1",
    "operator-7",
    ActWord.SUSPEND,
    "grant",
    "health-persons",
    int(NOW.timestamp() * 1000),
    "breach",
    {"grants": [{"grant": "health-persons", "consumer": "health"}]},
)


def test_a_suspension_is_told_to_everybody_for_each_grant_that_it_covers() -> None:
    (told,) = of_acts([SUSPENDED], {"health-persons": GRANT}, KNOWN)
    assert (told.kind, told.facts) == (Kind.GRANT_SUSPENDED, {Slot.GRANT: "health-persons"})
    assert told.parties == {
        Audience.CONSUMER: ("health",),
        Audience.PROVIDER: ("police",),
        Audience.AUTHORITY: ("data_bureau",),
        Audience.OPERATOR: ("operations",),
    }


def test_a_resumption_names_its_grants_only_and_other_acts_tell_nothing() -> None:
    resumed = replace(SUSPENDED, what=ActWord.RESUME, document={"grants": ["health-persons", "unknown"]})
    known, unknown = of_acts([resumed], {"health-persons": GRANT}, KNOWN)
    assert (known.kind, known.parties[Audience.CONSUMER]) == (Kind.GRANT_RESUMED, ("health",))
    assert unknown.parties[Audience.CONSUMER] == ()
    assert list(of_acts([replace(SUSPENDED, what="case.approve")], {}, KNOWN)) == []


def told(grant: dict[str, Any] | None = None, resource: dict[str, Any] | None = None) -> list[Kind]:
    grants = {} if grant is None else {"health-persons": {**GRANT, **grant}}
    resources = {} if resource is None else {"population.person.v1": {**RESOURCE, **resource}}
    return [each.kind for each in of_snapshots(grants, resources, KNOWN, NOW)]


def test_a_reader_that_uses_up_its_window_is_told_and_one_that_nobody_runs_is_not() -> None:
    assert told({"lag_seconds": 4 * 86_400.0}) == [Kind.READER_BEHIND]
    assert told({"lag_seconds": 8 * 86_400.0}) == [Kind.READER_LOST]
    assert told({"lag_seconds": 8 * 86_400.0, "group": None}) == []
    assert told({"lag_seconds": 8 * 86_400.0, "holds": ["h-1"]}) == []


def test_a_grant_that_ends_soon_and_a_resource_that_is_silent_are_told() -> None:
    assert told({"valid_until": "2026-11-30"}) == [Kind.GRANT_EXPIRES]
    assert told({"valid_until": "2026-11-30", "state": "revoked"}) == []
    silent = (NOW - timedelta(days=2)).isoformat()
    assert told(resource={"last_event_at": silent}) == [Kind.RESOURCE_STALE]
    assert told(resource={"last_event_at": None}) == []


def test_nobody_is_told_as_a_department_without_a_name() -> None:
    unknown = {"valid_until": "2026-11-30", "provider": None}
    (found,) = of_snapshots({"health-persons": {**GRANT, **unknown}}, {}, Offices(), NOW)
    assert found.parties[Audience.PROVIDER] == ()


def test_a_grant_that_is_suspended_ends_all_the_same() -> None:
    assert told({"valid_until": "2026-11-30", "state": "suspended"}) == [Kind.GRANT_EXPIRES]
    assert told({"valid_until": "2026-11-30", "holds": ["h-1"]}) == [Kind.GRANT_EXPIRES]
