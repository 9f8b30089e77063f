"""Merges the packs of several layers into one policy, and says why each value is what it is.

For each key a rule says how (`policy_keys`): the strictest value, or that of the lowest layer. A clock with
stages is merged stage by stage; which stages apply is decided by facts of the case.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import combinations_with_replacement, pairwise
from types import MappingProxyType
from typing import Any

from services.control.clocks.pack import ORDER, Given, Pack
from services.control.clocks.policy_keys import KEYS, Kind, Merge
from services.control.clocks.rules import Stage
from services.control.clocks.strictness import Incomparable, is_stricter

Facts = Mapping[str, str]


class CorrectPacks(ValueError):  # noqa: N818 - named after what its catcher must do
    """These packs make no policy: what, where (``file:line``) and what to do."""

    def __init__(self, what: str, where: str, remedy: str) -> None:
        super().__init__(f"{where}: {what}; {remedy}")
        self.what, self.where, self.remedy = what, where, remedy


@dataclass(frozen=True, slots=True)
class Passed:
    """A value that does not count, and why."""

    given: Given
    why: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What counts for a key, or for one stage of it, and what it was chosen over."""

    key: str
    stage: str | None
    when: Facts
    """The facts for which this was decided."""
    given: Given
    over: tuple[Passed, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Several layers as one; a case is bound to it by ``digest`` when it is made."""

    packs: tuple[Pack, ...]
    """From the highest layer to the lowest."""
    not_yet: tuple[Pack, ...]
    """Packs that were named and are not in force on that day."""
    values: Mapping[str, tuple[Given, ...]]
    """All that the layers give for a key, from the highest to the lowest."""

    @property
    def content(self) -> dict[str, Any]:
        """All values with their sources and rules, as plain data: what is kept for the cases bound to it."""
        return {
            "packs": [[each.id, each.version, each.level, each.standing] for each in self.packs],
            "values": {
                key: [KEYS[key].merge, *(_plain(each) for each in given)]
                for key, given in self.values.items()
            },
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the content: the same packs make the same, and another value or source another."""
        text = json.dumps(self.content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def decide(self, key: str, facts: Facts = MappingProxyType({})) -> tuple[Decided, ...]:
        """What counts for a key in a case with these facts: one value, or one for each stage that applies.

        Raises:
            KeyError: there is no such key.
            CorrectPacks: the layers give values that cannot be compared.
        """
        given = self.values.get(key, ())
        if KEYS[key].merge is Merge.STRICTEST or not given:
            return tuple(_decide(given, facts))
        lowest = given[-1].pack
        above = tuple(Passed(each, f"{lowest} is a lower layer") for each in given if each.pack != lowest)
        own = _decide([each for each in given if each.pack == lowest], facts)
        return tuple(replace(each, over=(*each.over, *above)) for each in own)

    def situations(self, key: str) -> tuple[Facts, ...]:
        """The facts that stages of a key ask for, each set once: what an explanation goes through."""
        found: list[Facts] = []
        for each in self.values.get(key, ()):
            when: Facts = each.content.when if isinstance(each.content, Stage) else {}
            if when not in found:
                found.append(when)
        return tuple(sorted(found, key=len))


def merge(packs: Iterable[Pack], on: date) -> Policy:
    """One policy of the packs that are in force on a day.

    Args:
        packs: at most one of each level; the order does not matter.
        on: the day; a pack without a first day counts always.

    Raises:
        CorrectPacks: two packs are of one level, or give values that cannot be compared.
    """
    ordered = sorted(packs, key=lambda each: ORDER.index(each.level))
    for upper, lower in pairwise(ordered):
        if upper.level is lower.level:
            what = f"{upper.id} and {lower.id} are both of the level {upper.level}"
            raise CorrectPacks(what, lower.id, "name one pack of each level")
    counting = tuple(each for each in ordered if each.effective_from is None or each.effective_from <= on)
    keys = sorted({key for pack in counting for key in pack.values})
    values = {key: tuple(each for pack in counting for each in pack.values.get(key, ())) for key in keys}
    not_yet = tuple(each for each in ordered if each not in counting)
    policy = Policy(counting, not_yet, MappingProxyType(values))
    for key in keys:
        _require_comparable(policy, key)
    return policy


def _require_comparable(policy: Policy, key: str) -> None:
    """Whatever the facts of a case will be, its values can be compared: each two that may apply together."""
    for one, other in combinations_with_replacement(policy.situations(key), 2):
        policy.decide(key, {**one, **other})


def in_words(given: Given) -> str:
    """A value for a person, such as ``5 working days``."""
    kind = KEYS[given.key].kind
    if isinstance(given.content, tuple):
        return ", ".join(given.content)
    if not isinstance(given.content, Stage):
        return f"{given.content}{' days' if kind is Kind.RETENTION else ''}"
    rule, more = given.content.rule, " before" if kind is Kind.NOTICE else ""
    if rule.extension is not None:
        more += f", once up to {rule.extension.most} more by {rule.extension.approver}"
    return f"{rule.length}{more}{' (target)' if rule.advisory else ''}"


def because(given: Given) -> str:
    """Where a value is from, such as ``S3 三(二)``, with what is doubtful about it."""
    article = given.source.article or "article not known"
    return f"{given.source.document} {article}{'' if given.source.verified else ' [unverified]'}"


def _decide(given: Sequence[Given], facts: Facts) -> Iterator[Decided]:
    """For each stage the strictest of those that apply, in the order of the layer that has most stages."""
    for name in _stage_names(given):
        candidates = [each for each in given if _stage_name(each) == name and _applies(each, facts)]
        if candidates:
            chosen = _strictest(candidates)
            over = tuple(Passed(each, _why_not(each, chosen)) for each in candidates if each is not chosen)
            yield Decided(chosen.key, name, facts, chosen, over)


def _stage_names(given: Sequence[Given]) -> Iterable[str | None]:
    by_pack: dict[str, dict[str | None, None]] = {}
    for each in given:
        by_pack.setdefault(each.pack, {})[_stage_name(each)] = None
    longest = max(by_pack.values(), key=len, default={})
    return dict.fromkeys([*longest, *map(_stage_name, given)])


def _strictest(candidates: Sequence[Given]) -> Given:
    chosen = candidates[0]
    for each in candidates[1:]:
        try:
            if _counts_more(each, chosen):
                chosen = each
        except Incomparable as error:
            what = (
                f"{each.key}: {in_words(each)} of {each.pack} and {in_words(chosen)} of {chosen.pack} {error}"
            )
            raise CorrectPacks(what, each.place, error.remedy) from error
    return chosen


def _counts_more(lower: Given, upper: Given) -> bool:
    """Of values that are as strict, a verified one counts, and then the one of the higher layer."""
    key = KEYS[lower.key]
    if is_stricter(key, lower.content, upper.content):
        return True
    as_strict = not is_stricter(key, upper.content, lower.content)
    return as_strict and lower.source.verified and not upper.source.verified


def _why_not(passed: Given, chosen: Given) -> str:
    if is_stricter(KEYS[passed.key], chosen.content, passed.content):
        return "it is only a target" if _is_target(passed) and not _is_target(chosen) else "it is less strict"
    same = chosen.pack == passed.pack
    if chosen.source.verified and not passed.source.verified:
        return f"{chosen.pack} is as strict, and verified"
    return f"{chosen.pack} is as strict, and {'for more cases' if same else 'a higher layer'}"


def _is_target(given: Given) -> bool:
    return isinstance(given.content, Stage) and given.content.rule.advisory


def _applies(given: Given, facts: Facts) -> bool:
    when = given.content.when if isinstance(given.content, Stage) else {}
    return all(facts.get(name) == value for name, value in when.items())


def _stage_name(given: Given) -> str | None:
    return given.content.name if isinstance(given.content, Stage) else None


def _plain(given: Given) -> dict[str, Any]:
    content: Any = given.content
    if isinstance(content, Stage):
        kind = type(content.rule.length).__name__
        content = {
            "name": content.name,
            "obliged": content.obliged,
            "starts_on": content.starts_on,
            "when": dict(content.when),
            "rule": asdict(content.rule) | {"unit": kind},
        }
    return {"pack": given.pack, "content": content, "source": asdict(given.source)}
