"""Lists of tasks know what was read of the bus lately: they wait for nothing, and begin one reading each."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.ledger.claims import ClaimView
from services.ledger.quarantine import Quarantined
from services.portal.operations.kept import Kept
from services.portal.operations.lately import FRESH_S, LatelySeen
from tests.unit.portal.test_kept import settled
from topics.event import KafkaRecord, TopicName

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def event(state: str, timestamp_ms: int) -> Quarantined:
    raw = KafkaRecord(TopicName("raw.police.public.person"), 0, timestamp_ms, timestamp_ms, None, None, ())
    return Quarantined("quarantine.police:0:1", raw, "identify", "IDENTITY_MISSING", "", (), 1, state)


class Bus:
    """Counts which provider's quarantine was read."""

    def __init__(self) -> None:
        self.now, self.read = NOW, list[str]()

    def events(self, provider: str) -> list[Quarantined]:
        self.read.append(provider)
        open_ = [event("open", 2_000), event("open", 1_000), event("discarded", 500)]
        return open_ if provider == "police" else []

    def seen(self) -> LatelySeen:
        def told(_key: str, error: Exception) -> None:
            raise error

        quarantine = Kept(self.events, lambda: self.now, 60.0, told)
        return LatelySeen(quarantine, Kept[list[ClaimView]](lambda _: [], lambda: self.now, 60.0, told))


def looked(seen: LatelySeen, providers: Sequence[str], times: int) -> None:
    for _ in range(times):
        seen.stopped(providers)
        for key in list(seen.quarantine._looks):
            settled(seen.quarantine, key)


def test_what_is_open_is_counted_from_the_oldest_on_once_it_was_read() -> None:
    seen = Bus().seen()
    looked(seen, ["police", "market"], 2)
    [(provider, stops)] = seen.stopped(["police", "market"]).items()
    assert (provider, stops.count, stops.since) == ("police", 2, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))


def test_one_reading_begins_at_a_time_and_none_while_everything_is_fresh() -> None:
    bus = Bus()
    seen, providers = bus.seen(), ["police", "market", "tax"]
    looked(seen, providers, 1)
    assert len(bus.read) == 1
    looked(seen, providers, 10)
    assert sorted(bus.read) == sorted(providers)
    bus.now += timedelta(seconds=FRESH_S - 1)
    looked(seen, providers, 3)
    assert len(bus.read) == 3
    bus.now += timedelta(seconds=2)
    looked(seen, providers, 1)
    assert len(bus.read) == 4
    seen.stopped([])
    assert len(bus.read) == 4
