"""The closed lists of a catalogue: each value with its Chinese and English word and its official code.

Codes are those that public implementations of the guide 发改高技〔2017〕1272号 use (requirement A13).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final, TypeVar

from services.control.catalogue.text import comparable
from topics.resource import ShareType

Member = TypeVar("Member", bound=StrEnum)


class Language(StrEnum):
    """The languages in which a catalogue speaks to people."""

    ZH = "zh"
    EN = "en"


class ResourceClass(StrEnum):
    """Whom a resource serves (requirements A2-14, A2-15, A2-16)."""

    BASIC = "basic"
    THEME = "theme"
    DEPARTMENT = "department"


class Library(StrEnum):
    """The basic libraries (A2-14) and the themes (A2-15); which of them count is a parameter (C14, C15)."""

    POPULATION = "population"
    LEGAL_PERSONS = "legal_persons"
    NATURAL_RESOURCES = "natural_resources"
    LICENCES = "licences"
    SOCIAL_CREDIT = "social_credit"
    MACRO_ECONOMY = "macro_economy"
    PUBLIC_SERVICES = "public_services"
    HEALTH = "health"
    SOCIAL_SECURITY = "social_security"
    FOOD_AND_DRUGS = "food_and_drugs"
    SAFETY_AT_WORK = "safety_at_work"
    PRICES = "prices"
    ENERGY = "energy"
    CREDIT_SYSTEM = "credit_system"
    CONSTRUCTION = "construction"
    COMMUNITY = "community"
    ENVIRONMENT = "environment"
    EMERGENCY = "emergency"
    POVERTY = "poverty"
    GOVERNMENT_SERVICES = "government_services"


BASIC_LIBRARIES: Final = tuple(Library)[:6]
THEMES: Final = tuple(Library)[6:]


class FormatClass(StrEnum):
    """In which kind of form a resource lies with its provider."""

    FILE = "file"
    SPREADSHEET = "spreadsheet"
    DATABASE = "database"
    IMAGE = "image"
    STREAM = "stream"
    SELF_DESCRIBING = "self_describing"
    INTERFACE = "interface"


class ItemType(StrEnum):
    """The type of an item."""

    TEXT = "text"
    NUMBER = "number"
    CURRENCY = "currency"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    MEMO = "memo"
    GENERAL = "general"
    DOUBLE = "double"
    INTEGER = "integer"
    FLOAT = "float"


class ShareMode(StrEnum):
    """By which way a resource is shared."""

    DATABASE = "database"
    INTERFACE = "interface"
    FILE = "file"
    MAIL = "mail"
    MEDIUM = "medium"


class OpenType(StrEnum):
    """Whether the public may have it (requirement A10-02)."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    NOT_OPEN = "not_open"


class Cycle(StrEnum):
    """How often a resource promises to be renewed: the bus's cycles, and those without a period."""

    REAL_TIME = "real_time"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"
    IRREGULAR = "irregular"
    OTHER = "other"


class Use(StrEnum):
    """What a conditional resource may be used for (requirement A3-06)."""

    ADMINISTRATIVE_BASIS = "administrative_basis"
    WORKING_REFERENCE = "working_reference"
    VERIFICATION = "verification"
    COLLABORATION = "collaboration"


class BasisLevel(StrEnum):
    """From where a basis for sharing less comes; which levels suffice is a parameter (C5)."""

    LAW = "law"
    ADMINISTRATIVE_REGULATION = "administrative_regulation"
    CENTRAL_POLICY = "central_policy"
    DEPARTMENT_RULE = "department_rule"
    LOCAL_REGULATION = "local_regulation"
    LOCAL_RULE = "local_rule"
    PROVINCE_POLICY = "province_policy"
    CITY_POLICY = "city_policy"
    COUNTY_POLICY = "county_policy"
    INSTITUTION = "institution"


class Sensitivity(StrEnum):
    """Whom an item could hurt (requirement A11-13)."""

    NONE = "none"
    PERSONAL = "personal"
    SENSITIVE_PERSONAL = "sensitive_personal"
    BUSINESS_SECRET = "business_secret"  # noqa: S105 - the word of a grade, no password


class Grade(StrEnum):
    """The grade of an item's data (GB/T 43697)."""

    GENERAL = "general"
    IMPORTANT = "important"
    CORE = "core"


class YesNo(StrEnum):
    """An answer in a cell."""

    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Term:
    """The words of one value; files are written with ``zh`` and read with any of its words."""

    zh: str
    en: str
    code: str = ""
    others: tuple[str, ...] = ()


_R, _L, _F, _I, _M = ResourceClass, Library, FormatClass, ItemType, ShareMode
_TERMS: Final[tuple[tuple[StrEnum, Term], ...]] = (
    (_R.BASIC, Term("基础信息资源", "basic", "1", ("基础", "基础信息资源类"))),
    (_R.THEME, Term("主题信息资源", "theme", "2", ("主题", "主题信息资源类"))),
    (_R.DEPARTMENT, Term("部门信息资源", "department", "3", ("部门", "部门信息资源类"))),
    (_L.POPULATION, Term("人口", "population", others=("人口信息", "人口库"))),
    (_L.LEGAL_PERSONS, Term("法人单位", "legal persons", others=("法人", "法人库"))),
    (_L.NATURAL_RESOURCES, Term("自然资源和空间地理", "natural resources and geography")),
    (_L.LICENCES, Term("电子证照", "electronic licences")),
    (_L.SOCIAL_CREDIT, Term("社会信用", "social credit")),
    (_L.MACRO_ECONOMY, Term("宏观经济", "macro-economy")),
    (_L.PUBLIC_SERVICES, Term("公共服务", "public services")),
    (_L.HEALTH, Term("健康保障", "health")),
    (_L.SOCIAL_SECURITY, Term("社会保障", "social security")),
    (_L.FOOD_AND_DRUGS, Term("食品药品安全", "food and drugs")),
    (_L.SAFETY_AT_WORK, Term("安全生产", "safety at work")),
    (_L.PRICES, Term("价格监管", "prices")),
    (_L.ENERGY, Term("能源安全", "energy")),
    (_L.CREDIT_SYSTEM, Term("信用体系", "credit system")),
    (_L.CONSTRUCTION, Term("城乡建设", "construction")),
    (_L.COMMUNITY, Term("社区治理", "community")),
    (_L.ENVIRONMENT, Term("生态环保", "environment")),
    (_L.EMERGENCY, Term("应急维稳", "emergency")),
    (_L.POVERTY, Term("精准扶贫", "relief of poverty")),
    (_L.GOVERNMENT_SERVICES, Term("政务服务", "government services")),
    (_F.FILE, Term("电子文件", "file", "1")),
    (_F.SPREADSHEET, Term("电子表格", "spreadsheet", "2")),
    (_F.DATABASE, Term("数据库", "database", "3", ("数据库类",))),
    (_F.IMAGE, Term("图形图像", "image", "4")),
    (_F.STREAM, Term("流媒体", "stream", "5")),
    (_F.SELF_DESCRIBING, Term("自描述格式", "self-describing", "6")),
    (_F.INTERFACE, Term("服务接口", "interface", "7", ("接口",))),
    (_I.TEXT, Term("字符型C", "text", "C", ("字符型", "字符串型C", "字符串型"))),
    (_I.NUMBER, Term("数值型N", "number", "N", ("数值型",))),
    (_I.CURRENCY, Term("货币型Y", "currency", "Y", ("货币型",))),
    (_I.DATE, Term("日期型D", "date", "D", ("日期型",))),
    (_I.TIMESTAMP, Term("日期时间型T", "timestamp", "T", ("日期时间型",))),
    (_I.BOOLEAN, Term("逻辑型L", "boolean", "L", ("逻辑型",))),
    (_I.MEMO, Term("备注型M", "memo", "M", ("备注型",))),
    (_I.GENERAL, Term("通用型G", "general", "G", ("通用型",))),
    (_I.DOUBLE, Term("双精度型B", "double", "B", ("双精度型",))),
    (_I.INTEGER, Term("整型I", "integer", "I", ("整型",))),
    (_I.FLOAT, Term("浮点型F", "float", "F", ("浮点型",))),
    (ShareType.UNCONDITIONAL, Term("无条件共享", "unconditional", "1", ("无条件",))),
    (ShareType.CONDITIONAL, Term("有条件共享", "conditional", "2", ("有条件",))),
    (ShareType.NOT_SHARED, Term("不予共享", "not shared", "3", ("不共享", "不予"))),
    (_M.DATABASE, Term("共享平台方式-数据库", "platform: database", others=("数据库",))),
    (_M.INTERFACE, Term("共享平台方式-接口", "platform: interface", others=("接口", "服务接口"))),
    (_M.FILE, Term("共享平台方式-文件", "platform: file", others=("文件",))),
    (_M.MAIL, Term("邮件方式", "mail", others=("邮件",))),
    (_M.MEDIUM, Term("介质方式", "medium", others=("介质",))),
    (OpenType.UNCONDITIONAL, Term("无条件开放", "open", "1", ("是", "开放"))),
    (OpenType.CONDITIONAL, Term("有条件开放", "open on condition")),
    (OpenType.NOT_OPEN, Term("不予开放", "not open", "0", ("否", "不开放"))),
    (Cycle.REAL_TIME, Term("实时", "real time", "1")),
    (Cycle.DAILY, Term("每日", "daily", "2", ("每天",))),
    (Cycle.WEEKLY, Term("每周", "weekly", "3")),
    (Cycle.MONTHLY, Term("每月", "monthly", "4")),
    (Cycle.QUARTERLY, Term("每季度", "quarterly", "5")),
    (Cycle.YEARLY, Term("每年", "yearly", "6")),
    (Cycle.HALF_YEARLY, Term("每半年", "half-yearly")),
    (Cycle.HOURLY, Term("每小时", "hourly")),
    (Cycle.IRREGULAR, Term("不定时", "irregular", others=("不定期",))),
    (Cycle.OTHER, Term("其他", "other")),
    (Use.ADMINISTRATIVE_BASIS, Term("行政依据", "administrative basis")),
    (Use.WORKING_REFERENCE, Term("工作参考", "working reference")),
    (Use.VERIFICATION, Term("数据校核", "verification", others=("用于数据校核",))),
    (Use.COLLABORATION, Term("业务协同", "collaboration", others=("用于业务协同",))),
    (BasisLevel.LAW, Term("法律", "law")),
    (BasisLevel.ADMINISTRATIVE_REGULATION, Term("行政法规", "administrative regulation")),
    (
        BasisLevel.CENTRAL_POLICY,
        Term("党中央国务院政策", "central policy", others=("党中央、国务院政策依据",)),
    ),
    (BasisLevel.DEPARTMENT_RULE, Term("部门规章", "department rule")),
    (BasisLevel.LOCAL_REGULATION, Term("地方性法规", "local regulation")),
    (BasisLevel.LOCAL_RULE, Term("地方政府规章", "local rule")),
    (BasisLevel.PROVINCE_POLICY, Term("省级政策", "province's policy")),
    (BasisLevel.CITY_POLICY, Term("市级政策", "city's policy")),
    (BasisLevel.COUNTY_POLICY, Term("县级政策", "county's policy")),
    (BasisLevel.INSTITUTION, Term("规章制度", "institution's rules")),
    (Sensitivity.NONE, Term("非敏感", "none")),
    (Sensitivity.PERSONAL, Term("个人信息", "personal")),
    (Sensitivity.SENSITIVE_PERSONAL, Term("敏感个人信息", "sensitive personal")),
    (Sensitivity.BUSINESS_SECRET, Term("商业秘密", "business secret")),
    (Grade.GENERAL, Term("一般", "general", others=("一般数据",))),
    (Grade.IMPORTANT, Term("重要", "important", others=("重要数据",))),
    (Grade.CORE, Term("核心", "core", others=("核心数据",))),
    (YesNo.YES, Term("是", "yes", "1")),
    (YesNo.NO, Term("否", "no", "0")),
)
TERMS: Final = {(type(value), value.value): term for value, term in _TERMS}
"""By list and value: a value of one list equals the same text of another."""


FORMAT_TYPES: Final[dict[FormatClass, frozenset[str]]] = {
    _F.FILE: frozenset({"ofd", "wps", "xml", "txt", "doc", "docx", "html", "pdf", "ppt", "pptx"}),
    _F.SPREADSHEET: frozenset({"et", "xls", "xlsx", "csv"}),
    _F.DATABASE: frozenset(
        {"dm", "kingbasees", "access", "dbf", "dbase", "sybase", "oracle", "sqlserver", "db2", "mysql"}
        | {"postgresql", "opengauss", "gaussdb", "oceanbase", "tidb"}
    ),
    _F.IMAGE: frozenset({"jpg", "jpeg", "gif", "bmp", "png", "tif", "tiff"}),
    _F.STREAM: frozenset({"swf", "rm", "mpg", "mp4", "mp3", "avi", "wav"}),
    _F.SELF_DESCRIBING: frozenset({"avro", "json", "jsonl"}),
    _F.INTERFACE: frozenset({"rest", "webservice", "soap", "kafka"}),
}
"""Sub types by class, in lower case; others are allowed, those of another class are not."""

MODES_OF_FORMAT: Final[dict[FormatClass, frozenset[ShareMode]]] = {
    **dict.fromkeys((_F.FILE, _F.SPREADSHEET, _F.IMAGE, _F.STREAM), frozenset({_M.FILE})),
    _F.DATABASE: frozenset({_M.DATABASE, _M.INTERFACE}),
    _F.SELF_DESCRIBING: frozenset({_M.DATABASE, _M.INTERFACE, _M.FILE}),
    _F.INTERFACE: frozenset({_M.INTERFACE}),
}
"""By which platform mode a format can be shared."""


def word(value: StrEnum, language: Language = Language.ZH) -> str:
    """The word of a value for people."""
    term = TERMS[type(value), value.value]
    return term.zh if language is Language.ZH else term.en


def read(kind: type[Member], text: str) -> Member | None:
    """The value that a text means: its word in either language, its code or its name; None for none."""
    return _readings(kind).get(comparable(text))


@cache
def _readings(kind: type[Member]) -> dict[str, Member]:
    return {comparable(each): value for value in kind for each in _spellings(value)}


def _spellings(value: StrEnum) -> Iterator[str]:
    term = TERMS[type(value), value.value]
    yield from (term.zh, term.en, value.value, *term.others)
    if term.code:
        yield term.code
