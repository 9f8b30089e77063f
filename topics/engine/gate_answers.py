"""What both fast implementations of the gate ask in Python: rare identities, rules and the words of stops."""

from collections.abc import Mapping

from topics.engine.gate_rules import CODES, RuleStep
from topics.engine.gate_spec import GateSpec
from topics.event import Step, Stopped, StopReason
from topics.identity.check import check, identity_key
from topics.identity.kinds import IdentityKind, IdentityReason
from topics.quality.values import civil_day
from topics.quality.verdict import AssessmentContext

REASONS = tuple(IdentityReason)
_ASSESSED = "; "


class Answers:
    """The answers for one source."""

    def __init__(self, spec: GateSpec) -> None:
        self._spec = spec
        name = spec.identity_item
        self.identity_missing = Stopped(Step.IDENTIFY, StopReason.IDENTITY_MISSING, f"{name} is empty")
        self.identity_invalid = tuple(
            Stopped(Step.IDENTIFY, StopReason.IDENTITY_INVALID, f"{name}: {reason}") for reason in REASONS
        )
        self.unavailable = tuple(
            _interpret(
                StopReason.ITEM_UNAVAILABLE, f"the source did not send the unchanged value of {item.column}"
            )
            for item in spec.items
        )
        self.unconvertible = tuple(
            _interpret(StopReason.CONVERSION_FAILED, f"{item.column} cannot be converted")
            for item in spec.items
        )

    def identity(self, value: object, country: object, timestamp_ms: int) -> str | Stopped:
        """The key of an identity by the rules themselves, or why it is none."""
        if value is None or value == "":
            return self.identity_missing
        kind = self._spec.identity_kind
        country_text = None if country is None else str(country)
        if kind is IdentityKind.PASSPORT and not country_text:
            return Stopped(Step.IDENTIFY, StopReason.IDENTITY_MISSING, "a passport needs its issuing country")
        verdict = check(kind, str(value), civil_day(timestamp_ms), country_text)
        if verdict.reason is not None:
            return self.identity_invalid[REASONS.index(verdict.reason)]
        return identity_key(kind, verdict.value, country_text)

    @staticmethod
    def finding(
        step: RuleStep, items: Mapping[str, object], recorded_at_ms: int, source_at_ms: int | None
    ) -> int:
        """What the rule itself finds: 0, or 1 + the place of the code in ``CODES``."""
        found = step.rule.assess(items, AssessmentContext(recorded_at_ms, source_at_ms))
        return 0 if found is None else 1 + CODES.index(found.code)

    @staticmethod
    def quality(found: list[tuple[RuleStep, int]]) -> Stopped:
        """The stop of a record that breaks these rules."""
        detail = _ASSESSED.join(step.finding(CODES[code - 1]) for step, code in found)
        rules = tuple(step.rule.id for step, _ in found)
        return Stopped(Step.ASSESS, StopReason.QUALITY, detail, rules)


def _interpret(reason: StopReason, detail: str) -> Stopped:
    return Stopped(Step.INTERPRET, reason, detail)
