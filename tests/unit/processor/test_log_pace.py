"""The same complaint is written once in a while, with the number of those left out."""

import logging
from collections.abc import Iterator

import pytest

from services.processor.log_pace import LogPace, pace

EVERY_S = 30.0


def complaint(level: int = logging.ERROR, message: str = "no broker %s") -> logging.LogRecord:
    return logging.LogRecord("aiokafka", level, __file__, 1, message, ("n1",), None)


def test_the_same_complaint_is_written_once_in_a_while_with_what_was_left_out() -> None:
    now = [100.0]
    paced = LogPace(EVERY_S, lambda: now[0])
    assert paced.filter(complaint())
    now[0] += EVERY_S - 1
    assert [paced.filter(complaint()) for _ in range(3)] == [False] * 3
    now[0] += 1
    again = complaint()
    assert paced.filter(again)
    assert again.getMessage() == "no broker n1 (and 3 more like it)"
    assert not paced.filter(complaint())


def test_another_complaint_and_plain_news_are_not_held_back() -> None:
    paced = LogPace(EVERY_S, lambda: 0.0)
    assert paced.filter(complaint())
    assert paced.filter(complaint(message="something else %s"))
    assert [paced.filter(complaint(logging.INFO)) for _ in range(2)] == [True, True]


@pytest.fixture
def handler() -> Iterator[logging.Handler]:
    """The root's only handler for the time of a test."""
    root, mine = logging.getLogger(), logging.NullHandler()
    before, root.handlers = root.handlers, [mine]
    yield mine
    root.handlers = before


@pytest.mark.parametrize(
    ("name", "held_back"),
    [("aiokafka", True), ("aiokafka.conn", True), ("aiokafkaesque", False), ("services.x", False)],
)
def test_only_the_named_loggers_are_paced(handler: logging.Handler, name: str, held_back: bool) -> None:
    pace("aiokafka")
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, "no broker", (), None)
    assert handler.filter(record)
    assert bool(handler.filter(record)) is not held_back
