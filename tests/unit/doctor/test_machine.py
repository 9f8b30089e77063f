"""The doctor's view of a machine: each boundary on both sides."""

import pytest

from services.doctor.finding import Level
from services.doctor.machine import (
    GB,
    MB,
    FileMode,
    PortFact,
    judge_clock,
    judge_disk,
    judge_memory,
    judge_modes,
    judge_ports,
    judge_stamp,
)


@pytest.mark.parametrize(
    ("free", "held", "level"),
    [
        (1 * GB - 1, 0, Level.FAILURE),
        (1 * GB, 0, Level.WARNING),
        (5 * GB - 1, 0, Level.WARNING),
        (5 * GB, 0, Level.OK),
        (5 * GB, 3 * GB, Level.WARNING),
        (6 * GB, 3 * GB, Level.OK),
    ],
)
def test_disk(free: int, held: int, level: Level) -> None:
    finding = judge_disk("/data", free, 100 * GB, held)
    assert finding.level is level
    assert bool(finding.remedy) is (level is not Level.OK)


@pytest.mark.parametrize(
    ("available", "running", "level"),
    [
        (300 * MB - 1, True, Level.FAILURE),
        (300 * MB, True, Level.WARNING),
        (1 * GB, True, Level.OK),
        (4 * GB - 1, False, Level.WARNING),
        (4 * GB, False, Level.OK),
    ],
)
def test_memory_of_a_running_and_of_a_stopped_stack(available: int, running: bool, level: Level) -> None:
    assert judge_memory(available, 8 * GB, running=running).level is level


@pytest.mark.parametrize(
    ("running", "open_", "level", "said"),
    [
        (True, True, Level.OK, "answers"),
        (True, False, Level.FAILURE, "does not answer"),
        (False, False, Level.OK, "free"),
        (False, True, Level.FAILURE, "taken by nginx (pid 7)"),
    ],
)
def test_port(running: bool, open_: bool, level: Level, said: str) -> None:
    fact = PortFact("GOVBUS_KAFKA_PORT", 29092, "kafka", running, open_, "nginx (pid 7)")
    (finding,) = judge_ports([fact])
    assert finding.level is level
    assert said in finding.seen
    if level is Level.FAILURE and not running:
        assert "GOVBUS_KAFKA_PORT" in finding.remedy


@pytest.mark.parametrize(
    ("mode", "level"), [(0o600, Level.OK), (0o700, Level.OK), (0o640, Level.FAILURE), (0o604, Level.FAILURE)]
)
def test_only_the_owner_may_read_a_secret(mode: int, level: Level) -> None:
    (finding,) = judge_modes([FileMode("/home/secrets/kafka-gate", mode)])
    assert finding.level is level
    if level is Level.FAILURE:
        assert finding.remedy == "chmod go-rwx /home/secrets/kafka-gate"


@pytest.mark.parametrize(
    ("ahead", "uncertain", "level"),
    [
        (0.0, 0.0, Level.OK),
        (1.0, 0.0, Level.OK),
        (1.1, 0.0, Level.WARNING),
        (-1.1, 0.0, Level.WARNING),
        (1.1, 0.2, Level.OK),
        (5.0, 0.0, Level.WARNING),
        (-5.1, 0.0, Level.FAILURE),
    ],
)
def test_clock(ahead: float, uncertain: float, level: Level) -> None:
    assert judge_clock("theirs", ahead, uncertain).level is level


@pytest.mark.parametrize(("age", "level"), [(4.0, Level.OK), (-0.5, Level.OK), (-6.0, Level.FAILURE)])
def test_only_a_heartbeat_from_the_future_proves_a_clock_wrong(age: float, level: Level) -> None:
    assert judge_stamp("theirs", age).level is level
