"""What the real gate and fan-out wrote is sealed, exported and proven, up to the topics' stable ends."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from services.control.evidence.keys import EvidenceKeys
from services.control.evidence.ledger_log import LedgerLog
from services.control.evidence.sealer import Sealer
from services.evidence.entries import DELIVERY, INTAKE, POLICY, Entry, Place
from services.evidence.faults import Fault
from services.evidence.making import LedgerDiffers, Span, bundle_of
from services.evidence.sealed import Sealed
from services.evidence.trust import Trust
from services.evidence.verifying import Verdict, verify
from services.ledger.counts import Place as TopicPlace
from services.stack.secret_files import SecretFiles
from tests.support.memory_bus import MemoryCity
from tests.unit.ledger.test_city import ENROLMENT, person
from topics.event import TopicName

NOW = 1_790_000_000_000


class Kept:
    """Checkpoints in memory."""

    def __init__(self) -> None:
        self.log: list[Sealed] = []

    def last(self) -> Sealed | None:
        return self.log[-1] if self.log else None

    def append(self, sealed: Sealed) -> None:
        self.log.append(sealed)


class Bench:
    """A city, its log, and an auditor."""

    def __init__(self, folder: Path) -> None:
        secrets = SecretFiles(folder)
        secrets.ensure(["evidence-v1"])
        self.keys, self.kept, self.city = EvidenceKeys(secrets), Kept(), MemoryCity()

    @property
    def log(self) -> LedgerLog:
        lookup = self.city.lookup
        return LedgerLog(lookup.reader, lookup.decoder)

    def seal(self, limit: int = 1000) -> None:
        sealer = Sealer(self.kept, self.log, self.keys, (), lambda: NOW, 1, "sha256", limit)
        while sealer.turn():
            pass

    def verified(self) -> Verdict:
        log = self.kept.log
        trust = Trust(log[0].signed.checkpoint.log, self.keys.public(), log[-1].signed)
        made = bundle_of(log, self.log, [trust.witness], Span(0, NOW), NOW, self.keys.sealing(NOW))
        return verify(made, trust)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    found = Bench(tmp_path)
    found.city.change("c", after=person())
    found.city.change("c", after=ENROLMENT, enrolment=True)
    found.city.change("u", before=person(), after=person(household_district="320505"))
    found.city.pump()
    return found


def places(entries: Sequence[Entry]) -> set[str]:
    return {entry.topic for entry in entries}


def test_what_the_real_processors_wrote_is_proven(bench: Bench) -> None:
    bench.seal()
    found = bench.verified()
    assert (found.fault, found.detail) == (None, "")
    assert {INTAKE, DELIVERY, POLICY} <= set(found.counts)
    assert sum(each.delivered for each in found.delivered) > 0
    assert all(each.consumer and each.purpose and each.legal_basis for each in found.delivered)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_in_whatever_portions_it_is_sealed_everything_is_in_the_log_once(bench: Bench, limit: int) -> None:
    bench.seal(limit)
    assert len(bench.kept.log) > 1
    found = bench.verified()
    assert found.fault is None
    everything = bench.log.since({}, 10**9)
    assert found.entries == len(everything.entries) == bench.kept.log[-1].size


def test_a_policy_version_stands_before_the_blocks_that_were_decided_under_it(bench: Bench) -> None:
    read = bench.log.since({}, 1)
    assert places(read.entries) == {POLICY}
    assert not read.whole


def test_a_record_of_the_ledger_that_nobody_can_read_is_in_the_log_and_named(bench: Bench) -> None:
    bench.city.memory.add(INTAKE, 0, None, b"no block")
    bench.seal()
    found = bench.verified()
    assert found.fault is Fault.ENTRY_UNREADABLE
    assert found.where.startswith("ledger.intake:0:")


def test_a_topic_that_is_shorter_than_what_was_sealed_of_it_is_a_finding(bench: Bench) -> None:
    bench.seal()
    sealed = dict(bench.kept.log[-1].ends)
    place = next(place for place in sealed if place.topic == INTAKE and sealed[place])
    with pytest.raises(LedgerDiffers, match="cut off or made anew"):
        bench.log.since({place: sealed[place] + 1}, 1000)


def test_a_changed_record_is_found_when_it_is_exported(bench: Bench) -> None:
    bench.seal()
    place = next(Place(*each) for each in bench.city.memory.records if each.topic == DELIVERY)
    records = bench.city.memory.records[TopicPlace(TopicName(place.topic), place.partition)]
    records[0] = replace(records[0], value=records[0].value and records[0].value[:-1] + b"\x02")
    with pytest.raises(LedgerDiffers, match="is not what checkpoint"):
        bench.verified()
