"""From the order to suspend to the last record that the broker serves, many times over, under traffic.

Starts a stack of its own with two fan-out instances; a department reads all the time, as any client does that
waits up to 500 ms for records. Run it by hand::

    python -m tests.bench.suspend_latency --times 40
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from statistics import quantiles
from typing import Final

from services.cli.plan import access_of
from services.control.definitions import packaged_definitions
from services.control.suspension.receipt import Receipt, Step
from tests.integration.apply_bench import HEALTH, Bench, own_stack
from tests.integration.suspension_bench import (
    ON_HEALTH,
    Reader,
    Writer,
    arrives,
    resumed,
    silence,
    start_fanout,
    suspended,
    traffic,
)
from topics.event import Operation

TARGET_MS: Final = 2_000
LIVE: Final = range(20)


def main() -> None:
    """Measure and print one line of JSON; ends with 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, own_stack() as stack:
        shutil.copytree(packaged_definitions(), Path(folder) / "city")
        bench = Bench(stack, access_of(stack), Path(folder) / "city")
        bench.apply()
        start_fanout(bench)
        rounds = measure(bench, options.times, random.Random(options.seed))  # noqa: S311
    answer = summary(rounds)
    print(json.dumps(answer))
    sys.exit(answer["last_record_ms"]["p99"] > TARGET_MS)


def measure(bench: Bench, times: int, chance: random.Random) -> list[dict[str, float]]:
    """One suspension and one resumption after the other, each at a moment of its own."""
    writer = Writer(bench)
    writer.write(*((number, Operation.CREATE, None) for number in LIVE))
    found = []
    with traffic(writer, LIVE):
        for number in range(times):
            with Reader(bench, HEALTH) as reader:
                arrives(reader)
                threading.Event().wait(chance.random())
                receipt = suspended(bench)
                silence(reader)
            found.append(one(receipt, reader))
            print(f"{number + 1}/{times} {json.dumps(found[-1])}", file=sys.stderr, flush=True)
            resumed(bench, ON_HEALTH, HEALTH)
    return found


def one(receipt: Receipt, reader: Reader) -> dict[str, float]:
    """Milliseconds from the order."""
    [held] = receipt.grants
    if any(offset >= held.cut[partition] for partition, offset, _ in reader.got):
        raise AssertionError(f"a record after the cut was read: {receipt.id}")
    steps = {step: when - receipt.requested_ms for step, when in receipt.steps.items()}
    return {
        "last_record_ms": round(reader.last_ms() - receipt.requested_ms, 1),
        "read_removed_ms": steps[Step.READ_REMOVED],
        "policy_written_ms": steps[Step.POLICY_WRITTEN],
        "cut_ms": steps[Step.CUT],
        "recorded_ms": steps[Step.RECORDED],
    }


def summary(rounds: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Middle, 99th percentile and maximum of each."""
    found: dict[str, dict[str, float]] = {"suspends": {"count": len(rounds)}}
    for name in rounds[0]:
        values = sorted(each[name] for each in rounds)
        hundredths = quantiles(values, n=100, method="inclusive")
        found[name] = {"p50": round(hundredths[49]), "p99": round(hundredths[98]), "max": round(values[-1])}
    return found


if __name__ == "__main__":
    main()
