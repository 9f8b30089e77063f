"""The columns of a catalogue's table in their order: labels in both languages, scope, form and longest text.

The first 22 are the core metadata in the order of the guide (requirement A13); what the product needs beside
them follows after.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from services.control.catalogue.text import comparable
from services.control.catalogue.vocabulary import (
    BasisLevel,
    Cycle,
    FormatClass,
    Grade,
    ItemType,
    Language,
    Library,
    OpenType,
    ResourceClass,
    Sensitivity,
    ShareMode,
    Use,
    YesNo,
)
from topics.resource import ShareType


class Scope(Enum):
    """Whether a column says something of the entry or of one of its items."""

    ENTRY = "entry"
    ITEM = "item"


class Form(Enum):
    """What a cell of the column may hold."""

    TEXT = "text"
    CODE = "code"
    NUMBER = "number"
    DATE = "date"


class Field(StrEnum):
    """What an entry says, one column each, in the order of the table."""

    KIND = "kind"
    SECTION = "section"
    HEADING = "heading"
    DETAIL = "detail"
    NAME = "name"
    CODE = "code"
    PROVIDER = "provider"
    PROVIDER_CODE = "provider_code"
    SUMMARY = "summary"
    FORMAT_CLASS = "format_class"
    FORMAT_TYPE = "format_type"
    ITEM_NAME = "item_name"
    ITEM_TYPE = "item_type"
    ITEM_LENGTH = "item_length"
    SHARE_TYPE = "share_type"
    SHARE_CONDITION = "share_condition"
    SHARE_MODE = "share_mode"
    OPEN_TYPE = "open_type"
    OPEN_CONDITION = "open_condition"
    UPDATE_CYCLE = "update_cycle"
    PUBLISHED_ON = "published_on"
    RELATED = "related"
    NAME_EN = "name_en"
    RESOURCE_CLASS = "resource_class"
    LIBRARY = "library"
    SHARE_USE = "share_use"
    BASIS_LEVEL = "basis_level"
    BASIS = "basis"
    LICENSING = "licensing"
    HEAD_NAME = "head_name"
    HEAD_PHONE = "head_phone"
    DEPUTY_NAME = "deputy_name"
    DEPUTY_PHONE = "deputy_phone"
    CLERK_NAME = "clerk_name"
    CLERK_PHONE = "clerk_phone"
    ITEM_NAME_EN = "item_name_en"
    ITEM_KEY = "item_key"
    ITEM_SENSITIVITY = "item_sensitivity"
    ITEM_GRADE = "item_grade"
    ITEM_OWNER = "item_owner"


@dataclass(frozen=True, slots=True)
class Column:
    """How a field stands in a table; ``longest`` in characters, ``width`` in those of a spreadsheet."""

    zh: str
    en: str
    scope: Scope = Scope.ENTRY
    form: Form = Form.TEXT
    longest: int = 200
    width: int = 16
    values: type[StrEnum] | None = None


_ITEM, _CODE = Scope.ITEM, Form.CODE
COLUMNS: Final[dict[Field, Column]] = {
    Field.KIND: Column("类", "Class", form=_CODE, longest=1, width=5),
    Field.SECTION: Column("项", "Section", form=_CODE, longest=2, width=5),
    Field.HEADING: Column("目", "Heading", form=_CODE, longest=3, width=6),
    Field.DETAIL: Column("细目", "Detail", form=_CODE, longest=20, width=10),
    Field.NAME: Column("信息资源名称", "Name", longest=100, width=28),
    Field.CODE: Column("信息资源代码", "Code", form=_CODE, longest=60, width=20),
    Field.PROVIDER: Column("信息资源提供方", "Provider", longest=100, width=20),
    Field.PROVIDER_CODE: Column("信息资源提供方代码", "Provider's code", form=_CODE, longest=18, width=22),
    Field.SUMMARY: Column("信息资源摘要", "Summary", longest=2000, width=40),
    Field.FORMAT_CLASS: Column("信息资源格式分类", "Format class", values=FormatClass),
    Field.FORMAT_TYPE: Column("信息资源格式类型", "Format type", longest=40),
    Field.ITEM_NAME: Column("信息项名称", "Item", _ITEM, longest=100, width=24),
    Field.ITEM_TYPE: Column("数据类型", "Item type", _ITEM, values=ItemType),
    Field.ITEM_LENGTH: Column("数据长度", "Item length", _ITEM, Form.NUMBER, longest=9, width=9),
    Field.SHARE_TYPE: Column("共享类型", "Share type", values=ShareType),
    Field.SHARE_CONDITION: Column("共享条件", "Share condition", longest=1000, width=30),
    Field.SHARE_MODE: Column("共享方式", "Share mode", values=ShareMode, width=22),
    Field.OPEN_TYPE: Column("是否向社会开放", "Open to the public", values=OpenType),
    Field.OPEN_CONDITION: Column("开放条件", "Condition of opening", longest=1000, width=30),
    Field.UPDATE_CYCLE: Column("更新周期", "Update cycle", values=Cycle, width=10),
    Field.PUBLISHED_ON: Column("发布日期", "Date of publication", form=Form.DATE, longest=10, width=12),
    Field.RELATED: Column("关联资源代码", "Related codes", form=_CODE, longest=2000, width=24),
    Field.NAME_EN: Column("信息资源英文名称", "English name", width=28),
    Field.RESOURCE_CLASS: Column("信息资源属性分类", "Resource class", values=ResourceClass),
    Field.LIBRARY: Column("基础库或主题库", "Library or theme", values=Library),
    Field.SHARE_USE: Column("共享用途", "Use", values=Use, width=12),
    Field.BASIS_LEVEL: Column("共享依据层级", "Level of basis", values=BasisLevel),
    Field.BASIS: Column("共享依据", "Basis", longest=1000, width=30),
    Field.LICENSING: Column("是否涉及行政许可", "Licensing data", values=YesNo, width=10),
    Field.HEAD_NAME: Column("第一责任人", "Head", longest=50, width=12),
    Field.HEAD_PHONE: Column("第一责任人电话", "Head's phone", form=_CODE, longest=30),
    Field.DEPUTY_NAME: Column("分管负责人", "Deputy", longest=50, width=12),
    Field.DEPUTY_PHONE: Column("分管负责人电话", "Deputy's phone", form=_CODE, longest=30),
    Field.CLERK_NAME: Column("专人", "Clerk", longest=50, width=12),
    Field.CLERK_PHONE: Column("专人电话", "Clerk's phone", form=_CODE, longest=30),
    Field.ITEM_NAME_EN: Column("信息项英文名称", "Item's English name", _ITEM, width=24),
    Field.ITEM_KEY: Column("是否主键", "Key", _ITEM, values=YesNo, width=9),
    Field.ITEM_SENSITIVITY: Column("敏感类别", "Sensitivity", _ITEM, values=Sensitivity),
    Field.ITEM_GRADE: Column("数据分级", "Grade", _ITEM, values=Grade, width=9),
    Field.ITEM_OWNER: Column("信息项责任部门", "Item's owner", _ITEM, longest=100, width=20),
}

CORE: Final = frozenset(tuple(Field)[:22])
"""The columns that every table must have."""
ENTRY_FIELDS: Final = tuple(each for each in Field if COLUMNS[each].scope is Scope.ENTRY)
ITEM_FIELDS: Final = tuple(each for each in Field if COLUMNS[each].scope is Scope.ITEM)
_BY_LABEL: Final = {
    comparable(label): each for each in Field for label in (COLUMNS[each].zh, COLUMNS[each].en, each.value)
}


def label(which: Field, language: Language = Language.ZH) -> str:
    """What the column is called."""
    return COLUMNS[which].zh if language is Language.ZH else COLUMNS[which].en


def by_label(text: str) -> Field | None:
    """The field of a heading in either language; stars, brackets, white space and width do not count."""
    return _BY_LABEL.get(comparable(text))
