"""The keys that policy packs may give values for: what each is, and how values of several layers merge."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.control.catalogue.vocabulary import BASIC_LIBRARIES, THEMES, BasisLevel, Grade


class Kind(StrEnum):
    """What a value is."""

    DEADLINE = "deadline"
    """Stages with clocks; the shorter is the stricter."""
    NOTICE = "notice"
    """Stages with clocks that count back from an event; the longer is the stricter."""
    RETENTION = "retention"
    """Days for which something is kept; the longer is the stricter."""
    CHOICE = "choice"
    """One of a few words, given from the most lenient to the strictest."""
    LIST = "list"
    """Some of a few words; what takes fewer of them is the stricter."""


class Merge(StrEnum):
    """Which of several layers' values counts."""

    STRICTEST = "strictest"
    """The strictest one: a lower layer may tighten, never loosen."""
    LOCAL_OVERRIDES = "local_overrides"
    """The one of the lowest layer that has a value."""


@dataclass(frozen=True, slots=True)
class PolicyKey:
    """One key: ``rules`` are ids of the requirements it is about, ``choices`` the words that there are."""

    name: str
    kind: Kind
    merge: Merge
    zh: str
    en: str
    rules: tuple[str, ...]
    choices: tuple[str, ...] = ()


def _clock(name: str, zh: str, en: str, *rules: str, kind: Kind = Kind.DEADLINE) -> PolicyKey:
    return PolicyKey(name, kind, Merge.STRICTEST, zh, en, rules)


def _choice(name: str, merge: Merge, zh: str, en: str, rules: tuple[str, ...], *choices: str) -> PolicyKey:
    return PolicyKey(name, Kind.CHOICE, merge, zh, en, rules, choices)


def _words(
    name: str, merge: Merge, zh: str, en: str, rules: tuple[str, ...], words: Iterable[str]
) -> PolicyKey:
    return PolicyKey(name, Kind.LIST, merge, zh, en, rules, tuple(map(str, words)))


_STRICTEST, _LOCAL = Merge.STRICTEST, Merge.LOCAL_OVERRIDES

_KEYS: Final = (
    _clock("clocks.catalog.apply", "目录更新申请", "ask for an update of the catalogue", "A2-05", "A2-07"),
    _clock("clocks.catalog.review", "目录更新审核", "review an update of the catalogue", "A2-06"),
    _clock("clocks.interface.delivery", "接口交付", "deliver an interface that was ordered", "A4-05"),
    _clock(
        "clocks.subscription.unconditional_reply",
        "无条件共享申请答复",
        "reply to a request for what is shared unconditionally",
        "A6-02",
    ),
    _clock(
        "clocks.subscription.provider_reply",
        "有条件共享申请答复",
        "reply to a request for what is shared conditionally",
        "A6-03",
    ),
    _clock("clocks.subscription.supply", "同意后提供数据", "supply what was consented to", "A6-05"),
    _clock("clocks.problem.dispatch", "问题数据分派", "dispatch reported problem data", "A9-03"),
    _clock("clocks.problem.verify", "问题数据核实", "verify reported problem data", "A9-04"),
    _clock("clocks.problem.correct", "问题数据更正", "correct problem data at the source", "A9-05"),
    _clock(
        "clocks.open.objection", "开放目录异议答复", "reply to an objection to the open directory", "A10-04"
    ),
    _clock(
        "clocks.open.request", "有条件开放申请答复", "reply to a request for conditional opening", "A10-05"
    ),
    _clock("clocks.maintenance.notice", "维护预告", "announce maintenance", "A11-08", kind=Kind.NOTICE),
    _clock("calendar.annual_report.department", "部门年度报告", "annual report of a department", "A12-01"),
    _clock(
        "calendar.annual_report.authority", "主管部门年度报告", "annual report of the authority", "A12-02"
    ),
    PolicyKey(
        "retention.audit.min_days",
        Kind.RETENTION,
        _STRICTEST,
        "日志留存天数",
        "days that logs are kept",
        ("A11-01",),
    ),
    _choice(
        "subscription.unconditional",
        _LOCAL,
        "无条件共享的获取方式",
        "how what is shared unconditionally is obtained",
        ("A6-02", "A8-08"),
        "auto",
        "file_and_commit",
    ),
    _choice(
        "workflow.subscription.decides",
        _LOCAL,
        "有条件共享申请决定方",
        "who decides on requests for what is shared conditionally",
        ("A6-06",),
        "provider",
        "authority",
    ),
    _choice(
        "workflow.problem.route",
        _LOCAL,
        "问题数据受理方",
        "who receives reports of problem data",
        ("A9-02",),
        "provider",
        "authority",
        "both",
    ),
    _choice(
        "modes.batch",
        _STRICTEST,
        "批量交换",
        "batch exchange",
        ("A7-03", "A7-04"),
        "allowed",
        "last_resort",
    ),
    _choice(
        "use.third_party",
        _STRICTEST,
        "提供给第三方",
        "handing on to third parties",
        ("A8-02",),
        "dual_consent",
        "forbid",
    ),
    _choice(
        "ingest.required",
        _STRICTEST,
        "汇聚方式",
        "how data is brought together",
        ("A4-01", "A4-02", "A4-04"),
        "interface",
        "incremental",
        "realtime_full",
    ),
    _words(
        "basis.deny.allowed_levels",
        _STRICTEST,
        "不予共享依据的层级",
        "levels of basis that suffice for not sharing",
        ("A3-03",),
        BasisLevel,
    ),
    _choice(
        "basis.conditional.required",
        _STRICTEST,
        "有条件共享须有依据",
        "whether what is shared conditionally needs a basis",
        ("A3-04",),
        "not_required",
        "required",
    ),
    _choice(
        "catalog.update.filing",
        _STRICTEST,
        "目录更新备案",
        "whether an update of the catalogue is filed",
        ("A2-07",),
        "not_required",
        "required",
    ),
    _choice(
        "grade.masked_from",
        _STRICTEST,
        "自该级起仅脱敏提供",
        "from which grade on an item goes out masked only",
        ("A3-11",),
        *map(str, reversed(Grade)),
    ),
    _choice(
        "grade.checked_from",
        _STRICTEST,
        "自该级起先由主管部门初审",
        "from which grade on the authority checks an application first",
        ("A3-11",),
        *map(str, reversed(Grade)),
    ),
    _words("taxonomy.basic", _LOCAL, "基础信息资源库", "basic libraries", ("A2-14",), BASIC_LIBRARIES),
    _words("taxonomy.theme", _LOCAL, "主题信息资源库", "themes", ("A2-15",), THEMES),
)

KEYS: Final = MappingProxyType({each.name: each for each in _KEYS})
"""Each key by its name."""
