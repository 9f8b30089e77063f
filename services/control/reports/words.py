"""The kinds of reports and what each figure is: its title, its unit, the requirement that names it; pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What there are reports on."""

    DEPARTMENT = "department"
    """A department's year, for the authority (A12-01)."""
    AUTHORITY = "authority"
    """The year of all departments, for the government (A12-02)."""
    CENSUS = "census"
    """The six figures of the census: what there is, is shared, is open."""
    DUTIES = "duties"
    """How far the responsibility list is fulfilled (A2-08, A12-04)."""
    OVERDUE = "overdue"
    """Duties that were not done in time (A12-08)."""
    EVALUATION = "evaluation"
    """Every department by the same figures (A12-03, A12-04)."""


class Unit(StrEnum):
    """What a figure counts."""

    COUNT = "count"
    RECORDS = "records"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Titled:
    """A name in both languages."""

    zh: str
    en: str


KINDS: Final = {
    Kind.DEPARTMENT: Titled("部门年度报告", "annual report of a department"),
    Kind.AUTHORITY: Titled("主管部门年度报告", "annual report of the authority"),
    Kind.CENSUS: Titled("数据资源普查六项指标", "the census' six figures"),
    Kind.DUTIES: Titled("采集责任清单落实情况", "fulfilment of the responsibility list"),
    Kind.OVERDUE: Titled("逾期清单", "overdue list"),
    Kind.EVALUATION: Titled("部门评价表", "evaluation table by department"),
}


class Measure(StrEnum):
    """A figure; the rows behind each are found by its name, the year and the department."""

    ENTRIES = "entries"
    PUBLISHED = "published"
    MOUNTED = "mounted"
    FRESH = "fresh"
    ASKED = "asked"
    ANSWERED = "answered"
    REFUSED = "refused"
    LATE = "late"
    ACTIVE = "active"
    REQUESTED = "requested"
    USED = "used"
    PROBLEMS = "problems"
    PROBLEMS_OPEN = "problems_open"
    NEEDS = "needs"
    OBJECTIONS = "objections"
    DUTIES = "duties"
    FULFILLED = "fulfilled"
    OVERDUE = "overdue"
    ACCEPTED = "accepted"
    STOPPED = "stopped"
    SUPPLIED = "supplied"
    RECEIVED = "received"
    TOTAL_BYTES = "total_bytes"
    TOTAL_RECORDS = "total_records"
    SHARED_BYTES = "shared_bytes"
    SHARED_RECORDS = "shared_records"
    OPEN_BYTES = "open_bytes"
    OPEN_RECORDS = "open_records"


@dataclass(frozen=True, slots=True)
class About:
    """What a figure is; ``yearly`` says that it counts one year, else what stands when it is asked."""

    title: Titled
    rule: str
    yearly: bool = False
    unit: Unit = Unit.COUNT


def _about(zh: str, en: str, rule: str, *, yearly: bool = False, unit: Unit = Unit.COUNT) -> About:
    return About(Titled(zh, en), rule, yearly, unit)


_M, _BYTES, _RECORDS = Measure, Unit.BYTES, Unit.RECORDS
ABOUT: Final = {
    _M.ENTRIES: _about("已发布目录数", "published entries", "A12-04"),
    _M.PUBLISHED: _about("本年发布次数", "publications in the year", "A12-04", yearly=True),
    _M.MOUNTED: _about("已挂接数据的目录数", "entries with data behind them", "A2-11"),
    _M.FRESH: _about("按更新周期更新的目录数", "entries as fresh as their cycle says", "A4-13"),
    _M.ASKED: _about("本年收到的共享申请", "applications received in the year", "A12-04", yearly=True),
    _M.ANSWERED: _about("本年同意的共享申请", "applications approved in the year", "A12-04", yearly=True),
    _M.REFUSED: _about("本年不同意的共享申请", "applications refused in the year", "A6-04", yearly=True),
    _M.LATE: _about("本年逾期的答复与供数", "duties of cases late in the year", "A12-08", yearly=True),
    _M.ACTIVE: _about("正在提供的共享授权", "grants being supplied", "A12-04"),
    _M.REQUESTED: _about("本年提出的共享申请", "applications made in the year", "A12-04", yearly=True),
    _M.USED: _about("正在使用的共享授权", "grants in use", "A12-04"),
    _M.PROBLEMS: _about("本年收到的数据疑义", "problem reports received in the year", "A9-04", yearly=True),
    _M.PROBLEMS_OPEN: _about("未办结的数据疑义", "problem reports not closed", "A9-05"),
    _M.NEEDS: _about("本年提出的数据需求", "needs stated in the year", "A2-09", yearly=True),
    _M.OBJECTIONS: _about("本年收到的开放异议", "objections received in the year", "A10-04", yearly=True),
    _M.DUTIES: _about("采集责任项", "items to be collected", "A2-08"),
    _M.FULFILLED: _about("已落实的采集责任项", "items that are collected", "A2-08"),
    _M.OVERDUE: _about("逾期事项", "overdue duties", "A12-08"),
    _M.ACCEPTED: _about(
        "本年汇聚记录数", "records accepted in the year", "A12-04", yearly=True, unit=_RECORDS
    ),
    _M.STOPPED: _about("本年拦截记录数", "records stopped in the year", "A5-07", yearly=True, unit=_RECORDS),
    _M.SUPPLIED: _about(
        "本年提供记录数", "records supplied in the year", "A12-04", yearly=True, unit=_RECORDS
    ),
    _M.RECEIVED: _about(
        "本年使用记录数", "records received in the year", "A12-04", yearly=True, unit=_RECORDS
    ),
    _M.TOTAL_BYTES: _about("总存储量", "total storage", "A12-04", unit=_BYTES),
    _M.TOTAL_RECORDS: _about("结构化数据记录数", "structured records", "A12-04", unit=_RECORDS),
    _M.SHARED_BYTES: _about("共享数据存储量", "shared storage", "A12-04", unit=_BYTES),
    _M.SHARED_RECORDS: _about("共享数据记录数", "shared records", "A12-04", unit=_RECORDS),
    _M.OPEN_BYTES: _about("开放数据存储量", "opened storage", "A12-04", unit=_BYTES),
    _M.OPEN_RECORDS: _about("开放数据记录数", "opened records", "A12-04", unit=_RECORDS),
}
CENSUS: Final = (
    _M.TOTAL_BYTES,
    _M.TOTAL_RECORDS,
    _M.SHARED_BYTES,
    _M.SHARED_RECORDS,
    _M.OPEN_BYTES,
    _M.OPEN_RECORDS,
)
OF_A_YEAR: Final = tuple(each for each in Measure if each not in CENSUS)
FIGURES: Final = {
    Kind.DEPARTMENT: OF_A_YEAR,
    Kind.AUTHORITY: (*OF_A_YEAR, *CENSUS),
    Kind.CENSUS: CENSUS,
    Kind.DUTIES: (_M.DUTIES, _M.FULFILLED),
    Kind.OVERDUE: (_M.OVERDUE,),
    Kind.EVALUATION: OF_A_YEAR,
}
"""Which figures a report has, in its order."""
APPENDIX: Final = {Kind.DUTIES: _M.DUTIES, Kind.OVERDUE: _M.OVERDUE}
"""Lists: of these the rows behind a figure stand in the report, one by one."""
