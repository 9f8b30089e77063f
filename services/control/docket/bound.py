"""The policy that a case was opened under: the values of its packs with their sources, kept for ever.

Later packs never rewrite a case (requirement A15): its rules and clocks are decided from what is bound here.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

from services.control.cases.words import Batch, CaseRules, Decides, Unconditional
from services.control.catalogue.vocabulary import Grade
from services.control.clocks.merge import Decided, Facts, Policy
from services.control.clocks.pack import ORDER, Content, Given, Level, Pack, Source
from services.control.clocks.rules import (
    AgreedDate,
    ClockRule,
    Extension,
    FixedDate,
    Length,
    NaturalDays,
    Stage,
    WorkingDays,
)
from services.control.docket.written import FORM, Document, UnknownForm

REPLY: Final = "clocks.subscription.provider_reply"
UNCONDITIONAL_REPLY: Final = "clocks.subscription.unconditional_reply"
SUPPLY: Final = "clocks.subscription.supply"
PRECHECK: Final = "precheck"
"""The stage of the reply that the authority has: where a pack gives it a clock, there is a pre-check."""
MASKED_FROM: Final = "grade.masked_from"
CHECKED_FROM: Final = "grade.checked_from"
_DECIDES: Final = "workflow.subscription.decides"
_UNCONDITIONAL: Final = "subscription.unconditional"
_BATCH: Final = "modes.batch"


@dataclass(frozen=True, slots=True)
class PackNamed:
    """A pack that took part, by its version."""

    id: str
    version: int
    level: Level
    standing: str


@dataclass(frozen=True, slots=True)
class Bound:
    """Values of several packs as they were when a case was opened."""

    packs: tuple[PackNamed, ...]
    """From the highest layer to the lowest."""
    values: Mapping[str, tuple[Given, ...]]
    dispute_levels: tuple[str, ...] = ()
    """The departments that rule, the lowest level first: whoever adopts the policy names them."""

    @property
    def digest(self) -> str:
        """SHA-256 of the document: the name of this policy."""
        text = json.dumps(bound_document(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def decide(self, key: str, facts: Facts) -> tuple[Decided, ...]:
        """What counts for a key in a case with these facts, stage by stage.

        Raises:
            KeyError: there is no such key.
            CorrectPacks: the layers give values that cannot be compared.
        """
        return Policy((), (), self.values).decide(key, facts)

    def rules(self, facts: Facts) -> CaseRules:
        """What the packs set for a case with these facts."""
        return CaseRules(
            precheck=any(each.stage == PRECHECK for each in self.decide(REPLY, facts)),
            decides=Decides(self._choice(_DECIDES, Decides.PROVIDER)),
            unconditional=Unconditional(self._choice(_UNCONDITIONAL, Unconditional.AUTO)),
            batch=Batch(self._choice(_BATCH, Batch.LAST_RESORT)),
            dispute_levels=self.dispute_levels,
            masked_from=self._grade(MASKED_FROM),
            checked_from=self._grade(CHECKED_FROM),
        )

    def _grade(self, key: str) -> Grade | None:
        """From which grade on a rule counts; None where no pack says one."""
        decided = self.decide(key, {})
        return Grade(str(decided[0].given.content)) if decided else None

    def _choice(self, key: str, default: str) -> str:
        decided = self.decide(key, {})
        return str(decided[0].given.content) if decided else default


def bound(policy: Policy, dispute_levels: tuple[str, ...] = ()) -> Bound:
    """The merged packs as cases are bound to them."""
    named = tuple(PackNamed(each.id, each.version, each.level, each.standing.value) for each in policy.packs)
    values = {key: tuple(map(_placeless, given)) for key, given in policy.values.items()}
    return Bound(named, MappingProxyType(values), dispute_levels)


def with_pack(policy: Bound, pack: Pack) -> Bound:
    """The policy with another pack at its level instead of the one that it had there, for a simulation."""
    kept = tuple(each for each in policy.packs if each.level is not pack.level)
    named = (*kept, PackNamed(pack.id, pack.version, pack.level, pack.standing.value))
    keys = sorted(set(policy.values) | set(pack.values))
    values = {key: _replaced(policy.values.get(key, ()), pack, key) for key in keys}
    ordered = tuple(sorted(named, key=lambda each: ORDER.index(each.level)))
    return Bound(
        ordered,
        MappingProxyType({key: given for key, given in values.items() if given}),
        policy.dispute_levels,
    )


def bound_document(policy: Bound) -> Document:
    """A policy as it is kept."""
    return {
        "form": FORM,
        "packs": [asdict(each) | {"level": each.level.value} for each in policy.packs],
        "dispute_levels": list(policy.dispute_levels),
        "values": {
            key: [_given_document(each) for each in given] for key, given in sorted(policy.values.items())
        },
    }


def bound_of(document: Mapping[str, Any]) -> Bound:
    """The policy that was kept.

    Raises:
        UnknownForm: it was written in a form that is not known here.
    """
    if document.get("form") != FORM:
        raise UnknownForm(f"a policy of form {document.get('form')!r}, and only form {FORM} is read here")
    packs = tuple(
        PackNamed(each["id"], each["version"], Level(each["level"]), each["standing"])
        for each in document["packs"]
    )
    values = {key: tuple(_given_of(key, each) for each in given) for key, given in document["values"].items()}
    return Bound(packs, MappingProxyType(values), tuple(document["dispute_levels"]))


def _replaced(given: tuple[Given, ...], pack: Pack, key: str) -> tuple[Given, ...]:
    others = [each for each in given if each.level is not pack.level]
    own = [_placeless(each) for each in pack.values.get(key, ())]
    return tuple(sorted([*others, *own], key=lambda each: ORDER.index(each.level)))


def _placeless(given: Given) -> Given:
    """A line of a file means nothing any more once the file was changed: the article stays."""
    return Given(given.key, given.content, given.source, given.pack, given.level, given.pack)


def _given_document(given: Given) -> Document:
    content: Any = given.content
    if isinstance(content, Stage):
        content = _stage_document(content)
    elif isinstance(content, tuple):
        content = list(content)
    return {
        "pack": given.pack,
        "level": given.level.value,
        "source": asdict(given.source),
        "content": content,
    }


def _given_of(key: str, document: Mapping[str, Any]) -> Given:
    told = document["content"]
    content: Content = _stage_of(told) if isinstance(told, Mapping) else told
    if isinstance(told, list):
        content = tuple(told)
    source = Source(**document["source"])
    return Given(key, content, source, document["pack"], Level(document["level"]), document["pack"])


def _stage_document(stage: Stage) -> Document:
    rule = stage.rule
    return {
        "name": stage.name,
        "obliged": stage.obliged,
        "starts_on": stage.starts_on,
        "when": dict(stage.when),
        "length": _length_document(rule.length),
        "calendar": rule.calendar,
        "counts_first_day": rule.counts_first_day,
        "pauses_while": list(rule.pauses_while),
        "extension": None if rule.extension is None else asdict(rule.extension),
        "remind_at": list(rule.remind_at),
        "advisory": rule.advisory,
        "on_breach": list(rule.on_breach),
    }


def _stage_of(document: Mapping[str, Any]) -> Stage:
    extension = document["extension"]
    rule = ClockRule(
        length=_length_of(document["length"]),
        calendar=document["calendar"],
        counts_first_day=document["counts_first_day"],
        pauses_while=tuple(document["pauses_while"]),
        extension=None if extension is None else Extension(**extension),
        remind_at=tuple(document["remind_at"]),
        advisory=document["advisory"],
        on_breach=tuple(document["on_breach"]),
    )
    when = MappingProxyType(dict(document["when"]))
    return Stage(document["name"], document["obliged"], document["starts_on"], rule, when)


def _length_document(length: Length) -> Document:
    match length:
        case WorkingDays(count):
            return {"unit": "working_days", "count": count}
        case NaturalDays(count):
            return {"unit": "natural_days", "count": count}
        case FixedDate(month, day):
            return {"unit": "by", "month": month, "day": day}
        case AgreedDate():
            return {"unit": "agreed"}


def _length_of(document: Mapping[str, Any]) -> Length:
    match document["unit"]:
        case "working_days":
            return WorkingDays(document["count"])
        case "natural_days":
            return NaturalDays(document["count"])
        case "by":
            return FixedDate(document["month"], document["day"])
        case "agreed":
            return AgreedDate()
        case unit:
            raise UnknownForm(f"a clock in {unit!r} is not known here")
