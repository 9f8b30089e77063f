"""A closed receipt shows of the ledger what its reader may see, and proves that all else is in the log."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from services.control.evidence.stating import IndexBehind, covering, stated
from services.evidence import canonical
from services.evidence.entries import ACTS, DELIVERY, POLICY, Entry
from services.evidence.faults import Fault, Faulty
from services.evidence.making import NothingSealed
from services.evidence.receipt import FILES, PROOFS, Receipt, Terms, opened, sealed
from services.evidence.receipt_making import EVERYTHING, receipt_of
from services.evidence.telling import as_answer, told
from services.evidence.verifying_receipt import verify_receipt
from tests.support.evidence import GRANT, NEW, START, TOPIC, log_of, policy, topics_of
from tests.unit.cli.called import shape
from tests.unit.evidence.test_receipts import EXTENDED, TRUST, known, made

CONSUMER, PROVIDER, NOBODY = frozenset({ACTS}), frozenset({DELIVERY}), frozenset[str]()
ALL = (CONSUMER, PROVIDER, NOBODY, frozenset({ACTS, DELIVERY}), frozenset({POLICY}))


@pytest.mark.parametrize("shown", ALL, ids=sorted)
def test_a_closed_receipt_says_the_same_of_the_record_as_an_open_one(shown: frozenset[str]) -> None:
    (one,) = verify_receipt(made(single=True), TRUST).deliveries
    verdict = verify_receipt(made(single=True, shown=shown), TRUST)
    (closed,) = verdict.deliveries
    assert (closed.block_shown, closed.policy_shown) == (DELIVERY in shown, shown >= {DELIVERY, POLICY})
    assert replace(closed, block_shown=True, policy_shown=True, each=one.each) == one
    assert not verdict.complete
    assert "PROVEN: the entries that it names stand in the log" in told(verdict)
    assert list(shape("verify").iter_errors(as_answer(verdict))) == []


@pytest.mark.parametrize("shown", ALL, ids=sorted)
def test_nothing_of_a_closed_entry_stands_in_the_receipt(shown: frozenset[str]) -> None:
    _, _, files = opened(made(shown=shown))
    tells = {POLICY: b'"document":"{\\"version', DELIVERY: b'"to_offset"', ACTS: b"grants.acquired"}
    assert {topic for topic, text in tells.items() if text in files[PROOFS]} == shown


def test_an_open_receipt_states_nothing_for_whoever_is_not_shown_it() -> None:
    receipt, _, _ = opened(made(shown=EVERYTHING))
    assert not receipt.closed
    assert {each.terms for each in receipt.deliveries} == {None}


def test_only_an_open_receipt_of_the_whole_record_is_complete() -> None:
    assert verify_receipt(made(), TRUST).complete
    assert not verify_receipt(made(single=True), TRUST).complete
    assert not verify_receipt(made(shown=PROVIDER), TRUST).complete


def test_where_the_block_is_shown_it_still_says_of_how_many_records_it_says_so() -> None:
    for offset, each in ((3, True), (12, False)):
        written = START if offset == 3 else START + 2
        found = made(known(offset, written), shown=PROVIDER)
        (one,) = verify_receipt(found, TRUST).deliveries
        assert one.each is each


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shown", [CONSUMER, PROVIDER], ids=sorted)
def test_no_byte_of_a_closed_receipt_can_be_altered_unseen(shown: frozenset[str], seed: int) -> None:
    content, chance = made(shown=shown), Random(seed)  # noqa: S311 - the same each time
    for _ in range(300):
        forged = bytearray(content)
        forged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        with pytest.raises(Faulty):
            verify_receipt(bytes(forged), TRUST)


TERMS = Terms("health", "vaccination", "S1", 1, "policy:0:0", START + 2)
STATEMENTS: Mapping[str, tuple[frozenset[str], dict[str, Any], Fault]] = {
    "a block that is not proven": (CONSUMER, {"block": "ledger.delivery:0:0"}, Fault.PROOF_WRONG),
    "an entry of another kind for a block": (CONSUMER, {"block": "policy:0:0"}, Fault.PROOF_WRONG),
    "a policy that is not proven": (
        CONSUMER,
        {"terms": replace(TERMS, policy="policy:0:2")},
        Fault.PROOF_WRONG,
    ),
    "a policy version that the block does not name": (
        PROVIDER,
        {"terms": replace(TERMS, policy_version=2)},
        Fault.STATEMENT_WRONG,
    ),
    "another time than the block's": (
        PROVIDER,
        {"terms": replace(TERMS, written_ms=START)},
        Fault.STATEMENT_WRONG,
    ),
    "another outcome than the block's": (PROVIDER, {"outcome": "tombstoned"}, Fault.STATEMENT_WRONG),
    "an outcome that there is not": (CONSUMER, {"outcome": "lost"}, Fault.STATEMENT_WRONG),
    "a delivery with a reason": (CONSUMER, {"reason": "EXPIRED"}, Fault.STATEMENT_WRONG),
    "another consumer's topic": (
        CONSUMER,
        {"at": TOPIC.replace("health.", "tax.", 1) + ":0:40"},
        Fault.STATEMENT_WRONG,
    ),
    "a delivery that stands nowhere": (CONSUMER, {"at": "", "acquired": ()}, Fault.STATEMENT_WRONG),
    "an offset that was not acquired": (CONSUMER, {"at": f"{TOPIC}:0:41"}, Fault.STATEMENT_WRONG),
    "an offset behind a closed act": (PROVIDER, {"at": f"{TOPIC}:0:41"}, Fault.STATEMENT_WRONG),
}


@pytest.mark.parametrize("named", STATEMENTS)
def test_whoever_has_the_key_cannot_state_what_the_shown_entries_do_not_say(named: str) -> None:
    shown, values, fault = STATEMENTS[named]
    receipt, _, files = opened(made(single=True, shown=shown))
    forged = replace(receipt, deliveries=(replace(receipt.deliveries[0], **values),))
    with pytest.raises(Faulty) as found:
        verify_receipt(sealed(forged, files, NEW), TRUST)
    assert found.value.fault is fault


def test_a_digest_that_is_not_in_the_log_is_found() -> None:
    receipt, _, files = opened(made(shown=CONSUMER))
    at = files[PROOFS].index(b'"leaf":"') + len(b'"leaf":"')
    other = b"0" if files[PROOFS][at : at + 1] != b"0" else b"1"
    forged = {**files, PROOFS: files[PROOFS][:at] + other + files[PROOFS][at + 1 :]}
    with pytest.raises(Faulty) as found:
        verify_receipt(signed_again(receipt, forged), TRUST)
    assert found.value.fault is Fault.PROOF_WRONG


def test_a_digest_has_its_length_so_that_no_other_split_of_the_proof_passes_for_it() -> None:
    receipt, _, files = opened(made(shown=CONSUMER))
    lines = files[PROOFS].decode().splitlines()
    number = next(
        at for at, line in enumerate(lines) if '"leaf"' in line and json.loads(line)["index"] % 2 == 0
    )
    line = json.loads(lines[number])
    leaf, first = line["leaf"], line["path"][0]
    lines[number] = canonical.encode(
        {**line, "leaf": leaf[:2], "path": [leaf[2:] + first, *line["path"][1:]]}
    ).decode()
    forged = {**files, PROOFS: "".join(f"{each}\n" for each in lines).encode()}
    with pytest.raises(Faulty) as found:
        verify_receipt(signed_again(receipt, forged), TRUST)
    assert found.value.fault is Fault.BUNDLE_MALFORMED


def test_a_place_of_the_log_stands_for_one_entry() -> None:
    receipt, _, files = opened(made(shown=CONSUMER))
    lines = files[PROOFS].splitlines(keepends=True)
    closed = next(line for line in lines if b'"leaf"' in line)
    renamed = closed.replace(b'"at":"policy:0:0"', b'"at":"policy:0:2"')
    forged = {**files, PROOFS: b"".join([*lines, renamed])}
    with pytest.raises(Faulty, match="twice"):
        verify_receipt(signed_again(receipt, forged), TRUST)


@pytest.mark.parametrize("late", ["the block", "the act"])
def test_times_that_no_calendar_knows_are_no_receipt(late: str) -> None:
    receipt, _, files = opened(made(shown=PROVIDER))
    (one,) = receipt.deliveries
    assert one.terms is not None
    forged = {
        "the block": replace(one, terms=replace(one.terms, written_ms=10**18)),
        "the act": replace(one, acquired=tuple(replace(each, seen_ms=10**18) for each in one.acquired)),
    }[late]
    with pytest.raises(Faulty) as found:
        verify_receipt(sealed(replace(receipt, deliveries=(forged,)), files, NEW), TRUST)
    assert found.value.fault is Fault.BUNDLE_MALFORMED


def test_a_receipt_that_claims_to_show_everything_cannot_hold_closed_entries() -> None:
    receipt, _, files = opened(made(shown=CONSUMER))
    open_ = replace(receipt, closed=False, deliveries=opened(made())[0].deliveries)
    with pytest.raises(Faulty) as found:
        verify_receipt(signed_again(open_, files), TRUST)
    assert found.value.fault is Fault.BUNDLE_MALFORMED


def test_a_provider_sees_that_no_grant_which_a_shown_block_counts_is_left_out() -> None:
    receipt, _, files = opened(made(shown=PROVIDER))
    other = replace(receipt.deliveries[0], grant=f"{GRANT}-2")
    with pytest.raises(Faulty) as found:
        verify_receipt(sealed(replace(receipt, deliveries=(other,)), files, NEW), TRUST)
    assert found.value.fault is Fault.STATEMENT_WRONG


def signed_again(receipt: Receipt, files: Mapping[str, bytes]) -> bytes:
    """Signed with the digests of the files as they are now."""
    digests = {name: hashlib.sha256(files[name]).hexdigest() for name in FILES}
    return sealed(replace(receipt, files=digests), files, NEW)


def counting_another(entry: Entry) -> Entry:
    """The same block, which also delivered to another department."""
    value = dict(entry.value or {})
    other = {"grant": "tax-persons", "generation": 1, "delivered": 3, "tombstoned": 0, "withheld": {}}
    return replace(entry, value={**value, "grants": [*value["grants"], other]})


def test_a_delivery_is_stated_without_a_look_at_other_departments_grants() -> None:
    one = known()
    blocks = [counting_another(each) for each in covering(topics_of(EXTENDED).entries, one.about)]
    with pytest.raises(IndexBehind, match="tax-persons"):
        stated(one, blocks, lambda _block, _grant: None)
    asked = stated(one, blocks, lambda _block, _grant: None, one.deliveries[0])
    assert [each.grant for each in asked.deliveries] == [GRANT]


def with_another_group(entry: Entry) -> Entry:
    """The same policy version, with a grant that another fan-out group delivers."""
    document = json.loads((entry.value or {})["document"])
    grant = {**document["grants"][GRANT]["grant"], "id": "tax-persons", "consumer": "tax", "group": "second"}
    document["grants"]["tax-persons"] = {"grant": grant, "generation": 1}
    return replace(entry, value={**(entry.value or {}), "document": json.dumps(document)})


@pytest.mark.parametrize("shown", [EVERYTHING, PROVIDER], ids=["for an auditor", "for the provider"])
def test_a_whole_receipt_waits_for_the_block_of_every_group(shown: frozenset[str]) -> None:
    (first, *others), *rest = EXTENDED
    segments = ((with_another_group(first), *others), *rest)
    one = known()
    asked = stated(one, list(covering(topics_of(segments).entries, one.about)), lambda _block, _grant: None)
    with pytest.raises(NothingSealed, match=r"fanout\.second"):
        receipt_of(log_of(segments), topics_of(segments), [], asked, START, NEW, shown)


def test_what_the_policy_did_not_allow_is_never_stated_of_a_closed_entry() -> None:
    (_, *others), *rest = EXTENDED
    segments = ((policy(1, 0, state="revoked"), *others), *rest)
    one = known()
    asked = stated(one, list(covering(topics_of(segments).entries, one.about)), lambda _block, _grant: None)
    with pytest.raises(Faulty) as found:
        receipt_of(log_of(segments), topics_of(segments), [], asked, START, NEW, CONSUMER)
    assert found.value.fault is Fault.NOT_ALLOWED
