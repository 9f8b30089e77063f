"""More than ten thousand random ways to tamper with a bundle, and the verifier finds every one."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from services.evidence.faults import Fault
from services.evidence.verifying import verify
from tests.support import tampering as ways
from tests.support.evidence import bundle, log_of, topics_of, trust_in

SEED = 20_261_126
LOG = log_of()
TRUST = trust_in(LOG)
ORIGINAL = bundle(LOG, topics_of(), TRUST)
CHANGES = (
    ways.entry_edited,
    ways.line_deleted,
    ways.line_repeated,
    ways.line_invented,
    ways.lines_swapped,
    ways.policy_edited,
    ways.policy_deleted,
    ways.checkpoint_edited,
    ways.checkpoint_deleted,
    ways.checkpoint_signed_with_the_old_key,
)
BYTES = (ways.flipped, ways.cut_off, ways.with_bytes, ways.without_bytes, ways.with_blocks_swapped)


def kinds() -> Iterator[tuple[str, ways.Tampering, int]]:
    """Each way with its name and how often it is tried."""
    for way in BYTES:
        yield f"bytes {way.__name__}", way, 600
    for change in CHANGES:
        yield f"nobody {change.__name__}", ways.by_nobody(change), 150
        yield f"old key {change.__name__}", ways.by_the_old_key(change), 150
        yield f"insider {change.__name__}", ways.by_an_insider(change), 350
    yield "fork", lambda _, chance: ways.forked(chance), 500
    yield "roll back", lambda _, chance: ways.rolled_back(chance), 250


KINDS = list(kinds())


def test_there_are_more_than_ten_thousand_of_them() -> None:
    assert sum(times for _, _, times in KINDS) >= 10_000


def test_the_original_is_proven() -> None:
    assert verify(ORIGINAL, TRUST).proven


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize(("name", "tamper", "times"), KINDS, ids=[name for name, _, _ in KINDS])
def test_every_tampering_is_found(name: str, tamper: ways.Tampering, times: int) -> None:
    chance = Random(f"{SEED} {name}")  # noqa: S311 - the same each time
    found: Counter[Fault] = Counter()
    for number in range(times):
        content = tamper(ORIGINAL, chance)
        while content == ORIGINAL:
            content = tamper(ORIGINAL, chance)
        verdict = verify(content, TRUST)
        assert verdict.fault is not None, f"{name}, number {number} with seed {SEED}, was not found"
        found[verdict.fault] += 1
    assert found.total() == times


def test_who_can_sign_bundles_is_caught_by_what_was_sealed_and_not_by_his_signature() -> None:
    """The layers below the manifest are not hidden by it: none of these is found by its signature."""
    chance = Random(SEED)  # noqa: S311 - the same each time
    found: Counter[Fault] = Counter()
    for change in CHANGES:
        for _ in range(40):
            content = ways.by_an_insider(change)(ORIGINAL, chance)
            fault = verify(content, TRUST).fault
            assert (fault is None) == (content == ORIGINAL)
            found[fault or Fault.FILE_ALTERED] += content != ORIGINAL
    assert not found[Fault.FILE_ALTERED]
    layers = {
        Fault.ROOT_DIFFERS,
        Fault.ENTRY_MISPLACED,
        Fault.CHECKPOINT_CHAIN,
        Fault.SIGNATURE_WRONG,
        Fault.KEY_NOT_VALID,
        Fault.PROOF_WRONG,
        Fault.POLICY_MISSING,
    }
    assert layers <= set(found)


def test_a_proof_that_leads_to_a_witness_outside_the_range_cannot_be_replaced() -> None:
    """The bundle ends before the witness' checkpoint, or begins after it: only the proof connects both."""
    chance = Random(SEED)  # noqa: S311 - the same each time
    for number in (1, 6):
        trust = trust_in(LOG, number)
        original = bundle(LOG, topics_of(), trust, hours=(2.5, 3.5))
        assert verify(original, trust).proven
        found = set()
        for change in (ways.proof_edited, ways.proof_deleted):
            for _ in range(100):
                found.add(verify(ways.by_an_insider(change)(original, chance), trust).fault)
        assert found >= {Fault.FORKED, Fault.WITNESS_NOT_REACHED}
        assert None not in found
