"""Nothing is withdrawn that the source has: what a scan did not bring is asked for before it goes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from services.control.epochs.bus import EpochBus
from services.control.epochs.errors import RowsMissed, StartAgain
from services.control.epochs.scanning import CanonicalScan, RawScan
from services.control.epochs.sweeping import Sweeper
from services.control.epochs.volume import Old, Origin, Verdict, short
from topics.event import OutputRecord, RecordId, ResourceId, TopicName

GONE, MISSED, RENUMBERED = (
    Old(f"key {row}".encode(), RecordId(str(row)), Origin(0, row, 1, row)) for row in range(3)
)
NOTHING = Verdict(3, ())


@dataclass
class Resource:
    id: ResourceId


@dataclass
class Bus:
    """A source that has some rows, or does not answer, and a raw topic."""

    rows: set[str] | None
    resource: Resource = field(default_factory=lambda: Resource(ResourceId("population.person.v1")))
    raw: TopicName = field(default_factory=lambda: TopicName("raw.police.public.person"))
    appended: list[OutputRecord] = field(default_factory=list)
    asked: list[RecordId] = field(default_factory=list)

    def present(self, records: Collection[RecordId]) -> int | None:
        self.asked += records
        return None if self.rows is None else len(self.rows & set(records))

    def raw_key(self, _partition: int, offset: int) -> bytes:
        return f"raw {offset}".encode()

    def append(self, records: Sequence[OutputRecord]) -> None:
        self.appended += records


@dataclass
class Raw:
    """What came since the epoch began."""

    keys: set[bytes] = field(default_factory=set)
    announced: Mapping[bytes, int] = field(
        default_factory=lambda: {short(f"raw {row}".encode()): 90 + row for row in range(3)}
    )

    def advance(self) -> None:
        """Nothing more comes."""

    def has_seen(self, key: bytes) -> bool:
        return key in self.keys


@dataclass
class Standing:
    """What is left unseen at each look."""

    looks: Iterator[Verdict]

    def advance(self) -> None:
        """The next look says it."""

    def judged(self, _raw: Any, _where: Any) -> Verdict:
        return next(self.looks)

    def position_of(self, _partition: int) -> tuple[int, int]:
        return 1, 50


def sweeper(bus: Bus, raw: Raw, *looks: Verdict) -> Sweeper:
    return Sweeper(
        cast(EpochBus, bus),
        cast(RawScan, raw),
        cast(CanonicalScan, Standing(iter(looks))),
        None,
        lambda _raw: None,
    )


def test_what_the_source_does_not_have_is_withdrawn() -> None:
    bus, found = Bus(set()), Verdict(3, (GONE,))
    assert sweeper(bus, Raw(), found, NOTHING).sweep(found) == 1
    assert len(bus.appended) == 2, "announced, and withdrawn"


def test_a_row_that_the_scan_missed_stops_the_sweep_and_nothing_is_withdrawn() -> None:
    bus, found = Bus({"1"}), Verdict(3, (GONE, MISSED))
    with pytest.raises(RowsMissed, match="1 rows"):
        sweeper(bus, Raw(), found).sweep(found)
    assert bus.appended == []


def test_a_row_that_comes_while_it_is_asked_for_is_not_missed() -> None:
    bus, found = Bus({"1"}), Verdict(3, (GONE, MISSED))
    left = Verdict(3, (GONE,))
    assert sweeper(bus, Raw(), left, left, NOTHING).sweep(found) == 2
    assert bus.appended


def test_the_older_key_of_a_row_that_came_under_another_identity_goes_unasked() -> None:
    bus, found = Bus({"2"}), Verdict(3, (RENUMBERED,))
    assert sweeper(bus, Raw({b"raw 2"}), found, NOTHING).sweep(found) == 1
    assert bus.asked == []


def test_a_source_that_does_not_answer_lets_nothing_go() -> None:
    bus, found = Bus(None), Verdict(3, (GONE,))
    with pytest.raises(StartAgain, match="does not say"):
        sweeper(bus, Raw(), found).sweep(found)
    assert bus.appended == []
