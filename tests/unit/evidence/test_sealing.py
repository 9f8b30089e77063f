"""The ledger is sealed bit by bit, each checkpoint after the one before; witnesses hold what was sealed."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from services.control.evidence.keys import EvidenceKeys
from services.control.evidence.ledger_log import Read
from services.control.evidence.on_stack import trust_of, trust_path, witnesses_of
from services.control.evidence.sealer import Sealer
from services.control.evidence.settings import EvidenceSettings
from services.control.evidence.witnesses import FileWitness, HttpWitness, WitnessDisagrees, WitnessSilent
from services.evidence.checkpoints import Sealing, signed_from
from services.evidence.entries import Entry, Place
from services.evidence.hashing import AlgorithmMissing
from services.evidence.making import LedgerDiffers, NothingSealed, Span, bundle_of
from services.evidence.sealed import Sealed, grown, in_order_of_log
from services.evidence.signing import Signer, suite
from services.evidence.trust import Holder, Key, Trust
from services.evidence.verifying import verify
from services.stack.api import Stack
from services.stack.errors import CorrectSetting
from services.stack.secret_files import SecretFiles
from services.stack.settings import StackSettings
from tests.support.evidence import HOUR, OLD, SEGMENTS, START, Topics, act, ends_after, log_of, topics_of


@dataclass
class Kept:
    """Where checkpoints are kept in these tests."""

    log: list[Sealed] = field(default_factory=list)

    def last(self) -> Sealed | None:
        return self.log[-1] if self.log else None

    def append(self, sealed: Sealed) -> None:
        self.log.append(sealed)


@dataclass
class Growing:
    """Topics to which the tests append, read in bounded portions."""

    entries: list[Entry] = field(default_factory=list)

    def since(self, ends: Mapping[Place, int], limit: int) -> Read:
        new = [each for each in self.entries if each.offset >= ends.get(each.place, 0)]
        some = new[:limit]
        return Read(tuple(some), ends_after(some), len(some) == len(new))


@dataclass
class Bench:
    """A sealer and all it works with."""

    folder: Path
    kept: Kept = field(default_factory=Kept)
    topics: Growing = field(default_factory=Growing)
    now_ms: int = START

    def __post_init__(self) -> None:
        secrets = SecretFiles(self.folder)
        secrets.ensure(["evidence-v1"])
        self.keys = EvidenceKeys(secrets)
        self.witness = FileWitness(self.folder / "witness.jsonl")

    def sealer(self, limit: int = 1000) -> Sealer:
        return Sealer(
            self.kept, self.topics, self.keys, [self.witness], lambda: self.now_ms, HOUR, "sha256", limit
        )

    def trust(self) -> Trust:
        held = self.witness.held()
        assert held is not None
        return Trust(held.checkpoint.log, self.keys.public(), held)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_what_is_sealed_in_portions_is_one_log_that_is_proven(bench: Bench) -> None:
    bench.topics.entries = list(topics_of().entries)
    sealer = bench.sealer(limit=4)
    turns = 1
    while sealer.turn():
        turns += 1
        bench.now_ms += 1000
    assert (turns, len(bench.kept.log)) == (6, 6)
    assert bench.kept.log[-1].size == len(bench.topics.entries)
    topics = Topics(bench.topics.entries)
    span = Span(START, bench.now_ms)
    made = bundle_of(bench.kept.log, topics, [], span, bench.now_ms, bench.keys.sealing(bench.now_ms))
    assert verify(made, bench.trust()).fault is None


def test_a_stretch_inside_an_outage_is_proven_with_every_block_though_it_was_sealed_in_portions(
    bench: Bench,
) -> None:
    bench.sealer().seal_all()
    bench.topics.entries = in_order_of_log(topics_of().entries)
    bench.now_ms += 20 * HOUR
    sealer = bench.sealer(limit=8)
    assert sealer.turn()
    topics, span = Topics(bench.topics.entries), Span(START + HOUR, START + 2 * HOUR)
    sealing = bench.keys.sealing(bench.now_ms)
    with pytest.raises(NothingSealed, match="a part is sealed only"):
        bundle_of(bench.kept.log, topics, [], span, bench.now_ms, sealing)
    while sealer.turn():
        pass
    found = verify(bundle_of(bench.kept.log, topics, [], span, bench.now_ms, sealing), bench.trust())
    assert (found.fault, found.counts) == (None, dict(Counter(sorted(e.topic for e in topics.entries))))


def test_where_nothing_is_new_nothing_is_sealed_until_it_is_time_to_say_so(bench: Bench) -> None:
    bench.topics.entries = list(SEGMENTS[0])
    sealer = bench.sealer()
    assert not sealer.turn()
    assert not sealer.turn()
    assert [each.number for each in bench.kept.log] == [1]
    bench.now_ms += HOUR
    sealer.turn()
    assert [(each.number, each.leaves) for each in bench.kept.log[1:]] == [(2, ())]
    assert bench.kept.log[1].signed.checkpoint.root == bench.kept.log[0].signed.checkpoint.root


def test_before_the_first_record_there_is_nothing_to_seal(bench: Bench) -> None:
    assert not bench.sealer().turn()
    assert bench.kept.log == []


def test_a_checkpoint_that_is_asked_for_is_made_though_nothing_is_new(bench: Bench) -> None:
    bench.topics.entries = list(SEGMENTS[0])
    sealer = bench.sealer()
    assert sealer.seal_all().number == 1
    assert sealer.seal_all().number == 2


def test_a_clock_that_goes_back_does_not_take_the_log_with_it(bench: Bench) -> None:
    bench.topics.entries = list(SEGMENTS[0])
    sealer = bench.sealer()
    sealer.turn()
    bench.now_ms -= HOUR
    sealer.seal_all()
    assert bench.kept.log[1].signed.checkpoint.time_ms == START


def test_a_last_checkpoint_that_somebody_else_signed_is_not_continued(bench: Bench) -> None:
    bench.kept.log = log_of(SEGMENTS[:1])
    with pytest.raises(LedgerDiffers, match="not signed by a key that this bus had"):
        bench.sealer().turn()
    assert len(bench.kept.log) == 1


def test_a_rotated_key_signs_what_comes_after_it_and_the_log_goes_on(bench: Bench) -> None:
    bench.topics.entries = list(SEGMENTS[0])
    bench.sealer().turn()
    first = bench.kept.log[0].signed.checkpoint
    bench.now_ms += HOUR
    key = bench.keys.rotate(bench.now_ms)
    bench.topics.entries += SEGMENTS[1]
    bench.sealer().turn()
    second = bench.kept.log[1].signed.checkpoint
    assert (second.key, second.log, first.log) == (key.id, first.key, first.key)
    old, new = bench.keys.public()
    assert (old.from_ms, old.to_ms, new.from_ms, new.to_ms) == (0, START + HOUR, START + HOUR, None)
    with pytest.raises(AlgorithmMissing):
        bench.keys.rotate(bench.now_ms + 1, "sm2")
    with pytest.raises(ValueError, match="clock"):
        bench.keys.rotate(START)
    assert bench.keys.public() == (old, new)


def test_the_witness_holds_each_newest_checkpoint_and_nothing_twice(bench: Bench) -> None:
    bench.topics.entries = list(SEGMENTS[0])
    sealer = bench.sealer()
    for _ in range(3):
        sealer.turn()
    bench.topics.entries += SEGMENTS[1]
    sealer.turn()
    lines = bench.witness.path.read_bytes().splitlines()
    assert [signed_from(line) for line in lines] == [each.signed for each in bench.kept.log]


def test_a_line_that_an_append_left_unfinished_is_no_checkpoint(bench: Bench) -> None:
    log = log_of()
    bench.witness.tell(log[0].signed)
    with bench.witness.path.open("ab") as file:
        file.write(log[1].signed.text()[:50])
    assert bench.witness.held() == log[0].signed
    bench.witness.tell(log[1].signed)
    assert bench.witness.held() == log[1].signed


def test_a_witness_sees_that_the_log_was_rolled_back_or_rewritten(bench: Bench) -> None:
    log = log_of()
    bench.witness.tell(log[3].signed)
    with pytest.raises(WitnessDisagrees, match="restored or rewritten"):
        bench.witness.tell(log[2].signed)
    rewritten = log_of([*SEGMENTS[:3], (act(2),)])
    with pytest.raises(WitnessDisagrees, match="checkpoint 4"):
        bench.witness.tell(rewritten[3].signed)
    bench.witness.path.write_bytes(b"something\n")
    with pytest.raises(WitnessDisagrees, match="no checkpoint"):
        bench.witness.tell(log[4].signed)


def test_a_witness_that_cannot_be_told_is_named_and_the_ledger_stays_sealed(bench: Bench) -> None:
    bench.topics.entries = list(SEGMENTS[0])
    bench.witness = FileWitness(bench.folder / "nowhere" / "witness.jsonl")
    with pytest.raises(WitnessSilent, match="nowhere"):
        bench.sealer().turn()
    assert [each.number for each in bench.kept.log] == [1]


class Posted:
    """What an endpoint got, and what it answers."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.status = 200
        self.url = ""


@contextmanager
def endpoint() -> Iterator[Posted]:
    posted = Posted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(posted.status)
            self.send_header("location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        posted.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield posted
        finally:
            server.shutdown()
            thread.join()


def test_an_endpoint_is_posted_each_checkpoint_until_it_takes_it() -> None:
    first, second = (each.signed for each in log_of()[:2])
    with endpoint() as posted:
        witness = HttpWitness(posted.url)
        try:
            for status in (500, 302):
                posted.status = status
                with pytest.raises(WitnessSilent, match=str(status)):
                    witness.tell(first)
            posted.status = 409
            with pytest.raises(WitnessDisagrees, match="refuses checkpoint 1"):
                witness.tell(first)
            posted.status = 204
            for one in (first, first, second):
                witness.tell(one)
        finally:
            witness.session.close()
    assert [json.loads(body)["checkpoint"]["number"] for body in posted.bodies] == [1, 1, 1, 1, 2]


def test_an_endpoint_that_is_not_there_is_silent() -> None:
    with endpoint() as posted:
        pass
    witness = HttpWitness(posted.url, timeout_s=1)
    with pytest.raises(WitnessSilent):
        witness.tell(log_of()[0].signed)
    witness.session.close()


def test_a_witness_inside_the_bus_is_refused(tmp_path: Path) -> None:
    stack = Stack(StackSettings(home=tmp_path / "home", cache=tmp_path))
    inside = EvidenceSettings(witness_file=tmp_path / "home" / "data" / "w.jsonl")
    with pytest.raises(CorrectSetting, match="outside the bus"):
        witnesses_of(stack, inside)
    outside = replace_file(inside, tmp_path / "w.jsonl")
    assert witnesses_of(stack, outside) == [FileWitness((tmp_path / "w.jsonl").resolve())]
    assert trust_path(tmp_path).parent == tmp_path / "evidence"


def test_a_trust_file_says_whether_anybody_outside_holds_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(StackSettings(home=tmp_path / "home", cache=tmp_path))
    stack.context.layout.secrets.mkdir(parents=True)
    stack.context.secrets.ensure(["evidence-v1", "kafka-ledger"])
    monkeypatch.setattr("services.control.evidence.on_stack.read_log", lambda _: log_of())
    settings = EvidenceSettings(witness_file=tmp_path / "w.jsonl")
    for each in (EvidenceSettings(), settings):
        own = trust_of(stack, each)
        assert (own.holder, own.witness) == (Holder.LOG, log_of()[-1].signed)
    FileWitness(tmp_path / "w.jsonl").tell(log_of()[2].signed)
    held = trust_of(stack, settings)
    assert (held.holder, held.witness) == (Holder.OUTSIDE, log_of()[2].signed)


def replace_file(settings: EvidenceSettings, path: Path) -> EvidenceSettings:
    return settings.model_copy(update={"witness_file": path})


def test_settings_are_read_from_the_environment() -> None:
    found = EvidenceSettings.from_environment(
        {
            "GOVBUS_EVIDENCE_TREE": "sm3",
            "GOVBUS_EVIDENCE_WITNESS_FILE": "/mnt/w.jsonl",
            "GOVBUS_EVIDENCE_WITNESS_URLS": "https://a.example/w,http://b.example/",
        }
    )
    assert (found.tree, found.witness_file) == ("sm3", Path("/mnt/w.jsonl"))
    assert found.witness_urls == ("https://a.example/w", "http://b.example/")
    with pytest.raises(ValueError, match="witness_urls"):
        EvidenceSettings.from_environment({"GOVBUS_EVIDENCE_WITNESS_URLS": "ftp://a"})


def test_a_module_that_names_itself_signs_and_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Module:
        def signer(self, seed: bytes) -> Signer:
            return OLD.signer

        def is_signed(self, public: bytes, signature: bytes, message: bytes) -> bool:
            return suite("ed25519").is_signed(public, signature, message)

    class Point:
        def load(self) -> type[Module]:
            return Module

    def points(group: str, name: str) -> list[Point]:
        return [Point()] if (group, name) == ("govbus.signatures", "sm2") else []

    monkeypatch.setattr("services.evidence.signing.entry_points", points)
    key = Key("sm2", OLD.signer.public, 0)
    log = [
        grown(None, SEGMENTS[0], ends_after(SEGMENTS[0]), START, Sealing(key.id, suite("sm2").signer(b"")))
    ]
    trust = Trust(log[0].signed.checkpoint.log, (key,), log[0].signed)
    sealing = Sealing(key.id, OLD.signer)
    made = bundle_of(log, topics_of(SEGMENTS[:1]), [], Span(START, START), START, sealing)
    assert verify(made, trust).fault is None
