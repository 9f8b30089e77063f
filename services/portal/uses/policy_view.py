"""Values of policy packs in words of both languages: lengths of clocks, and the choices of a policy."""

from collections.abc import Mapping
from typing import Final

from services.control.catalogue.vocabulary import BasisLevel, Grade, Language, Library, word
from services.control.clocks.merge import in_words
from services.control.clocks.pack import Given
from services.control.clocks.policy_keys import KEYS, Kind
from services.control.clocks.rules import (
    AgreedDate,
    ClockRule,
    FixedDate,
    Length,
    NaturalDays,
    Stage,
    WorkingDays,
)
from services.control.docket.bound import CHECKED_FROM, MASKED_FROM
from services.control.docket.catalogue_rules import BASIC, DENIAL, THEMES

_CHOICES: Final[Mapping[str, tuple[str, str]]] = {
    "auto": ("直接获取", "at once, without a form"),
    "file_and_commit": ("备案并承诺", "with a filing form and a commitment"),
    "provider": ("提供部门", "the provider"),
    "authority": ("主管部门", "the authority"),
    "both": ("提供部门，并告知主管部门", "the provider, and the authority is told"),
    "allowed": ("允许", "allowed"),
    "last_resort": ("仅作为最后方式", "as a last resort"),
    "dual_consent": ("须双方同意", "with the consent of both sides"),
    "not_required": ("不要求", "not required"),
    "required": ("要求", "required"),
    "forbid": ("禁止", "forbidden"),
    "interface": ("接口", "over an interface"),
    "incremental": ("增量汇聚", "each change"),
    "realtime_full": ("实时全量汇聚", "all of it in real time"),
}
"""The choices of ``policy_keys``, in Chinese and English."""
_LISTS: Final[Mapping[str, type[BasisLevel | Library]]] = {
    DENIAL: BasisLevel,
    BASIC: Library,
    THEMES: Library,
}
"""Of which words the lists of words are."""


def value_in_words(given: Given, language: Language) -> str:
    """A value for a person, such as ``5 个工作日`` or ``5 working days``."""
    content = given.content
    if isinstance(content, tuple):
        kind = _LISTS[given.key]
        return ("、" if language is Language.ZH else ", ").join(
            word(kind(each), language) for each in content
        )
    if given.key in (MASKED_FROM, CHECKED_FROM):
        return word(Grade(str(content)), language)
    if isinstance(content, str):
        return choice_in_words(content, language)
    if language is Language.EN:
        return in_words(given)
    if isinstance(content, Stage):
        return _rule(content.rule, KEYS[given.key].kind)
    return f"{content} 日"


def choice_in_words(choice: str, language: Language) -> str:
    """A choice of a policy key; one that nobody has named stays as it is."""
    both = _CHOICES.get(choice)
    if both is None:
        return choice
    return both[0] if language is Language.ZH else both[1]


def _rule(rule: ClockRule, kind: Kind) -> str:
    before = "提前 " if kind is Kind.NOTICE else ""
    more = ""
    if rule.extension is not None:
        approver = choice_in_words(rule.extension.approver, Language.ZH)
        more = f"，经{approver}批准可延长一次，最多 {rule.extension.most} 日"
    return f"{before}{_length(rule.length)}{more}{'（工作目标）' if rule.advisory else ''}"


def _length(length: Length) -> str:
    match length:
        case WorkingDays(0):
            return "当日"
        case WorkingDays(count):
            return f"{count} 个工作日"
        case NaturalDays(count):
            return f"{count} 日"
        case FixedDate(month, None):
            return f"{month} 月底前"
        case FixedDate(month, day):
            return f"{month} 月 {day} 日前"
        case AgreedDate():
            return "约定日期"
