"""A bundle is proven as it was made, offline; each way in which it can be wrong has a name."""

import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from services.evidence.__main__ import main
from services.evidence.bundle import FILES, MANIFEST, Asked, Contents, made
from services.evidence.canonical import NotCanonical
from services.evidence.checkpoints import (
    Checkpoint,
    Sealing,
    frontier_of,
    next_checkpoint,
    signed,
    signed_from,
)
from services.evidence.entries import Entry, entry_text
from services.evidence.faults import Fault, Faulty
from services.evidence.hashing import AlgorithmMissing, tree_hash
from services.evidence.making import LedgerDiffers, NothingSealed
from services.evidence.merkle import leaf_hash
from services.evidence.sealed import Sealed, sealed_from, sealed_text
from services.evidence.signing import ED25519, suite
from services.evidence.telling import as_answer, told
from services.evidence.trust import Holder, Key, Trust, trust_from, trust_text
from services.evidence.verifying import Verdict, verify
from tests.support.evidence import (
    GRANT,
    HOUR,
    KEYS,
    NEW,
    OLD,
    ROTATED,
    SEGMENTS,
    START,
    TOPIC,
    Topics,
    act,
    altered,
    block,
    bundle,
    cut,
    delivery,
    ends_after,
    entry,
    intake,
    log_of,
    policy,
    topics_of,
    trust_in,
)
from tests.unit.cli.called import shape

LOG = log_of()


def verified(
    log: Sequence[Sealed] = LOG, topics: Topics | None = None, trust: Trust | None = None, **asked: Any
) -> Verdict:
    held = trust or trust_in(log)
    return verify(bundle(log, topics or topics_of(), held, **asked), held)


def sealed_as(segments: Sequence[Sequence[Entry]], **asked: Any) -> Verdict:
    """What is sealed and exported honestly, whatever it says."""
    return verified(log_of(segments), topics_of(segments), **asked)


def test_a_range_is_proven_with_what_was_delivered_by_which_policy() -> None:
    found = verified()
    assert (found.fault, found.detail) == (None, "")
    assert found.counts == {"ledger.acts": 2, "ledger.delivery": 5, "ledger.intake": 6, "policy": 1}
    assert (found.first_index, found.entries) == (7, 14)
    lines = {(each.policy_version, each.grant): each for each in found.delivered}
    assert lines[1, GRANT].delivered == 3
    assert lines[2, GRANT].delivered == 10
    assert lines[2, GRANT].purpose == "vaccination"


def test_the_whole_log_is_proven_from_its_beginning() -> None:
    found = verified(hours=(-5, 9))
    assert (found.fault, found.first_index, found.entries) == (None, 0, 21)
    assert sum(each.withheld for each in found.delivered) == 2


@pytest.mark.parametrize("tree", ["sha256", "sm3"])
def test_a_log_keeps_the_hash_that_it_began_with(tree: str) -> None:
    try:
        tree_hash(tree)
    except AlgorithmMissing:
        pytest.skip("OpenSSL of this machine has no SM3")
    log = log_of(tree=tree)
    assert {each.signed.checkpoint.tree for each in log} == {tree}
    assert verified(log).proven


@pytest.mark.parametrize("number", range(1, 7))
def test_a_witness_before_in_or_after_the_range_is_reached(number: int) -> None:
    assert verified(trust=trust_in(LOG, number), hours=(2.5, 3.5)).proven


def test_a_witness_that_the_bundle_was_not_made_for_is_not_reached() -> None:
    made_for = trust_in(LOG, 4)
    content = bundle(LOG, topics_of(), made_for, hours=(1.5, 2.5))
    assert verify(content, made_for).proven
    assert verify(content, trust_in(LOG, 6)).fault is Fault.WITNESS_NOT_REACHED


def test_a_log_that_was_rolled_back_does_not_reach_the_witness() -> None:
    shorter = LOG[:4]
    assert verified(shorter, trust=trust_in(LOG)).fault is Fault.WITNESS_NOT_REACHED


def test_a_log_that_was_rolled_back_and_went_on_is_a_fork() -> None:
    forked = log_of([*SEGMENTS[:4], (act(4), intake(10, 23, 1)), (act(6),), (act(8),)])
    topics = topics_of([*SEGMENTS[:4], (act(4), intake(10, 23, 1)), (act(6),), (act(8),)])
    assert verified(forked, topics, trust_in(LOG)).fault is Fault.FORKED


def test_another_log_is_no_part_of_this_one() -> None:
    stranger = Sealing.by(ED25519, suite(ED25519).signer(b"s" * 32))
    trust = replace(trust_in(LOG), log=stranger.key)
    assert verify(bundle(LOG, topics_of(), trust_in(LOG)), trust).fault is Fault.OTHER_LOG


def test_a_key_counts_in_its_time_only() -> None:
    content = bundle(LOG, topics_of(), trust_in(LOG))
    without = replace(trust_in(LOG), keys=(KEYS[1],))
    assert verify(content, without).fault is Fault.KEY_UNKNOWN
    ended = replace(trust_in(LOG), keys=(replace(KEYS[0], to_ms=START + HOUR), KEYS[1]))
    assert verify(content, ended).fault is Fault.KEY_NOT_VALID
    late = bundle(LOG, topics_of(), trust_in(LOG), sealing=OLD)
    assert verify(late, trust_in(LOG)).fault is Fault.KEY_NOT_VALID


def test_a_suite_that_is_not_there_is_named() -> None:
    missing = Key("sm2", b"p" * 64, 0)
    trust = replace(trust_in(LOG), keys=(*KEYS, missing))
    found = verified(trust=trust, sealing=Sealing(missing.id, NEW.signer))
    assert (found.fault, "sm2" in found.detail) == (Fault.ALGORITHM_MISSING, True)
    with pytest.raises(AlgorithmMissing, match=r"govbus\.signatures"):
        suite("sm2")


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ((delivery(14, 28, 1, version=3),), Fault.POLICY_MISSING),
        ((delivery(14, 29, 1, version=2),), Fault.CHAIN_BROKEN),
        ((intake(16, 34, 1),), Fault.CHAIN_BROKEN),
        ((entry("ledger.acts", 0, 6, None),), Fault.ENTRY_UNREADABLE),
        ((entry("ledger.intake", 0, 16, {"group": "gate"}),), Fault.ENTRY_UNREADABLE),
        ((policy(3, 4, "suspended"), delivery(14, 28, 1, version=3)), Fault.NOT_ALLOWED),
        ((policy(3, 4, "filling"), delivery(14, 28, 1, version=3)), Fault.NOT_ALLOWED),
        ((policy(3, 4, generation=2), delivery(14, 28, 1, version=3)), Fault.NOT_ALLOWED),
        ((altered(delivery(14, 28, 1, version=2), outputs=[]),), Fault.NOT_ALLOWED),
        (
            (
                altered(
                    delivery(14, 28, 1, version=2),
                    outputs=[{"topic": "sub.tax.x.y.v1.other", "partition": 0, "records": 1, "digest": ""}],
                ),
            ),
            Fault.NOT_ALLOWED,
        ),
    ],
)
def test_what_was_sealed_honestly_can_still_say_that_something_was_wrong(
    wrong: tuple[Entry, ...], fault: Fault
) -> None:
    # A bundle is made of what stands there: a version that the log does not hold has no proof.
    assert sealed_as([*SEGMENTS, wrong]).fault is fault


def test_a_file_that_was_changed_after_the_bundle_was_made_is_named() -> None:
    content = bundle(LOG, topics_of(), trust_in(LOG))
    found = verify(content.replace(b'"delivered":', b'"delivereb":', 1), trust_in(LOG))
    assert (found.fault, found.where) == (Fault.FILE_ALTERED, "entries.jsonl")


def test_entries_that_were_sealed_in_another_order_are_not_the_log() -> None:
    """The order between two checkpoints is fixed: whoever seals cannot choose another one."""
    last, entries = LOG[-1].signed, [act(6), intake(16, 35, 1)]
    frontier = frontier_of(last.checkpoint)
    leaves = [leaf_hash(frontier.hashed, entry_text(entry)) for entry in reversed(entries)]
    for leaf in leaves:
        frontier.append(leaf)
    ends = {**last.checkpoint.ends, **ends_after(entries)}
    turned = next_checkpoint(last, frontier, ends, START + 6 * HOUR, NEW)
    contents = Contents([last, turned], [], [], [entry_text(entry) for entry in reversed(entries)])
    content = made(contents, Asked(START + 5 * HOUR, START + 6 * HOUR, 6, START + 7 * HOUR), NEW)
    found = verify(content, replace(trust_in(LOG), witness=turned))
    assert (found.fault, "order" in found.detail) == (Fault.ENTRY_MISPLACED, True)


@pytest.mark.parametrize(("whole", "fault"), [(True, None), (False, Fault.RANGE_NOT_COVERED)])
def test_a_bundle_that_ends_where_more_was_waiting_covers_nothing(whole: bool, fault: Fault | None) -> None:
    last = LOG[-1].signed
    turned = next_checkpoint(last, frontier_of(last.checkpoint), {}, START + 6 * HOUR, NEW, whole=whole)
    turned = signed(replace(turned.checkpoint, ends=last.checkpoint.ends), NEW.signer)
    content = made(
        Contents([last, turned], [], [], []),
        Asked(START + 5 * HOUR, START + 6 * HOUR, 6, START + 7 * HOUR),
        NEW,
    )
    assert verify(content, replace(trust_in(LOG), witness=turned)).fault is fault


@pytest.mark.parametrize("said", [b'"whole":true', b'"whole":0', b'"whole":null'])
def test_that_a_checkpoint_is_whole_is_written_in_one_way_only(said: bytes) -> None:
    part = signed(replace(LOG[0].signed.checkpoint, whole=False), OLD.signer)
    assert signed_from(part.text()) == part
    with pytest.raises(NotCanonical):
        signed_from(part.text().replace(b'"whole":false', said))


def test_copiers_and_catch_ups_begin_where_they_begin() -> None:
    copied = block("copier.health-persons.2", "resource.population.person.v1", 5, 0, 2)
    further = block("copier.health-persons.2", "resource.population.person.v1", 0, 9, 2)
    late = block("fanout.default.catch-up", "resource.population.person.v1", 7, 2, 2)
    entries = [
        entry("ledger.delivery", 0, 14 + 2 * at, one) for at, one in enumerate([copied, further, late])
    ]
    assert sealed_as([*SEGMENTS, entries]).proven


def test_a_bundle_is_a_tar_archive_that_anybody_can_open() -> None:
    content = bundle(LOG, topics_of(), trust_in(LOG))
    with tarfile.open(fileobj=BytesIO(content)) as archive:
        assert archive.getnames() == [MANIFEST, *FILES]
        opened = archive.extractfile("entries.jsonl")
        assert opened is not None
        assert len(opened.read().splitlines()) == 14


def test_the_same_range_is_the_same_bytes() -> None:
    assert bundle(LOG, topics_of(), trust_in(LOG)) == bundle(log_of(), topics_of(), trust_in(log_of()))


def test_topics_that_are_not_what_was_sealed_are_not_exported() -> None:
    segments = [list(each) for each in SEGMENTS]
    segments[3][0] = altered(segments[3][0], who="nobody")
    with pytest.raises(LedgerDiffers, match=r"ledger\.acts:0:2 is not what checkpoint 4 sealed"):
        bundle(LOG, topics_of(segments), trust_in(LOG))
    with pytest.raises(LedgerDiffers, match="sealed"):
        bundle(LOG, topics_of([*SEGMENTS[:3], SEGMENTS[3][1:], *SEGMENTS[4:]]), trust_in(LOG))
    with pytest.raises(LedgerDiffers, match="do not lead to the root"):
        bundle([*LOG[:5], replace(LOG[5], leaves=LOG[5].leaves[1:])], topics_of(), trust_in(LOG))


def test_a_time_that_no_checkpoint_follows_cannot_be_proven() -> None:
    with pytest.raises(NothingSealed, match="since the beginning"):
        bundle(LOG, topics_of(), trust_in(LOG), hours=(7, 8))


def test_policy_versions_come_with_their_proofs_though_they_are_older_than_the_range() -> None:
    found = verified(hours=(3.5, 3.6))
    assert {each.policy_version for each in found.delivered} == {2}
    assert found.proven


def test_a_range_that_goes_on_behind_the_last_checkpoint_ends_with_it() -> None:
    manifest = verified(hours=(1.5, 9)).manifest
    assert manifest is not None
    assert (manifest.from_ms, manifest.to_ms) == (START + int(1.5 * HOUR), START + 5 * HOUR)


def test_a_checkpoint_and_its_leaves_are_read_back_as_they_were_kept() -> None:
    assert [sealed_from(sealed_text(each)) for each in LOG] == LOG


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, number=one.number + 1),
        lambda one: replace(one, time_ms=one.time_ms - 3 * HOUR),
        lambda one: replace(one, previous="0" * 64),
    ],
)
def test_a_checkpoint_that_does_not_follow_is_named_though_it_is_signed(
    change: Callable[[Checkpoint], Checkpoint],
) -> None:
    forged = replace(LOG[4], signed=signed(change(LOG[4].signed.checkpoint), NEW.signer))
    log = [*LOG[:4], forged, LOG[5]]
    found = verified(log, trust=trust_in(LOG, 4))
    assert found.fault in {Fault.CHECKPOINT_CHAIN, Fault.KEY_NOT_VALID}


def test_a_trust_file_is_read_back_as_it_was_written_and_refused_where_it_is_none() -> None:
    trust = trust_in(LOG)
    assert trust_from(trust_text(trust)) == trust
    assert trust.key(OLD.key) == Key(ED25519, OLD.signer.public, 0, ROTATED)


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (Holder.OUTSIDE, "held outside the bus"),
        (Holder.LOG, "nobody outside the bus holds it"),
        (None, "does not say who holds it"),
    ],
)
def test_the_verifier_says_whose_the_checkpoint_is_that_it_was_held_against(
    holder: Holder | None, said: str
) -> None:
    trust = replace(trust_in(LOG), holder=holder)
    assert trust_from(trust_text(trust)) == trust
    found = verified(trust=trust_from(trust_text(trust)))
    assert said in told(found)
    assert as_answer(found)["holder"] == holder
    assert list(shape("verify").iter_errors(as_answer(found))) == []


def test_a_trust_file_that_names_another_holder_is_none() -> None:
    text = trust_text(replace(trust_in(LOG), holder=Holder.LOG))
    with pytest.raises(Faulty):
        trust_from(text.replace(b'"holder":"log"', b'"holder":"somebody"'))


def test_the_program_needs_nothing_of_the_bus_and_answers_by_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle_file, trust_file = tmp_path / "b.tar", tmp_path / "trust.json"
    bundle_file.write_bytes(bundle(LOG, topics_of(), trust_in(LOG)))
    trust_file.write_bytes(trust_text(trust_in(LOG)))
    assert main([str(bundle_file), "--trust", str(trust_file)]) == 0
    assert "PROVEN" in capsys.readouterr().out
    bundle_file.write_bytes(bundle_file.read_bytes()[:-1])
    assert main([str(bundle_file), "--trust", str(trust_file), "--json"]) == 1
    assert '"BUNDLE_MALFORMED"' in capsys.readouterr().out
    assert main([str(bundle_file), "--trust", str(bundle_file)]) == 1
    assert "TRUST_MALFORMED" in capsys.readouterr().out
    assert main([str(tmp_path / "none"), "--trust", str(trust_file)]) == 2


def test_the_verifier_loads_neither_the_bus_nor_a_database_nor_the_network() -> None:
    heavy = (
        "confluent_kafka",
        "psycopg2",
        "sqlalchemy",
        "requests",
        "pydantic",
        "fastavro",
        "topics",
        "schemas",
    )
    code = f"import sys, services.evidence.__main__; print([n for n in {heavy} if n in sys.modules])"
    root = Path(__file__).parents[3]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def redelivered(offset: int, replay: int, group: str = "copier.replay.7", version: int = 2) -> Entry:
    """The block of a redelivery that wrote one record to the separate topic of that replay."""
    outputs = [{"topic": f"{TOPIC}.replay.{replay}", "partition": 0, "records": 1, "digest": ""}]
    one = delivery(offset, 0, 1, version=version)
    return altered(one, group=group, to_offset=0, records=0, outputs=outputs)


@pytest.mark.parametrize(
    ("entry_", "fault"),
    [
        (redelivered(14, 7), None),
        (redelivered(14, 8), Fault.NOT_ALLOWED),
        (redelivered(14, 7, group="fanout.other"), Fault.NOT_ALLOWED),
        (redelivered(14, 7, version=1), Fault.AFTER_CUT),
    ],
    ids=["its own", "that of another replay", "by a fan-out", "by a policy that was cut"],
)
def test_a_redelivery_may_write_to_its_own_topic_beside_the_grants_and_no_other(
    entry_: Entry, fault: Fault | None
) -> None:
    begin = (policy(1, 0), policy(2, 2), delivery(0, 0, 10))
    sealed = sealed_as([begin, (cut(4, 2), entry_)], hours=(-5, 9))
    assert sealed.fault is fault, sealed.detail


@pytest.mark.requirement("A8-05")
@pytest.mark.parametrize(("at", "version", "fault"), [(2, 1, None), (6, 1, Fault.AFTER_CUT), (6, 2, None)])
def test_nothing_goes_out_under_an_older_policy_once_the_ledger_has_its_cut(
    at: int, version: int, fault: Fault | None
) -> None:
    begin = (policy(1, 0), policy(2, 2), delivery(0, 0, 10))
    sealed = sealed_as([begin, (cut(4, 2), delivery(at, 10, 5, version=version))], hours=(-5, 9))
    assert sealed.fault is fault, sealed.detail
    assert fault is None or "had cut it" in sealed.detail


def test_an_act_that_cuts_something_and_cannot_be_read_is_no_evidence() -> None:
    broken = cut(4, 2)
    broken = replace(broken, value={**(broken.value or {}), "document": "[]"})
    assert sealed_as([(policy(1, 0),), (broken,)], hours=(-5, 9)).fault is Fault.ENTRY_UNREADABLE
