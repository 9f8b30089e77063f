"""Policy-now and what-if: the same stretch under another policy, and what would be different for whom.

Both sides are decided by the fan-out's line, record by record, so that the difference names grants, items and
reasons. What the gate would decide otherwise is counted per source. A value is never part of the answer.

Where live delivery left a record to the full-volume copy of a grant, that copy gave it by the same terms. So
neither side begins where a copy ended: a grant that was filled again differs only in what it says otherwise.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from services.fanout.line import DeliveryKind, GrantOutcome, fan_out
from services.fanout.plan import FanoutPlan, compile_fanout, opened
from services.ledger.blocks import BlockKind
from services.ledger.replay.audit import Counted, Repeater, count
from services.ledger.replay.pace import Pace
from services.ledger.replay.recorded import Stretch
from services.ledger.replay.rerun import GateRerun
from services.ledger.replay.scope import Scope
from services.ledger.replay.what_is_known import Known
from services.processor.codecs import CodecCache
from topics.disputes import Disputes
from topics.engine.reference import ReferenceCodec
from topics.event import GrantId, KafkaRecord, WithheldReason
from topics.grants.declaration import GrantState
from topics.names import fanout_group
from topics.policy import GrantPolicy, Policy
from topics.wire import split

WHOLE: Final = "*"
"""In place of an item: the record as a whole."""
_NOTHING: Final = "no such grant"
_REFUSED: Final = frozenset(
    {
        WithheldReason.REVOKED,
        WithheldReason.SUSPENDED,
        WithheldReason.NOT_YET_VALID,
        WithheldReason.EXPIRED,
    }
)
"""What is asked before whether a copy gives the record."""


class Row(NamedTuple):
    """One line of the difference."""

    subject: str
    """The grant; ``gate <raw topic>`` for what the gate would decide otherwise."""
    item: str
    recorded: str
    """What became of it then, with the reason."""
    otherwise: str
    records: int


@dataclass(slots=True)
class WhatIf:
    """What another policy would have made of the stretch."""

    policy_version: str
    records: int = 0
    rows: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    not_retained: int = 0
    by_copies: int = 0
    """Records by grant that live delivery left to a copy then; they are compared as the copy gave them."""

    def listed(self) -> list[Row]:
        """The difference, the same each time."""
        return [Row(*key, count) for key, count in sorted(self.rows.items())]


def what_if(
    known: Known,
    scope: Scope,
    other: Policy,
    pace: Pace | None = None,
    concerns: Callable[[KafkaRecord], bool] = lambda _: True,
    name: str = "",
) -> WhatIf:
    """Decide a scope under another policy and compare with what was decided then.

    Args:
        known: the topics and what is known beside them.
        scope: which blocks.
        other: the policy; of its number nothing depends.
        pace: is told of every batch and may slow down or cancel.
        concerns: whether a canonical record is in scope, where that is about one subject.
        name: how the answer calls the policy.

    Raises:
        WrongScope: the scope means nothing.
        Cancelled: the pace said so.
    """
    pace = pace or Pace()
    counted: Counted = count(known, scope)
    pace.begin(counted.records + counted.warm_records)
    found = WhatIf(name or str(other.version))
    repeater = Repeater(known)
    grants = _grants_of(scope, [*known.policies.values(), other])
    for stretch in counted.stretches:
        kind = stretch.judged[0].kind
        if kind is BlockKind.INTAKE and scope.subject is None:
            _gate_stretch(found, repeater, stretch, other, pace)
        elif kind is BlockKind.LIVE:
            sides = _Sides(known, stretch.chain.group.removeprefix(fanout_group("")), other, grants)
            _delivery_stretch(found, repeater, stretch, sides, pace, concerns)
        else:
            pace.passed(stretch.records + stretch.warm_records)
    return found


def with_grant(policy: Policy, entry: GrantPolicy) -> Policy:
    """The policy with one grant declared otherwise."""
    return policy.model_copy(update={"grants": {**policy.grants, entry.grant.id: entry}})


def _grants_of(scope: Scope, policies: Iterable[Policy]) -> frozenset[GrantId]:
    return frozenset(
        entry.grant.id
        for policy in policies
        for entry in policy.grants.values()
        if scope.consumer in (None, entry.grant.consumer) and scope.grant in (None, entry.grant.id)
    )


def _gate_stretch(found: WhatIf, repeater: Repeater, stretch: Stretch, other: Policy, pace: Pace) -> None:
    """Count by source what the gate would decide otherwise; the state before the stretch is that of then."""
    rerun = GateRerun(stretch.chain, repeater.known.schemas, repeater.implementation)
    inside = {block.offset for block in stretch.judged}
    was: Counter[str] = Counter()
    now: Counter[str] = Counter()
    for block, records in repeater.batches(stretch):
        pace.decided(block.records)
        if len(records) != block.records or not block.records:
            found.not_retained += block.records - len(records)
            continue
        if block.offset not in inside:
            repeater.repeat(rerun, block, records)
            continue
        repeated = rerun.repeat(block, records, other, Disputes())
        was.update(_ends(repeater.whole.said(block)))
        now.update(_ends(repeater.known.decoder.decode(repeated.block.value or b"")))
        found.records += block.records
    repeater.whole.close()
    for end in sorted({*was, *now}):
        change = now[end] - was[end]
        if change:
            sides = (str(was[end]), str(now[end]))
            found.rows[f"gate {stretch.chain.topic}", end, *sides] += abs(change)


def _ends(block: Mapping[str, Any]) -> Counter[str]:
    """Outcomes, those with reasons by their reason."""
    return Counter(block["reasons"]) + Counter({"accepted": block["outcomes"].get("accepted", 0)})


@dataclass(slots=True)
class _Sides:
    """The plans of then and the other one, for one group."""

    known: Known
    group: str
    other: Policy
    grants: frozenset[GrantId]
    _then: tuple[FanoutPlan, FanoutPlan] | None = None
    """Of the version asked for last: the plan as live delivery had it, and opened."""
    _otherwise: FanoutPlan | None = None
    _secrets: dict[int, bytes] | None = None
    codecs: CodecCache = field(default_factory=CodecCache)
    _values: dict[str, ReferenceCodec] = field(default_factory=dict)

    def then(self, version: int) -> FanoutPlan:
        """The plan of a policy version."""
        if self._then is None or self._then[0].policy_version != version:
            compiled = self._compiled(self.known.policies[version])
            self._then = compiled, opened(compiled)
        return self._then[1]

    def left_to_copies(self, record: KafkaRecord, was: Mapping[GrantId, GrantOutcome]) -> int:
        """Under how many of these grants live delivery had left the record to a copy."""
        resource = None if self._then is None else self._then[0].resources.get(record.topic)
        return sum(
            each.grant in was
            and was[each.grant].withheld not in _REFUSED
            and (each.state is GrantState.FILLING or record.offset < each.starts_at.get(record.partition, 0))
            for each in (resource.grants if resource else ())
        )

    @property
    def otherwise(self) -> FanoutPlan:
        """The other plan."""
        if self._otherwise is None:
            self._otherwise = opened(self._compiled(self.other))
        return self._otherwise

    def outcomes(self, record: KafkaRecord, plan: FanoutPlan) -> dict[GrantId, GrantOutcome]:
        """What becomes of a record under each grant in scope."""
        if record.topic not in plan.resources:
            return {}
        found = fan_out(record, plan, self.codecs.codecs) or ()
        return {each.grant: each for each in found if each.grant in self.grants}

    def items(self, outcome: GrantOutcome, plan: FanoutPlan, record: KafkaRecord) -> Mapping[str, Any]:
        """The items of a delivery."""
        grant = next(each for each in plan.resources[record.topic].grants if each.grant == outcome.grant)
        value = outcome.output.value if outcome.output else None
        return {} if value is None else grant.value_codec.decode(split(value)[1])

    def _compiled(self, policy: Policy) -> FanoutPlan:
        if self._secrets is None:
            self._secrets = self.known.secrets([*self.known.policies.values(), self.other])
        return compile_fanout(policy, self.group, self._secrets)


def _delivery_stretch(
    found: WhatIf,
    repeater: Repeater,
    stretch: Stretch,
    sides: _Sides,
    pace: Pace,
    concerns: Callable[[KafkaRecord], bool],
) -> None:
    for block, records in repeater.batches(stretch):
        found.not_retained += block.records - len(records)
        if len(records):
            sides.codecs.learn(repeater.known.schemas(sides.codecs.missing(records)))
        for record in records:
            if record.value is not None and concerns(record):
                found.records += 1
                _compare(found, record, sides, sides.then(block.policy_version))
        pace.decided(block.records)


def _compare(found: WhatIf, record: KafkaRecord, sides: _Sides, then: FanoutPlan) -> None:
    was, now = sides.outcomes(record, then), sides.outcomes(record, sides.otherwise)
    found.by_copies += sides.left_to_copies(record, was)
    for grant in sorted({*was, *now}):
        one, other = was.get(grant), now.get(grant)
        if one and other and one.kind is other.kind is DeliveryKind.DELIVERED:
            before, after = sides.items(one, then, record), sides.items(other, sides.otherwise, record)
            for item in sorted({*before, *after}):
                if item not in after:
                    found.rows[grant, item, "shown", "not shown"] += 1
                elif item not in before:
                    found.rows[grant, item, "not shown", "shown"] += 1
                elif before[item] != after[item]:
                    found.rows[grant, item, "shown", "shown otherwise (mask)"] += 1
        elif _end(one) != _end(other):
            found.rows[grant, WHOLE, _end(one), _end(other)] += 1


def _end(outcome: GrantOutcome | None) -> str:
    if outcome is None:
        return _NOTHING
    return outcome.kind.value if outcome.withheld is None else f"withheld: {outcome.withheld.value}"
