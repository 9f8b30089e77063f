"""Runs an approved replay: dry run, progress, cancel, and what it came to; pages and commands call this.

A run that is killed leaves the replay running. The next run finds that nobody has its turn, keeps the chains
that are judged and does the rest. Nothing is written to the bus but what a redelivery delivers.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from services.control.replays.life import Refused, Replay, State, Step
from services.control.replays.redelivering import Deliverer, redeliver
from services.control.store.database import ControlDatabase
from services.control.store.replays import work
from services.ledger.replay.audit import Audited, Judged, Judges, RunAgain, audit, count
from services.ledger.replay.comparing import Difference
from services.ledger.replay.pace import Cancelled, Pace
from services.ledger.replay.scope import Scope
from services.ledger.replay.subject import concerning
from services.ledger.replay.what_if import WhatIf, what_if, with_grant
from services.ledger.replay.what_is_known import Known
from services.ledger.replay.words import Purpose
from topics.canonical import schema_text
from topics.grants.declaration import Grant
from topics.grants.projection import projected_schema
from topics.policy import Policy

MOST_ROWS: Final = 1_000
"""Lines of a difference that are kept; the rest is counted."""
_GENERATION: Final = "generation"
"""The part of a redelivery that keeps which generation of the grant it writes."""
Tell = Callable[[int, int, float], None]


@dataclass(frozen=True, slots=True)
class Runner:
    """What a run needs beside the replay."""

    database: ControlDatabase
    known: Known
    deliverer: Deliverer
    now: Callable[[], datetime]
    tell: Tell = lambda _done, _of, _rate: None
    console: str = ""
    judges: Judges | None = None
    """Who decides an audit's chains; by default this process, one after another."""

    def dry(self, replay: Replay) -> dict[str, Any]:
        """What a run would take: counts, policy versions, and what is kept no more; nothing is decided."""
        return counts_of(self.known, replay.order.scope)

    def run(self, number: int, who: str) -> Replay:
        """Run a replay to its end, from where an earlier run of it was killed.

        Raises:
            LookupError: there is none of that number.
            Refused: it is not approved, has ended, or somebody else runs it.
            Cancelled: somebody cancelled it; it stands so.
            RunAgain: a process that decided has died; the replay is still running, and the next run goes on.
        """
        with self.database.session() as turn:
            if not work.take_turn(turn, number):
                raise Refused(f"somebody else runs replay {number} at this moment")
            try:
                return self._run(number, who)
            finally:
                work.give_turn(turn, number)

    def _run(self, number: int, who: str) -> Replay:
        with self.database.begin() as connection:
            replay = work.step(connection, number, Step.START, who, self.now(), self.console)
            done = work.parts(connection, number)
        try:
            result = self._result(replay, done)
        except (Cancelled, RunAgain):
            raise
        except Exception as error:
            self._end(
                number, who, Step.FAIL, {"verdict": "failed", "why": f"{type(error).__name__}: {error}"}
            )
            raise
        return self._end(number, who, Step.FINISH, result)

    def _end(self, number: int, who: str, step: Step, result: Mapping[str, Any]) -> Replay:
        with self.database.begin() as connection:
            found = work.load(connection, number)
            if found is not None and found.state is State.CANCELLED:
                raise Cancelled(f"replay {number} was cancelled")
            return work.step(connection, number, step, who, self.now(), self.console, result)

    def _result(self, replay: Replay, done: Mapping[str, Any]) -> dict[str, Any]:
        order, pace = replay.order, self._pace(replay)
        if order.purpose is Purpose.AUDIT:
            kept = {name: judged_from(became) for name, became in done.items()}
            found = audit(self.known, order.scope, pace, self.judges, kept)
            return {**audit_answer(found), "rate": round(pace.rate())}
        if order.purpose is Purpose.WHAT_IF:
            policy, name = other_policy(self.known, order.options)
            concerns = concerning(self.known, order.scope)
            return what_if_answer(what_if(self.known, order.scope, policy, pace, concerns, name))
        begun = partial(self._first_generation, replay.number, done)
        return redeliver(self.known, replay, self.deliverer, pace, self.now, begun)

    def _first_generation(self, number: int, done: Mapping[str, Any], generation: int) -> int:
        """The generation of the grant under which the first run of a redelivery began; kept by that run."""
        kept: Mapping[str, int] | None = done.get(_GENERATION)
        if kept is not None:
            return kept["number"]
        with self.database.begin() as connection:
            work.note_part(connection, number, _GENERATION, {"number": generation})
        return generation

    def _pace(self, replay: Replay) -> Pace:
        number, throttle = replay.number, replay.order.options.get("throttle")

        def tell(done: int, of: int, rate: float) -> None:
            self.tell(done, of, rate)
            progress = {"done": done, "of": of, "rate": round(rate)}
            with self.database.begin() as connection:
                work.note_progress(connection, number, progress)

        def cancelled() -> bool:
            with self.database.reading() as connection:
                found = work.load(connection, number)
            return found is None or found.state is State.CANCELLED

        def keep(judged: Judged) -> None:
            with self.database.begin() as connection:
                work.note_part(connection, number, judged.chain, asdict(judged))

        return Pace(throttle, tell, cancelled, keep)


def counts_of(known: Known, scope: Scope) -> dict[str, Any]:
    """What deciding a scope again would take, as JSON's own types; nothing is decided.

    Raises:
        WrongScope: the scope means nothing.
    """
    counted = count(known, scope)
    return {
        "records": counted.records,
        "warm_up_records": counted.warm_records,
        "blocks": counted.blocks,
        "copier_blocks": counted.copied,
        "policy_versions": counted.policy_versions,
        "chains": [str(each.chain) for each in counted.stretches],
        "not_retained": list(counted.missing),
    }


def judged_from(record: Mapping[str, Any]) -> Judged:
    """A judged chain as an earlier run kept it."""
    first = record["first"]
    return Judged(**{**record, "first": None if first is None else Difference(**first)})


def audit_answer(found: Audited) -> dict[str, Any]:
    """What an audit comes to, as JSON's own types."""
    first = found.first
    return {
        "verdict": found.verdict.value,
        "said": found.said,
        "records": sum(each.records for each in found.chains),
        "outputs": sum(each.outputs for each in found.chains),
        "blocks": found.counts(),
        "copier_blocks": found.not_repeated,
        "first_difference": None if first is None else asdict(first),
        "chains": [asdict(each) for each in found.chains],
    }


def what_if_answer(found: WhatIf) -> dict[str, Any]:
    """What another policy comes to, as JSON's own types."""
    rows = found.listed()
    return {
        "verdict": "different" if rows else "identical",
        "policy": found.policy_version,
        "records": found.records,
        "not_retained": found.not_retained,
        "by_copies": found.by_copies,
        "rows": [each._asdict() for each in rows[:MOST_ROWS]],
        "rows_left_off": max(0, len(rows) - MOST_ROWS),
    }


def other_policy(known: Known, options: Mapping[str, Any]) -> tuple[Policy, str]:
    """The policy of a what-if, and how it is called.

    Raises:
        Refused: there is no such version, or the declared grant fits no resource of today's.
    """
    version, declared = options.get("policy_version"), options.get("grant")
    policy = known.newest() if version is None else known.policies.get(version)
    if policy is None:
        raise Refused(f"there is no policy version {version}")
    if declared is None:
        return policy, f"version {policy.version}"
    grant = Grant.model_validate(declared)
    before, resource = policy.grants.get(grant.id), policy.resources.get(grant.resource)
    if before is None or resource is None:
        raise Refused(
            f"policy version {policy.version} has no grant {grant.id} to change, or not its resource"
        )
    unknown = sorted(set(grant.items) - {item.name for item in resource.resource.items})
    if unknown:
        raise Refused(f"{grant.resource} has no item {', '.join(unknown)}")
    value_schema = schema_text(projected_schema(json.loads(resource.item_schema), grant))
    entry = before.model_copy(update={"grant": grant, "value_schema": value_schema})
    return with_grant(policy, entry), f"version {policy.version} with grant {grant.id} changed"
