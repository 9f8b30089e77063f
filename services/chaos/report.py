"""What a run found, as JSON and as the page that is kept in docs/; pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from services.bench.show import heading
from services.chaos.check import Verdict
from services.chaos.faults import FaultKind, FaultRecord
from services.chaos.sequences import What, percentile

TARGET_SECONDS: Final = 10.0
"""What the 99th percentile of recovery may be."""
_PARTS: Final = ("p50", "p99", "max")
_HEADS: Final = ("fault", "times", *_PARTS)
_SHARES: Final = {"p50": 0.50, "p99": 0.99, "max": 1.0}
_MEANINGS: Final = {
    FaultKind.KILL: "kill -9 of an instance, started again at once",
    FaultKind.KILL_TAKEOVER: "kill -9 of an instance that stays away until the others have taken over",
    FaultKind.FREEZE: "SIGSTOP past the end of the session, then SIGCONT",
    FaultKind.BROKER_KILL: "kill -9 of the broker; counted from when it answers again",
    FaultKind.CUT: "all connections of one instance are cut",
    FaultKind.CUT_ALL: "all connections of all instances are cut",
    FaultKind.HOLD_END_TXN: "the end of a transaction is held on the way; counted from its release",
    FaultKind.LOSE_END_TXN_ANSWER: "the end of a transaction arrives, its answer does not",
    FaultKind.REBALANCE: "a third instance comes (counted from when the group knows it) or goes",
}


def summary(
    run: Mapping[str, Any],
    duration_s: float,
    faults: Sequence[FaultRecord],
    verdict: Verdict,
    balance: Mapping[str, Any],
    ended_by_themselves: int,
) -> dict[str, Any]:
    """The answer of ``govbus chaos engine --json``; docs/cli/chaos-engine.schema.json describes it.

    ``run`` is what it was asked for, when and where it ran.
    """
    counted = [fault for fault in faults if fault.happened]
    recoveries = [fault.recovery_s for fault in counted if fault.recovery_s is not None]
    found = {what.value: verdict.count(what) for what in What}
    recovery = recovery_of(recoveries)
    correct = verdict.clean and bool(balance["closed"]) and len(recoveries) == len(counted) > 0
    return {
        **run,
        "duration_s": round(duration_s, 1),
        "faults": {
            "counted": len(counted),
            "without_effect": len(faults) - len(counted),
            "not_recovered": len(counted) - len(recoveries),
            "by_kind": _by_kind(counted),
            "slowest": _slowest(counted),
        },
        "recovery_s": recovery,
        "recovery_target_s": TARGET_SECONDS,
        "instances_ended_by_themselves": ended_by_themselves,
        "outcomes": dict(verdict.outcomes),
        "records": dict(verdict.records),
        "decision_blocks": verdict.blocks,
        "found": found,
        "examples": {what.value: samples for what, samples in verdict.findings.samples.items()},
        "balance": dict(balance),
        "correct": correct,
        "in_time": recovery is not None and recovery["p99"] <= TARGET_SECONDS,
    }


def recovery_of(seconds: Iterable[float]) -> dict[str, float] | None:
    """Median, 99th percentile and maximum; None where there is nothing."""
    values = list(seconds)
    if not values:
        return None
    return {name: round(percentile(values, share), 2) for name, share in _SHARES.items()}


def _by_kind(faults: Sequence[FaultRecord]) -> dict[str, Any]:
    answer = {}
    for kind in FaultKind:
        ours = [fault for fault in faults if fault.kind is kind]
        if ours:
            times = [fault.recovery_s for fault in ours if fault.recovery_s is not None]
            answer[kind.value] = {"count": len(ours), "recovery_s": recovery_of(times)}
    return answer


def _slowest(faults: Sequence[FaultRecord], count: int = 5) -> list[dict[str, Any]]:
    ordered = sorted(faults, key=lambda fault: fault.recovery_s or 0.0, reverse=True)
    return [
        {
            "number": fault.number,
            "kind": fault.kind.value,
            "target": fault.target,
            "at_s": round(fault.at_s, 1),
            "recovery_s": None if fault.recovery_s is None else round(fault.recovery_s, 2),
        }
        for fault in ordered[:count]
    ]


def page(answer: Mapping[str, Any]) -> str:
    """The page about one run, as Markdown."""
    parts = [_HEAD, _what_ran(answer), _faults(answer), _what_was_found(answer), _tail(answer)]
    return "\n".join(parts)


_HEAD: Final = """# Chaos report

What this is for: whether gate and fan-out lose, repeat or reorder anything while they, the broker and their
connections break, and how soon they go on. Written by `govbus chaos page` from the answer of a run.
"""


def _what_ran(answer: Mapping[str, Any]) -> str:
    verdict = "nothing was lost, repeated or reordered" if answer["correct"] else "THE RUN FAILED"
    late = "" if answer["in_time"] else f", but not in time (p99 above {answer['recovery_target_s']:g} s)"
    counted = answer["faults"]["counted"]
    return f"""**{verdict}{late}**: {answer["events"]:,} events, {counted} faults, seed {answer["seed"]}, \
{answer["duration_s"] / 60:.0f} minutes.

{heading(answer)}

```sh
govbus chaos engine --minutes {answer["minutes"]:g} --events {answer["events"]} --seed {answer["seed"]} --json
```

Two gate and two fan-out instances as real processes on a stack of the run's own, connected to the broker
through a proxy. The stream holds creations, updates, corrected numbers, deletions, wrong rows and garbage;
it and the plan of faults come from the seed.
"""


def _faults(answer: Mapping[str, Any]) -> str:
    rows = [
        (_MEANINGS[FaultKind(kind)], found["count"], *_seconds(found["recovery_s"]))
        for kind, found in answer["faults"]["by_kind"].items()
    ]
    rows.append(("**all**", answer["faults"]["counted"], *_seconds(answer["recovery_s"])))
    without = answer["faults"]["without_effect"]
    target = answer["recovery_target_s"]
    longer = [
        _MEANINGS[FaultKind(kind)].partition(";")[0]
        for kind, found in answer["faults"]["by_kind"].items()
        if found["recovery_s"] is not None and found["recovery_s"]["p99"] > target
    ]
    return f"""## Faults and recovery

Recovered means: in every partition of every group, a record that was written after the fault is decided and
its offset committed. In seconds; the 99th percentile of all shall be at most {target:g}. Of a single kind it
is above that for: {", ".join(longer) or "none"}.

{_table(_HEADS, rows)}

{without} planned faults are not counted: they had no effect, as where no transaction ended in time to be
held, or came so late that the stream was over before recovery could be seen.
Instances ended by themselves {answer["instances_ended_by_themselves"]} times, because they found out that
they had been replaced or could not go on, and were started again.
"""


def _what_was_found(answer: Mapping[str, Any]) -> str:
    found = [(name.replace("_", " "), count) for name, count in answer["found"].items()]
    records = list(answer["records"].items())
    outcomes = ", ".join(f"{count:,} {name}" for name, count in answer["outcomes"].items())
    closed = "closed" if answer["balance"]["closed"] else "NOT CLOSED"
    return f"""## What was found

As readers of committed data see it, compared record by record and key by key with an oracle of its own:

{_table(("what", "records"), found)}

The stream: {outcomes}. Read and compared:

{_table(("topic", "records"), records)}

{answer["decision_blocks"]:,} decision blocks: their chains are whole, they account for each record once, and
their digests were worked out again from the records. The balance of `govbus audit balance`: {closed}.
"""


def _tail(answer: Mapping[str, Any]) -> str:
    rows = [
        (slow["number"], slow["kind"].replace("_", " "), slow["target"], slow["recovery_s"])
        for slow in answer["faults"]["slowest"]
    ]
    return f"""## The slowest

{_table(("fault", "kind", "of", "seconds"), rows)}

The checker is tested too: `tests/unit/chaos/test_check.py` drops, repeats, swaps, alters and invents records
and decision blocks, and each must be found.
"""


def _seconds(recovery: Mapping[str, float] | None) -> tuple[str, ...]:
    return tuple("" if recovery is None else f"{recovery[part]:.1f}" for part in _PARTS)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    shown = (f"{cell:,}" if isinstance(cell, int) else str(cell) for line in lines for cell in line)
    cells = list(shown)
    width = len(head)
    return "\n".join(
        "| " + " | ".join(cells[start : start + width]) + " |" for start in range(0, len(cells), width)
    )
