"""Evidence on the real stack: sealed, witnessed, exported, verified elsewhere; tampering is named."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from services.cli import processes
from services.cli.control import prepare_control
from services.cli.plan import access_of
from services.control.definitions import packaged_definitions
from services.control.evidence.on_stack import keys_of
from services.control.evidence.witnesses import FileWitness
from services.control.kafka_topics import end_offsets
from services.evidence.bundle import ENTRIES, opened
from services.evidence.checkpoints import Checkpoint
from tests.integration.apply_bench import HEALTH, Bench, own_stack
from tests.integration.suspension_bench import Writer, govbus, start_fanout
from tests.support import tampering
from tests.support.waiting import eventually
from topics.event import Operation
from topics.names import LEDGER_DELIVERY, LEDGER_PARTITIONS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PERSONS = range(20)
"""Those with an even number are in the health department's rows."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("definitions") / "city"
    shutil.copytree(packaged_definitions(), folder)
    witness = tmp_path_factory.mktemp("witness") / "checkpoints.jsonl"
    os.environ["GOVBUS_EVIDENCE_WITNESS_FILE"] = str(witness)
    try:
        with own_stack() as stack:
            found = Bench(stack, access_of(stack), folder)
            found.apply()
            start_fanout(found)
            Writer(found).write(*((number, Operation.CREATE, None) for number in PERSONS))
            eventually(lambda: len(found.held(HEALTH)) == len(PERSONS) // 2, 60)
            yield found
    finally:
        del os.environ["GOVBUS_EVIDENCE_WITNESS_FILE"]


def answer(bench: Bench, *arguments: str) -> dict[str, Any]:
    ended = govbus(bench, *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def newest() -> Checkpoint:
    """The newest checkpoint that the witness holds."""
    held = FileWitness(Path(os.environ["GOVBUS_EVIDENCE_WITNESS_FILE"])).held()
    assert held is not None
    return held.checkpoint


def elsewhere(folder: Path, bundle: Path, trust: Path) -> tuple[int, dict[str, Any]]:
    """Verify on another machine: a folder with nothing but the verifier."""
    program = folder / "services" / "evidence"
    if not program.exists():
        shutil.copytree(ROOT / "services" / "evidence", program)
        (folder / "services" / "__init__.py").touch()
    ended = subprocess.run(
        [sys.executable, "-m", "services.evidence", bundle.name, "--trust", trust.name, "--json"],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


@pytest.mark.requirement("A11-02")
def test_what_was_delivered_is_proven_elsewhere_and_tampering_is_named(bench: Bench, tmp_path: Path) -> None:
    sealed = answer(bench, "evidence", "checkpoint")
    assert newest().root == sealed["root"]

    trust, bundle = tmp_path / "trust.json", tmp_path / "bundle.tar"
    trusted = answer(bench, "evidence", "trust", "-o", str(trust))
    assert (trusted["witness"], trusted["holder"]) == (sealed["number"], "outside")
    answer(bench, "evidence", "export", "--last", "1h", "-o", str(bundle), "--trust", str(trust))
    code, proven = elsewhere(tmp_path, bundle, trust)
    assert (code, proven["fault"]) == (0, None)
    delivered = sum(each["delivered"] for each in proven["delivered"] if each["grant"] == HEALTH)
    assert delivered == len(PERSONS) // 2
    assert proven["witness"] == sealed["number"]

    content, forged = bundle.read_bytes(), tmp_path / "forged.tar"
    forged.write_bytes(content.replace(b'"delivered":', b'"delivereb":', 1))
    code, found = elsewhere(tmp_path, forged, trust)
    assert (code, found["fault"]["what"]) == (1, "FILE_ALTERED")

    # Whoever has the key to sign a bundle has not the history that was sealed.
    sealing = keys_of(bench.stack).sealing(opened(content)[0].made_ms)
    chance = Random(1)  # noqa: S311 - the same each time
    for change in (tampering.entry_edited, tampering.line_deleted):
        forged.write_bytes(tampering.sealed_again(content, partial(change, chance=chance), sealing))
        code, found = elsewhere(tmp_path, forged, trust)
        assert (code, found["fault"]["what"] in {"ROOT_DIFFERS", "ENTRY_MISPLACED"}) == (1, True)
    assert opened(content)[2][ENTRIES]


def test_the_control_process_seals_by_itself_and_a_new_key_goes_on(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = newest().number
    monkeypatch.setenv("GOVBUS_EVIDENCE_IDLE_S", "1")
    monkeypatch.setenv("GOVBUS_CONTROL_EVIDENCE_S", "0.5")
    monkeypatch.setenv("GOVBUS_EVIDENCE_LEAD_S", "1")
    prepare_control(bench.stack, datetime.now(UTC))
    process = processes.control(bench.stack.settings.control_port)
    bench.stack.run_process(process)
    try:
        eventually(lambda: newest().number > before, 60)
        key = answer(bench, "evidence", "rotate-key")["key"]
        eventually(lambda: newest().key == key, 60)
        # Whoever seals at the console fences the process, which then goes on.
        by_hand = answer(bench, "evidence", "checkpoint")["number"]
        eventually(lambda: newest().number > by_hand, 60)
    finally:
        bench.stack.stop_process(process.name)
    trust, bundle = tmp_path / "trust.json", tmp_path / "bundle.tar"
    answer(bench, "evidence", "trust", "-o", str(trust))
    answer(bench, "evidence", "export", "--last", "1h", "-o", str(bundle), "--trust", str(trust))
    code, proven = elsewhere(tmp_path, bundle, trust)
    assert (code, proven["fault"]) == (0, None)


def test_a_ledger_that_lost_records_after_they_were_sealed_is_not_exported(
    bench: Bench, tmp_path: Path
) -> None:
    answer(bench, "evidence", "checkpoint")
    ends = end_offsets(bench.access.admin(), LEDGER_DELIVERY, LEDGER_PARTITIONS, stable=True)
    gone = [TopicPartition(LEDGER_DELIVERY, partition, end) for partition, end in ends.items()]
    admin = bench.stack.admin()
    for future in admin.delete_records(gone).values():
        future.result(30)
    ended = govbus(bench, "evidence", "export", "--last", "1h", "-o", str(tmp_path / "b.tar"))
    assert (ended.returncode, "sealed" in ended.stderr) == (1, True), ended.stderr
    assert not (tmp_path / "b.tar").exists()
