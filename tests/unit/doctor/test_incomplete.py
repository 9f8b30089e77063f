"""A resource that may hold rows which its source no longer has is told, until the next full volume."""

from typing import Any

import pytest

from services.control.epochs.state import asked_text, whole_volumes
from services.doctor.finding import Level
from services.doctor.incomplete import Mark, judge_incomplete, mark_from
from tests.support.policy import sample_policy
from topics.event import KafkaRecord, PolicyNumber, ProviderId, ResourceId, TopicName
from topics.policy import Policy

PERSON = ResourceId("population.person.v1")
POLICE = ProviderId("police")
TRUNCATED = "the source truncated the table; its rows stay until a full volume sweeps them"


def mark(offset: int, version: int, detail: str = TRUNCATED) -> Mark:
    cause = f"raw.police.public.person:0:{offset + 10}"
    return Mark(f"epochs.{PERSON}:0:{offset}", cause, version, offset, detail, {0: offset + 10})


def policy(version: int, incarnation: int) -> Policy:
    sample = sample_policy(version)
    provider = sample.providers[POLICE].model_copy(update={"incarnation": incarnation})
    update = {"version": PolicyNumber(version), "providers": {**sample.providers, POLICE: provider}}
    return sample.model_copy(update=update)


FIRST = {1: policy(1, 1), 2: policy(2, 1)}
RECAPTURED = {**FIRST, 3: policy(3, 2), 4: policy(4, 2)}


@pytest.mark.parametrize(
    ("versions", "policies", "level", "counted"),
    [
        ([], FIRST, Level.OK, "nothing"),
        ([1, 2], FIRST, Level.WARNING, "2 marks"),
        ([1, 2], {}, Level.WARNING, "2 marks"),
        ([1, 2], RECAPTURED, Level.NOTE, "2 marks"),
        ([1, 2, 3], RECAPTURED, Level.WARNING, "1 marks"),
        ([3, 4], RECAPTURED, Level.WARNING, "2 marks"),
    ],
)
def test_marks_warn_until_the_provider_is_captured_anew(
    versions: list[int], policies: dict[int, Policy], level: Level, counted: str
) -> None:
    marks = [mark(offset, version) for offset, version in enumerate(versions)]
    found = judge_incomplete(PERSON, POLICE, marks, policies)
    assert (found.check, found.level) == ("incomplete", level)
    assert f"{PERSON}: {counted}" in found.seen
    assert (f"govbus snapshot start {PERSON}" in found.remedy) is (level is not Level.OK)


def epoch(kind: str, number: int, begin: int = 0, where: tuple[str, ...] = ()) -> dict[str, Any]:
    """A marker of an epoch, whose raw partitions begin there."""
    raw = "raw.police.public.person"
    asked = asked_text(where, "r", "b", initial=False)
    places = [{"topic": raw, "partition": partition, "offset": begin} for partition in (0, 1)]
    rest = {"policy_version": 1, "timestamp_ms": 9, "counts": {}, "digest": ""}
    return {"kind": kind, "generation": number, "offsets": places, "detail": asked, **rest}


@pytest.mark.parametrize(
    ("markers", "level"),
    [
        pytest.param([epoch("BEGIN", 1, 18), epoch("END", 1)], Level.OK, id="ended"),
        pytest.param([epoch("BEGIN", 1, 18)], Level.WARNING, id="open"),
        pytest.param([epoch("BEGIN", 1, 18), epoch("ABORTED", 1)], Level.WARNING, id="aborted"),
        pytest.param([epoch("BEGIN", 1, 18), epoch("WAITING", 1)], Level.WARNING, id="waiting"),
        pytest.param([epoch("BEGIN", 1, 17), epoch("END", 1)], Level.WARNING, id="caused while it ran"),
        pytest.param([epoch("BEGIN", 1, 18, ("id=7",)), epoch("END", 1)], Level.WARNING, id="filtered"),
        pytest.param(
            [epoch("BEGIN", 1, 18), epoch("END", 1), epoch("BEGIN", 2, 30), epoch("ABORTED", 2)],
            Level.OK,
            id="ended before one that was aborted",
        ),
    ],
)
def test_marks_are_over_once_a_whole_volume_that_began_after_their_cause_has_ended(
    markers: list[dict[str, Any]], level: Level
) -> None:
    volumes = whole_volumes(markers, "raw.police.public.person")
    found = judge_incomplete(PERSON, POLICE, [mark(3, 1), mark(7, 1)], FIRST, volumes)
    assert found.level is level
    assert ("2 marks are over" in found.seen) is (level is Level.OK)


def test_newest_mark_is_told_with_its_reason_and_both_coordinates() -> None:
    found = judge_incomplete(PERSON, POLICE, [mark(7, 1, "newest"), mark(3, 1, "older")], FIRST)
    assert "newest (caused by raw.police.public.person:0:17, marked at" in found.seen
    assert f"epochs.{PERSON}:0:7" in found.seen
    assert "older" not in found.seen


@pytest.mark.parametrize(("kind", "marked"), [("INCOMPLETE", True), ("END", False), ("BEGIN", False)])
def test_only_markers_of_the_kind_incomplete_are_marks(kind: str, marked: bool) -> None:
    record = KafkaRecord(
        topic=TopicName(f"epochs.{PERSON}"), partition=0, offset=7, timestamp_ms=7, key=b"k", value=b"v"
    )
    value = {
        "kind": kind,
        "offsets": [{"topic": "raw.police.public.person", "partition": 0, "offset": 17}],
        "policy_version": 1,
        "timestamp_ms": 7,
        "detail": TRUNCATED,
    }
    assert mark_from(record, value) == (mark(7, 1) if marked else None)
