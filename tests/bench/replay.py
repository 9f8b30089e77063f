"""How fast deciding again is, beside the live engine: the same events, the same machine, the same minute.

    python -m tests.bench.replay --events 1000000

Makes a stack of its own with the definitions of the bench, writes so many captured changes, lets a gate and a
fan-out decide them from nothing on, both at once, and then decides everything again with one process and with
two. Prints one JSON object: seconds of each, the verdicts, and how many times the live rate a replay has.
"""

import argparse
import json
import resource as machine
import sys
import time
from collections.abc import Iterable
from typing import Any, Final

from schemas.registry import RegistryCredentials, SchemaRegistry
from services.bench.books import Books
from services.bench.own_stack import own_stack
from services.bench.topics_io import TopicsIo
from services.bench.workload import PERSON, RawSchemas, raw_records, raw_schemas
from services.cli.bench_machinery import BusMachinery
from services.control.replays.on_stack import open_known
from services.control.replays.sharing import SharedJudges
from services.ledger.replay.audit import audit
from services.ledger.replay.scope import Scope
from services.stack.api import Stack
from topics import names
from topics.event import OutputRecord
from topics.policy import Policy

EVERYTHING: Final = Scope(from_ms=1)
GROUP: Final = names.fanout_group("default")
IDLE_S: Final = 120.0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def changes(stack: Stack, policy: Policy, events: int, seed: int) -> Iterable[OutputRecord]:
    """Captured changes of persons, as the bench of the gate has them: one in a hundred is bad."""
    login = stack.registry_auth("connect")
    registry = SchemaRegistry(RegistryCredentials(stack.endpoints().registry_url, *login))
    key, value = raw_schemas(policy, PERSON)
    topic = policy.resources[PERSON].resource.raw_topic
    key_id = registry.register(names.key_subject(topic), key)
    value_id = registry.register(names.value_subject(topic), value)
    return raw_records(policy, PERSON, RawSchemas(key, value, key_id, value_id), events, seed)


def live(stack: Stack, machinery: BusMachinery, events: int) -> float:
    """Seconds until gate and fan-out have decided everything, both at once, from the first block on."""
    books = Books.open(stack)
    machinery.start_gate()
    machinery.start_fanout("default")
    try:
        books.wait(lambda found: bool(found.outcomes), IDLE_S, "the first decision")
        began, before = time.monotonic(), books.outcomes.total()
        books.wait(
            lambda found: (
                found.outcomes.total() >= events and found.canonical[GROUP] >= found.outcomes["accepted"]
            ),
            IDLE_S,
            "the last decision",
        )
    finally:
        books.close()
    return (time.monotonic() - began) * events / (events - before)


def again(stack: Stack, workers: int) -> dict[str, Any]:
    """Everything once more."""
    with open_known(stack) as known:
        began = time.monotonic()
        judges = SharedJudges(stack.settings, workers) if workers > 1 else None
        found = audit(known, EVERYTHING, judges=judges)
        seconds = time.monotonic() - began
    found_mb = machine.getrusage(machine.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "workers": workers,
        "verdict": found.verdict.value,
        "records": sum(each.records for each in found.chains),
        "seconds": round(seconds, 1),
        # This process has written the changes, and is as large as that made it.
        "peak_mb": round(found_mb) if workers > 1 else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with own_stack() as stack:
        machinery = BusMachinery(stack)
        machinery.apply()
        io = TopicsIo(stack.kafka_config("admin"))
        written = io.fill(changes(stack, machinery.policy(), asked.events, asked.seed))
        say(f"{written} changes are written")
        seconds = live(stack, machinery, written)
        say(f"decided live in {seconds:.1f} s")
        for name in ("gate.0", "fanout.default.0"):
            machinery.stop(name)
        found = [again(stack, workers) for workers in (2, 1)]
        for each in found:
            each["times_the_live_rate"] = round(seconds / each["seconds"], 2)
        print(json.dumps({"events": written, "live_s": round(seconds, 1), "again": found}))


if __name__ == "__main__":
    main()
