"""Published versions on the real processors: books close, outcomes are explained, releases go by version."""

import json
from dataclasses import asdict
from pathlib import Path

import jsonschema
import pytest

from services.ledger.balance import balance
from services.ledger.bus import Bus
from services.ledger.coordinates import parse_coordinate
from services.ledger.evidence import Gatherer
from services.ledger.explain import Explanation, explain
from services.ledger.proof import Balance
from services.ledger.quarantine import Selection, read_quarantine
from services.ledger.quarantine_work import Worked, release_all
from services.ledger.releasing import ReleaseCheck
from tests.support.memory_bus import MemoryCity
from tests.support.publication import HOLDER_B, permit
from topics.event import KafkaRecord, ProviderId

MARKET = ProviderId("market_regulation")
SHAPE = Path(__file__).parents[3] / "docs" / "cli" / "explain.schema.json"


def books(city: MemoryCity) -> Balance:
    gatherer = Gatherer(city.lookup.reader, city.lookup.decoder, compaction_lag_ms=7 * 86_400_000)
    return balance(gatherer.gather(now_ms=city.clock))


def explained(city: MemoryCity, raw: KafkaRecord) -> Explanation:
    found = explain(city.lookup, parse_coordinate(raw.coordinates))
    jsonschema.validate(json.loads(json.dumps(asdict(found))), json.loads(SHAPE.read_text(encoding="utf-8")))
    return found


def released(city: MemoryCity, reason: str) -> list[Worked]:
    """Release the open events of that reason, as the command does."""
    chosen = [
        (MARKET, one) for one in read_quarantine(city.lookup, MARKET) if Selection(reason=reason).covers(one)
    ]
    return release_all(Bus(city.lookup, city), chosen, "wang", "mended", 5.0, dry_run=False)


def test_books_close_over_late_and_repeated_versions(city: MemoryCity) -> None:
    for version in (2, 1, 2, 3):
        city.publish(version)
    city.publish(3, permit(kind="02"))
    city.publish(4, permit(HOLDER_B))
    city.publish(5, permit(HOLDER_B), operation="delete")
    city.pump()
    city.publish(4, permit(HOLDER_B))
    city.publish(5, permit(HOLDER_B), operation="delete")
    city.pump()
    found = books(city)
    assert found.differences == []
    counted = {name: found.sums[name] for name in ("raw", "accepted", "stopped", "duplicate", "superseded")}
    assert counted == {"raw": 9, "accepted": 4, "stopped": 1, "duplicate": 2, "superseded": 2}
    assert found.sums["pending_intake"] == found.sums["pending_delivery"] == 0


@pytest.mark.parametrize("pumped", [True, False], ids=["in two batches", "in one batch"])
@pytest.mark.parametrize(
    ("version", "kind", "outcome", "reason", "stage"),
    [
        (6, "02", "accepted", None, "passed"),
        (5, "01", "duplicate", None, "duplicate"),
        (5, "02", "stopped", "VERSION_REUSED", "stopped"),
        (4, "01", "superseded", "OLDER_VERSION", "superseded"),
    ],
)
def test_each_standing_is_explained_as_it_was_decided(
    city: MemoryCity, version: int, kind: str, outcome: str, reason: str | None, stage: str, *, pumped: bool
) -> None:
    city.publish(5)
    if pumped:
        city.pump()
    raw = city.publish(version, permit(kind=kind))
    city.pump()
    found = explained(city, raw)
    assert (found.outcome, found.reason, found.notes) == (outcome, reason, ())
    assert {one.stage: one.outcome for one in found.stages}["version"] == stage
    if outcome != "accepted":
        ended = ("withheld", f"{outcome.upper()}_AT_GATE")
        assert {(one.outcome, one.reason) for one in found.grants if one.grant} == {ended}


def test_a_captured_record_has_no_version_to_be_compared(city: MemoryCity) -> None:
    raw = city.garbage(b"\x01garbage")
    city.pump()
    assert "version" not in {one.stage for one in explained(city, raw).stages}


def test_a_stopped_version_can_be_released_as_long_as_it_is_newer(city: MemoryCity) -> None:
    """Stopped: 3 and 5, each of a kind that no list has; accepted since: 4, so 3 is history and 5 is not."""
    for version, kind in ((5, "99"), (3, "98"), (4, "01")):
        city.publish(version, permit(kind=kind))
    city.pump()
    check = ReleaseCheck(city.lookup)
    entries = {entry.raw.offset: entry for entry in read_quarantine(city.lookup, MARKET)}
    assert [check.refusal(entries[offset]) for offset in (0, 1)] == [None, "OLDER_VERSION"]
    assert sorted((one.outcome, one.reason) for one in released(city, "QUALITY")) == [
        ("refused", "OLDER_VERSION"),
        ("stopped", "QUALITY"),
    ]
    assert books(city).closed


def test_two_releases_of_one_key_are_decided_by_the_gate_in_any_order(city: MemoryCity) -> None:
    """What the command knew when it began is out of date after its first release; the gate knows better."""
    city.publish(1)
    newer, older = (city.publish(version, permit(kind="99")) for version in (9, 7))
    city.pump()
    lists = city.policy.code_lists
    key = next(name for name in lists if name.startswith("permit_kind@"))
    city.adopt(
        city.policy.model_copy(update={"version": 2, "code_lists": {**lists, key: (*lists[key], "99")}})
    )
    found = {one.raw: (one.outcome, one.reason) for one in released(city, "QUALITY")}
    assert found == {
        newer.coordinates: ("accepted", None),
        older.coordinates: ("superseded", "OLDER_VERSION"),
    }
    assert books(city).closed
