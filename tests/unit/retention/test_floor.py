"""Evidence is never kept for less than the strictest pack demands: raised, refused, noticed."""

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from services.control.comparison import compare_offline
from services.control.definitions import load_definitions, packaged_definitions
from services.control.desired import DAY_MS
from services.control.policy_document import next_policy
from services.control.retention.floor import KEY, SIX_MONTHS, UNKNOWN, Floor, floor_of, is_protected
from services.control.retention.keeping import kept, kept_topics, shortened, too_short
from services.control.state import Topic
from services.control.store.snapshots import Snapshot
from services.doctor.finding import Level
from services.doctor.retention import judge_retention
from tests.support.desk import policy
from topics.event import ResourceId, SchemaId
from topics.resource import Resource

CITY = load_definitions(packaged_definitions())
PERSON = ResourceId("population.person.v1")
RAW = "raw.police.public.person"
YEARS = Floor(1_095)


def topic(name: str, days: int | None, **configs: str) -> Topic:
    retention = -1 if days is None else days * DAY_MS
    return Topic(name, 1, {"retention.ms": str(retention), "cleanup.policy": "delete", **configs})


def days_of(found: Topic) -> int:
    return int(found.configs["retention.ms"]) // DAY_MS


@pytest.mark.requirement("A11-01", "C12")
@pytest.mark.parametrize(
    ("packs", "days", "article"),
    [
        (("national-2025", "jiyuan-2022"), 184, "第二十八条"),
        (("national-2025", "jiyuan-2022", "department-sample"), 400, "第五条"),
        (("bengbu-2017",), 184, None),
    ],
)
def test_the_strictest_pack_sets_the_floor_with_its_article(
    packs: tuple[str, ...], days: int, article: str | None
) -> None:
    found = floor_of(policy(*packs).decide(KEY, MappingProxyType({})))
    assert found.days == days
    assert (None if found.source is None else found.source.article) == article
    assert (article or "six months") in found.because


def test_without_a_pack_six_months_count() -> None:
    assert floor_of(()) == Floor(SIX_MONTHS)


@pytest.mark.parametrize(
    ("name", "protected"),
    [
        (RAW, True),
        ("ledger.intake", True),
        ("policy", True),
        ("epochs.some-grant", True),
        ("quarantine.police", True),
        ("resource.population.person.v1", False),
        ("heartbeat.police", False),
    ],
)
def test_what_proves_something_is_protected(name: str, protected: bool) -> None:
    assert is_protected(name) is protected


@pytest.mark.requirement("A11-01")
def test_a_stricter_pack_raises_every_topic_of_evidence_and_says_why() -> None:
    desired = compare_offline(CITY).desired
    held = kept(desired, desired.topics, YEARS)
    for name, found in held.desired.topics.items():
        if is_protected(name) and found.configs["retention.ms"] != "-1":
            assert days_of(found) == YEARS.days, name
    assert held.desired.topics["ledger.acts"].configs["retention.ms"] == "-1"
    assert any(note.startswith(f"{RAW} is kept 1095 days, not 400 days") for note in held.notes)
    assert kept(desired, desired.topics, Floor(400)).notes == ()


def test_while_nobody_knows_the_packs_nothing_is_shortened() -> None:
    desired = compare_offline(CITY).desired
    live = {RAW: topic(RAW, 500), "ledger.intake": topic("ledger.intake", None)}
    held = kept(desired, live, UNKNOWN).desired.topics
    assert days_of(held[RAW]) == 500
    assert held["ledger.intake"].configs["retention.ms"] == "-1"
    known = kept(desired, live, Floor(184)).desired.topics
    assert days_of(known[RAW]) == 400


def test_topics_of_a_new_grant_begin_above_the_floor() -> None:
    raised, other = kept_topics([topic("epochs.g", 400), topic("sub.tax.a.b.v1.g", 1)], YEARS)
    assert (days_of(raised), days_of(other)) == (1_095, 1)


@pytest.mark.requirement("A11-01", "C12")
@pytest.mark.parametrize(
    ("before", "after", "floor", "refused"),
    [
        (400, 300, Floor(400), True),
        (400, 300, Floor(300), False),
        (400, 300, Floor(301), True),
        (400, 400, YEARS, False),
        (300, 400, YEARS, False),
        (400, 399, UNKNOWN, True),
    ],
)
def test_a_declaration_that_shortens_below_the_floor_is_refused(
    before: int, after: int, floor: Floor, refused: bool
) -> None:
    def declared(days: int) -> dict[ResourceId, Resource]:
        return {PERSON: CITY.resources[PERSON].model_copy(update={"retention_days": days})}

    found = compare_offline(replace(CITY, resources={**CITY.resources, **declared(before)}))
    ids = dict.fromkeys(found.desired.subjects, SchemaId(1))
    in_force = next_policy(replace(found.declared, grants={}), {}, ids, None, now_ms=0)
    refusals = list(shortened(declared(after), in_force, floor))
    assert bool(refusals) is refused
    assert list(shortened(declared(after), None, floor)) == []


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (topic(RAW, 184), []),
        (topic(RAW, 183), [("retention.ms", str(400 * DAY_MS))]),
        (topic(RAW, None), []),
        (topic(RAW, 400, **{"retention.bytes": "1000"}), [("retention.bytes", "-1")]),
        (topic(RAW, 400, **{"cleanup.policy": "compact"}), [("cleanup.policy", "delete")]),
        (topic("resource.population.person.v1", 1), []),
    ],
)
def test_each_setting_that_forgets_too_early_is_found_with_what_is_safe(
    found: Topic, wanted: list[tuple[str, str]]
) -> None:
    short = too_short({found.name: found}, Floor(184))
    assert [(each.setting, each.wanted) for each in short] == wanted


def test_the_doctor_fails_with_the_article_where_evidence_is_kept_too_briefly() -> None:
    seen = Snapshot(datetime.now(UTC), {"floor": {"days": 400, "because": "《…》 第五条"}})
    (bad,) = judge_retention({RAW: topic(RAW, 399)}, seen)
    assert (bad.level, "第五条" in bad.seen, RAW in bad.seen) == (Level.FAILURE, True, True)
    (good,) = judge_retention({RAW: topic(RAW, 400)}, seen)
    assert good.level is Level.OK
    (before,) = judge_retention({RAW: topic(RAW, 183)}, Snapshot(None, {}))
    assert before.level is Level.FAILURE
