"""Each change is waited for: a slow one is in the figures, a lost one is told, nothing else is mixed in."""

from collections.abc import Iterator

from services.demo.latency import MEASURED_GRANT, Latencies
from services.demo.readers import Arrival
from topics.delivery import Delivery, event_time
from topics.event import GrantId, Operation, PolicyNumber, SourcePosition

BEGUN_MS = 1_790_000_000_000


def arrival(
    offset: int, latency_ms: int, committed_ms: int = BEGUN_MS, grant: GrantId = MEASURED_GRANT
) -> Arrival:
    delivery = Delivery(
        f"raw.police.public.person/0/{offset}",
        "/govbus/population.person.v1",
        event_time(committed_ms),
        Operation.UPDATE,
        SourcePosition(1, 1, offset, 0),
        grant,
        1,
        PolicyNumber(1),
    )
    return Arrival("education", "sub.x", {}, {}, delivery, committed_ms + latency_ms)


class Late:
    """Arrivals by the second in which they become readable, and the clock that goes with them."""

    def __init__(self, by_second: dict[int, list[Arrival]]) -> None:
        self.seconds, self._by_second = 0.0, dict(by_second)

    def poll(self) -> Iterator[Arrival]:
        for second in [each for each in self._by_second if each <= self.seconds]:
            yield from self._by_second.pop(second)

    def clock(self) -> float:
        return self.seconds

    def pause(self, _seconds: float) -> None:
        self.seconds += 0.5


def waited(by_second: dict[int, list[Arrival]], expected: int) -> tuple[Latencies, Late]:
    found, late = Latencies(BEGUN_MS, expected=expected), Late(by_second)
    found.await_all(late.poll, 60, late.clock, late.pause)
    return found, late


def test_a_change_that_takes_longer_than_all_others_is_in_the_figures() -> None:
    found, late = waited({0: [arrival(1, 20), arrival(2, 30)], 40: [arrival(3, 40_000)]}, expected=3)
    assert sorted(found.milliseconds) == [20, 30, 40_000]
    assert found.missing == 0
    assert late.seconds < 41, "and nothing is waited for after it"


def test_a_change_that_never_arrives_is_missing_after_the_deadline() -> None:
    found, late = waited({0: [arrival(1, 20)], 70: [arrival(2, 70_000)]}, expected=2)
    assert (found.milliseconds, found.missing) == ((20,), 1)
    assert 60 <= late.seconds < 62


def test_what_was_committed_before_and_what_other_grants_deliver_is_not_measured() -> None:
    earlier = arrival(1, 9_000, committed_ms=BEGUN_MS - 1)
    elsewhere = arrival(2, 5, grant=GrantId("health-persons-gusu"))
    found, _ = waited({0: [earlier, elsewhere, arrival(2, 20), arrival(3, 25), arrival(3, 26)]}, expected=2)
    assert found.milliseconds == (20, 25)
