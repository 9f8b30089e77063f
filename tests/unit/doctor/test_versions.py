"""Versions that are old, other than locked, or missing."""

import pytest

from services.doctor.finding import Level
from services.doctor.versions import (
    judge_broker,
    judge_equal,
    judge_java,
    judge_plugins,
    judge_postgres,
    judge_python,
    locked_versions,
)
from services.stack.jars import read_lock

NEEDED = {26: 5, 48: 1, 49: 1, 50: 0, 51: 0}


def test_the_lock_file_names_every_version_that_is_compared() -> None:
    locked = locked_versions(file.coordinates for file in read_lock())
    assert locked.kafka.startswith("4.")
    assert locked.registry
    assert len(locked.plugins) == 2


@pytest.mark.parametrize(("version", "level"), [((3, 10, 9), Level.FAILURE), ((3, 11, 0), Level.OK)])
def test_python(version: tuple[int, ...], level: Level) -> None:
    assert judge_python(version).level is level


@pytest.mark.parametrize(
    ("version", "level"), [("16.0.1", Level.FAILURE), ("17", Level.OK), (None, Level.FAILURE)]
)
def test_java(version: str | None, level: Level) -> None:
    assert judge_java(version).level is level


@pytest.mark.parametrize(
    ("apis", "level"),
    [
        (NEEDED, Level.OK),
        (NEEDED | {26: 4}, Level.FAILURE),
        ({key: value for key, value in NEEDED.items() if key != 51}, Level.FAILURE),
        ({}, Level.FAILURE),
    ],
)
def test_broker(apis: dict[int, int], level: Level) -> None:
    assert judge_broker(apis).level is level


@pytest.mark.parametrize(
    ("number", "level"), [(139_999, Level.FAILURE), (140_000, Level.OK), (180_004, Level.OK)]
)
def test_postgres(number: int, level: Level) -> None:
    assert judge_postgres(number).level is level


def test_a_plugin_is_compared_and_missed_by_its_class() -> None:
    found = judge_plugins({"a.B": "1"}, {"a.B": "2", "a.C": "1"})
    assert [finding.level for finding in found] == [Level.WARNING, Level.FAILURE]
    assert judge_equal("Kafka Connect", "4.3.1", "4.3.1").level is Level.OK
