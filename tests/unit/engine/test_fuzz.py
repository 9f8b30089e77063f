"""A small piece of the long fuzzing run (tests/bench/fuzz.py): it compares and sees all kinds of outcomes."""

import random
from typing import Any

import pytest

from tests.bench import fuzz
from topics.engine import native
from topics.engine.gate_answers import Answers

pytestmark = pytest.mark.skipif(not native.compiled(), reason="nothing is compiled here")
INPUTS = 2 * fuzz.BATCH


def test_corrupted_captures_are_accepted_stopped_or_referred_and_all_engines_agree() -> None:
    noted = fuzz.fuzz_gate(random.Random(2), INPUTS, lambda _: None)  # noqa: S311
    assert noted["compared"] == fuzz.BATCH
    assert {"accepted", "referred", "stopped QUALITY", "line: stopped UNDECODABLE"} <= noted.keys()
    assert not [name for name in noted if name.startswith(fuzz.RAISED)]


def test_an_exception_is_no_record_that_was_referred_and_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Answers, "quality", broken)
    monkeypatch.setattr(fuzz, "decide", broken)
    monkeypatch.setattr(fuzz, "_compare_gates", lambda _: None)
    noted = fuzz.fuzz_gate(random.Random(2), INPUTS, lambda _: None)  # noqa: S311
    assert noted["raised ZeroDivisionError in the engine"] > 0
    assert noted["raised ZeroDivisionError in the line"] == noted["referred"] // fuzz.BY_LINE_ONE_IN
    monkeypatch.setattr(fuzz, "fuzz_fanout", lambda *_: {})
    monkeypatch.setattr(fuzz, "fuzz_gate", lambda *_: noted)
    assert fuzz.main(INPUTS) == 1


def test_corrupted_canonical_records_are_delivered_withheld_or_referred_and_all_engines_agree() -> None:
    noted = fuzz.fuzz_fanout(random.Random(2), INPUTS, lambda _: None)  # noqa: S311
    assert noted["compared"] == fuzz.BATCH
    assert {"delivered", "withheld", "referred"} <= noted.keys()
    assert noted["delivered"] + noted["tombstoned"] + noted["withheld"] == INPUTS * 5
