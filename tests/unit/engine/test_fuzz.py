"""A small piece of the long fuzzing run (tests/bench/fuzz.py): it compares and sees all kinds of outcomes."""

import random

import pytest

from tests.bench import fuzz
from topics.engine import native

pytestmark = pytest.mark.skipif(not native.compiled(), reason="nothing is compiled here")
INPUTS = 2 * fuzz.BATCH


def test_corrupted_captures_are_accepted_stopped_or_referred_and_all_engines_agree() -> None:
    noted = fuzz.fuzz_gate(random.Random(2), INPUTS, lambda _: None)  # noqa: S311
    assert noted["compared"] == fuzz.BATCH
    assert {"accepted", "referred", "stopped QUALITY"} <= noted.keys()


def test_corrupted_canonical_records_are_delivered_withheld_or_referred_and_all_engines_agree() -> None:
    noted = fuzz.fuzz_fanout(random.Random(2), INPUTS, lambda _: None)  # noqa: S311
    assert noted["compared"] == fuzz.BATCH
    assert {"delivered", "withheld", "referred"} <= noted.keys()
    assert noted["delivered"] + noted["withheld"] == INPUTS * 5
