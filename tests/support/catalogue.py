"""Catalogue entries for tests: a complete one to change, and strategies for all that are valid."""

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import strategies as st

from services.control.catalogue.entry import (
    CLASS_OF_DIGIT,
    Contact,
    Contacts,
    Department,
    Entry,
    EntryItem,
    Format,
    Opening,
    ResourceCode,
    Sharing,
)
from services.control.catalogue.fields import COLUMNS, Field
from services.control.catalogue.parameters import NATIONAL_LEVELS
from services.control.catalogue.text import is_placeholder, tidy, unreadable
from services.control.catalogue.vocabulary import (
    BASIC_LIBRARIES,
    MODES_OF_FORMAT,
    THEMES,
    Cycle,
    FormatClass,
    Grade,
    ItemType,
    Library,
    OpenType,
    ResourceClass,
    Sensitivity,
    ShareMode,
    Use,
)
from topics.resource import ShareType

CODES = ("113205000140832149", "11320500014083564F", "11320500014083919G")
COMPLETE = Entry(
    code=ResourceCode("3", "01", "320", "5", "000001"),
    name="居住证办理信息",
    provider=Department("公安局", CODES[0]),
    summary="居住证的申领、签注和注销",
    form=Format(FormatClass.DATABASE, "PostgreSQL"),
    items=(
        EntryItem("证件号码", ItemType.TEXT, 18, "Number", True, Sensitivity.PERSONAL, Grade.GENERAL),
        EntryItem("签注日期", ItemType.DATE, None, "", False, Sensitivity.NONE, Grade.GENERAL),
    ),
    sharing=Sharing(mode=ShareMode.INTERFACE),
    opening=Opening(OpenType.NOT_OPEN, "《个人信息保护法》第二十五条"),
    update_cycle=Cycle.DAILY,
    resource_class=ResourceClass.DEPARTMENT,
    contacts=Contacts(Contact("甲", "0512-1"), Contact("乙", "0512-2"), Contact("丙", "0512-3")),
)
_LETTERS = (
    "人口企业许可证书编号日期地址甲乙丙丁的了𠮷龘ABCxyz019  　，。、（）“”《》'\"=+-@,;\n\t\\/_#%&<>·—＝"
)


def entry(**changes: Any) -> Entry:
    """The complete entry, changed."""
    return replace(COMPLETE, **changes)


def item(**changes: Any) -> EntryItem:
    """A complete item, changed."""
    return replace(COMPLETE.items[1], **changes)


def texts(field: Field, least: int = 1, most: int = 20) -> st.SearchStrategy[str]:
    """Texts that may stand in the field, whatever signs they begin with."""
    longest = min(most, COLUMNS[field].longest)
    made = st.text(st.sampled_from(_LETTERS), min_size=least, max_size=longest).map(tidy)
    return made.filter(lambda text: _says_something(text) or (text == "" and not least))


def _says_something(text: str) -> bool:
    return bool(text) and not is_placeholder(text) and unreadable(text) is None


def _digits(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=least, max_size=most)


CODE = st.builds(
    ResourceCode, st.sampled_from("123"), _digits(2, 2), _digits(3, 3), _digits(0, 6), _digits(1, 8)
)
_FULL = {name: texts(Field.CLERK_PHONE) for name in ("phone",)} | {"name": texts(Field.CLERK_NAME)}
_CONTACT = st.builds(Contact, **_FULL)


@st.composite
def _items(draw: st.DrawFn, index: int) -> EntryItem:
    kind = draw(st.sampled_from(ItemType))
    must = kind in (ItemType.TEXT, ItemType.NUMBER)
    length = draw(st.integers(1, 999_999_999) if must else st.none() | st.integers(1, 99))
    return EntryItem(
        name=f"{draw(texts(Field.ITEM_NAME))}第{index}项",
        item_type=kind,
        length=length,
        name_en=draw(texts(Field.ITEM_NAME_EN, 0)),
        key=draw(st.booleans()),
        sensitivity=draw(st.sampled_from(Sensitivity)),
        grade=draw(st.sampled_from(Grade)),
        owner=draw(texts(Field.ITEM_OWNER, 0)),
    )


@st.composite
def _sharing(draw: st.DrawFn, kind: FormatClass, licensing: bool) -> Sharing:
    share_type = ShareType.UNCONDITIONAL if licensing else draw(st.sampled_from(ShareType))
    mode = draw(st.sampled_from(sorted(MODES_OF_FORMAT[kind])))
    if share_type is ShareType.UNCONDITIONAL:
        return Sharing(mode=mode)
    return Sharing(
        share_type,
        draw(texts(Field.SHARE_CONDITION)),
        mode,
        draw(st.sampled_from(Use)),
        draw(st.sampled_from(sorted(NATIONAL_LEVELS))),
        draw(texts(Field.BASIS)),
    )


@st.composite
def _opening(draw: st.DrawFn, sharing: Sharing) -> Opening:
    shared = sharing.share_type is not ShareType.NOT_SHARED
    kind = draw(st.sampled_from(OpenType)) if shared else OpenType.NOT_OPEN
    return Opening(kind, "" if kind is OpenType.UNCONDITIONAL else draw(texts(Field.OPEN_CONDITION)))


def _library(kind: ResourceClass) -> st.SearchStrategy[Library | None]:
    if kind is ResourceClass.DEPARTMENT:
        return st.none()
    return st.sampled_from(BASIC_LIBRARIES if kind is ResourceClass.BASIC else THEMES)


@st.composite
def valid_entries(draw: st.DrawFn, index: int) -> Entry:
    """An entry that breaks no rule; those of different ``index`` fit into one catalogue."""
    code = replace(draw(CODE), sequence=f"{index:06}")
    kind, licensing = draw(st.sampled_from(FormatClass)), draw(st.booleans())
    owner = draw(st.integers(0, len(CODES) - 1))
    sharing = draw(_sharing(kind, licensing))
    count = draw(st.integers(0 if kind is FormatClass.FILE else 1, 3))
    resource_class = CLASS_OF_DIGIT[code.kind]
    return Entry(
        code=code,
        name=f"{draw(texts(Field.NAME))}第{index}号",
        provider=Department(f"部门{owner}", CODES[owner]),
        summary=draw(texts(Field.SUMMARY)),
        form=Format(kind, draw(texts(Field.FORMAT_TYPE, most=6).map(lambda text: f"{text}式"))),
        items=tuple(draw(_items(position)) for position in range(count)),
        sharing=sharing,
        opening=draw(_opening(sharing)),
        update_cycle=draw(st.sampled_from(Cycle)),
        published_on=draw(st.none() | st.dates(date(1950, 1, 1), date(2200, 1, 1))),
        related=tuple(each for each in draw(st.lists(CODE, max_size=2)) if each != code),
        name_en=draw(texts(Field.NAME_EN, 0)),
        resource_class=resource_class,
        library=draw(_library(resource_class)),
        licensing=licensing,
        contacts=draw(st.builds(Contacts, _CONTACT, _CONTACT, _CONTACT)),
    )


@st.composite
def catalogues(draw: st.DrawFn, most: int = 3) -> tuple[Entry, ...]:
    """A catalogue that breaks no rule."""
    count = draw(st.integers(1, most))
    return tuple(draw(valid_entries(index)) for index in range(count))
