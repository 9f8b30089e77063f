"""A receipt proves what became of one record: offline, and nothing of it can be altered unseen."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from services.control.evidence.stating import (
    Again,
    IndexBehind,
    Indexed,
    Known,
    NothingToProve,
    covering,
    stated,
    with_acquired,
)
from services.control.store.trace.reading import DeliveryFound, SubjectFound
from services.evidence.__main__ import verified
from services.evidence.entries import ACTS, Entry
from services.evidence.faults import Fault, Faulty
from services.evidence.making import NothingSealed
from services.evidence.receipt import FILES, Receipt, opened, sealed
from services.evidence.receipt_making import EVERYTHING, receipt_of
from services.evidence.telling import as_answer, told
from services.evidence.trust import trust_text
from services.evidence.verifying_receipt import ReceiptVerdict, verify_receipt
from tests.support import evidence
from tests.support.evidence import GRANT, NEW, SEGMENTS, START, TOPIC, delivery, entry, log_of, topics_of
from tests.support.evidence import trust_in as trust_of
from tests.unit.cli.called import shape

RESOURCE = "population.person.v1"
CHANGE = 77


def acquired(offset: int, committed: int) -> Entry:
    document = f'{{"{GRANT}/0/health.app":{committed}}}'
    return entry(ACTS, 0, offset, {"id": f"q-{offset}", "what": "grants.acquired", "document": document})


EXTENDED = (
    *SEGMENTS,
    (acquired(6, 40), acquired(8, 41), acquired(10, 90)),
)
"""The sample log, and behind it three acts; the delivery stands at offset 40 of the grant's topic."""
LOG = log_of(EXTENDED)
TRUST = trust_of(LOG, 2)


def known(
    offset: int = 12,
    written_ms: int = START + 2,
    *,
    delivered: bool = True,
    indexed: Indexed = Indexed(),
) -> Known:
    canonical = SubjectFound(
        subject=None,  # type: ignore[arg-type]
        entity=None,  # type: ignore[arg-type]
        change=CHANGE,
        topic=f"resource.{RESOURCE}",
        partition=0,
        offset=offset,
        at_ms=START,
        withdrawn=False,
    )
    row = DeliveryFound(CHANGE, TOPIC, 0, 40, written_ms, 1, 1, delivered)
    return Known(canonical, [row] if written_ms else [], indexed)


def made(
    found: Known | None = None,
    *,
    single: bool = False,
    again: Again | None = None,
    shown: frozenset[str] = EVERYTHING,
) -> bytes:
    one = found or known()
    blocks = list(covering(topics_of(EXTENDED).entries, one.about))
    asked = stated(one, blocks, lambda _block, _grant: again, one.deliveries[0] if single else None)
    asked = with_acquired(asked, topics_of(EXTENDED).entries)
    made_ms = START + evidence.HOUR * 20
    return receipt_of(LOG, topics_of(EXTENDED), [TRUST.witness], asked, made_ms, NEW, shown)


def test_a_delivery_is_proven_with_its_grant_purpose_and_when_it_was_acquired() -> None:
    verdict = verify_receipt(made(single=True), TRUST)
    (one,) = verdict.deliveries
    assert (one.grant, one.consumer, one.purpose) == (GRANT, "health", "vaccination")
    assert (one.outcome, one.at, one.policy_version) == ("delivered", f"{TOPIC}:0:40", 1)
    assert one.block == "ledger.delivery:0:2"
    assert not one.each, "two of the five were withheld, so the block alone does not say which"
    assert one.acquired_ms == START + 8, "committed 41 is past offset 40, and 40 is not"
    assert not verdict.receipt.whole
    assert "acquired by" in told(verdict)
    answer = as_answer(verdict)
    assert answer["receipt"]["deliveries"][0]["at"] == one.at
    assert list(shape("verify").iter_errors(answer)) == []


def test_where_a_block_says_the_same_of_each_record_nothing_hangs_on_the_bus_word() -> None:
    (one,) = verify_receipt(made(known(3, START)), TRUST).deliveries
    assert (one.outcome, one.each) == ("delivered", True)


WITHHELD = Again("withheld", "OUTSIDE_ROWS")
LATER = START + evidence.HOUR


@pytest.mark.parametrize(
    ("again", "indexed"),
    [
        (WITHHELD, Indexed()),
        (None, Indexed(until_ms=LATER)),
        (Again("delivered"), Indexed(until_ms=LATER)),
    ],
    ids=["decided again", "the index is past the block", "the index knows better than another decision"],
)
def test_what_was_withheld_is_proven_with_its_reason(again: Again | None, indexed: Indexed) -> None:
    (one,) = verify_receipt(made(known(12, 0, indexed=indexed), again=again), TRUST).deliveries
    assert (one.outcome, one.reason, one.at, one.acquired_ms) == ("withheld", "OUTSIDE_ROWS", "", None)


@pytest.mark.parametrize("offset", [3, 12], ids=["a block that withheld nothing", "one that withheld others"])
@pytest.mark.parametrize("again", [None, Again("delivered"), Again("withheld", "EXPIRED")])
@pytest.mark.parametrize("until_ms", [None, START + 2])
def test_a_delivery_that_the_index_has_not_yet_is_waited_for_and_never_stated_as_withheld(
    offset: int, again: Again | None, until_ms: int | None
) -> None:
    with pytest.raises(IndexBehind):
        made(known(offset, 0, indexed=Indexed(until_ms)), again=again)


@pytest.mark.parametrize("offset", [3, 12])
def test_a_delivery_that_was_removed_before_it_was_indexed_is_not_waited_for(offset: int) -> None:
    with pytest.raises(NothingToProve, match="removed before it was indexed"):
        made(known(offset, 0, indexed=Indexed(LATER, START + 2)))


def test_what_no_block_decided_is_not_receipted() -> None:
    with pytest.raises(NothingToProve):
        made(known(5_000))


def test_what_is_not_sealed_yet_is_not_receipted() -> None:
    late = (delivery(100, 12, 3),)
    blocks = list(covering(late, known().about))
    asked = stated(known(), blocks, lambda _block, _grant: None)
    with pytest.raises(NothingSealed):
        receipt_of(LOG, topics_of(EXTENDED), [TRUST.witness], asked, START, NEW)


@pytest.mark.parametrize("seed", range(4))
def test_no_byte_of_a_receipt_can_be_altered_unseen(seed: int) -> None:
    content, chance = made(), Random(seed)  # noqa: S311 - the same each time
    for _ in range(400):
        at = chance.randrange(len(content))
        forged = bytearray(content)
        forged[at] ^= 1 << chance.randrange(8)
        with pytest.raises(Faulty):
            verify_receipt(bytes(forged), TRUST)


CHANGES: Mapping[str, tuple[Any, Fault]] = {
    "another grant": ({"grant": "tax-persons"}, Fault.STATEMENT_WRONG),
    "another generation": ({"generation": 2}, Fault.STATEMENT_WRONG),
    "another outcome": ({"outcome": "tombstoned"}, Fault.STATEMENT_WRONG),
    "an outcome that there is not": ({"outcome": "lost"}, Fault.STATEMENT_WRONG),
    "a reason that the block has not": (
        {"outcome": "withheld", "reason": "EXPIRED", "at": "", "acquired": ()},
        Fault.STATEMENT_WRONG,
    ),
    "another consumer's topic": ({"at": f"sub.tax.{RESOURCE}.{GRANT}:0:40"}, Fault.STATEMENT_WRONG),
    "no place": ({"at": ""}, Fault.STATEMENT_WRONG),
    "an offset that was not acquired": ({"at": f"{TOPIC}:0:41"}, Fault.STATEMENT_WRONG),
    "a block that is not proven": ({"block": "ledger.delivery:0:0"}, Fault.PROOF_WRONG),
}


@pytest.mark.parametrize("named", CHANGES)
def test_whoever_has_the_key_cannot_state_what_the_log_does_not_say(named: str) -> None:
    receipt, _, files = opened(made())
    values, fault = CHANGES[named]
    forged = replace(receipt, deliveries=(replace(receipt.deliveries[0], **values),))
    with pytest.raises(Faulty) as found:
        verify_receipt(signed_again(forged, files), TRUST)
    assert found.value.fault is fault


def test_a_whole_receipt_that_leaves_a_grant_out_is_found() -> None:
    receipt, _, files = opened(made())
    with pytest.raises(Faulty) as found:
        verify_receipt(signed_again(replace(receipt, deliveries=()), files), TRUST)
    assert found.value.fault is Fault.STATEMENT_WRONG


def test_another_record_than_the_block_decided_is_found() -> None:
    receipt, _, files = opened(made())
    forged = replace(receipt, about=replace(receipt.about, offset=9))
    with pytest.raises(Faulty) as found:
        verify_receipt(signed_again(forged, files), TRUST)
    assert found.value.fault is Fault.STATEMENT_WRONG


def test_a_proof_of_another_entry_is_found() -> None:
    receipt, _, files = opened(made())
    forged = {**files, "proofs.jsonl": files["proofs.jsonl"].replace(b'"delivered":3', b'"delivered":4')}
    digests = {name: hashlib.sha256(forged[name]).hexdigest() for name in FILES}
    with pytest.raises(Faulty) as found:
        verify_receipt(signed_again(replace(receipt, files=digests), forged), TRUST)
    assert found.value.fault is Fault.PROOF_WRONG


def test_a_receipt_of_another_history_is_no_proof_for_this_witness() -> None:
    other = trust_of(log_of((*EXTENDED[:1], (delivery(2, 10, 5, delivered=4),))), 2)
    with pytest.raises(Faulty) as found:
        verify_receipt(made(), other)
    assert found.value.fault in {Fault.FORKED, Fault.WITNESS_NOT_REACHED}


def test_the_program_tells_receipts_from_bundles_by_themselves(tmp_path: Any) -> None:
    paths = {name: tmp_path / name for name in ("receipt", "trust", "forged")}
    paths["receipt"].write_bytes(made())
    paths["trust"].write_bytes(trust_text(TRUST))
    assert isinstance(verified(paths["receipt"], paths["trust"]), ReceiptVerdict)
    paths["forged"].write_bytes(made()[:-1])
    assert not verified(paths["forged"], paths["trust"]).proven


def signed_again(receipt: Receipt, files: Mapping[str, bytes]) -> bytes:
    return sealed(receipt, files, NEW)
