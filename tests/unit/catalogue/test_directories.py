"""What is published of one catalogue: shared, open, or not shared and why."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given

from services.control.catalogue.directories import FIELDS, Directory, belongs, csv_lines, line_of
from services.control.catalogue.entry import Entry, Opening, Sharing
from services.control.catalogue.fields import Field, label
from services.control.catalogue.vocabulary import BasisLevel, Language, OpenType
from tests.support.catalogue import COMPLETE, valid_entries
from topics.resource import ShareType

WITHHELD = replace(
    COMPLETE,
    sharing=Sharing(
        ShareType.NOT_SHARED, "涉及侦查秘密", basis_level=BasisLevel.LAW, basis="《刑事诉讼法》第五十四条"
    ),
    opening=Opening(OpenType.NOT_OPEN, "《刑事诉讼法》"),
)


def of(share: ShareType, opening: OpenType | None) -> Entry:
    return replace(COMPLETE, sharing=replace(COMPLETE.sharing, share_type=share), opening=Opening(opening))


@pytest.mark.requirement("A2-10")
@pytest.mark.parametrize(
    ("share", "opening", "where"),
    [
        (ShareType.UNCONDITIONAL, OpenType.UNCONDITIONAL, {Directory.SHARE, Directory.OPEN}),
        (ShareType.UNCONDITIONAL, OpenType.CONDITIONAL, {Directory.SHARE, Directory.OPEN}),
        (ShareType.CONDITIONAL, OpenType.CONDITIONAL, {Directory.SHARE, Directory.OPEN}),
        (ShareType.CONDITIONAL, OpenType.NOT_OPEN, {Directory.SHARE}),
        (ShareType.UNCONDITIONAL, None, {Directory.SHARE}),
        (ShareType.NOT_SHARED, OpenType.NOT_OPEN, {Directory.NOT_SHARED}),
        (ShareType.NOT_SHARED, OpenType.UNCONDITIONAL, {Directory.NOT_SHARED}),
    ],
)
def test_an_entry_stands_where_its_types_allow(
    share: ShareType, opening: OpenType | None, where: set[Directory]
) -> None:
    assert {each for each in Directory if belongs(of(share, opening), each)} == where


@pytest.mark.requirement("A3-07")
def test_what_is_not_shared_stands_there_with_its_basis() -> None:
    line = line_of(WITHHELD, Directory.NOT_SHARED)
    assert line["basis"] == "《刑事诉讼法》第五十四条"
    assert line["share_condition"] == "涉及侦查秘密"
    assert line["basis_level"] == "法律"
    assert "item_name" not in line


@pytest.mark.parametrize("directory", Directory)
def test_no_directory_names_the_persons_of_an_entry(directory: Directory) -> None:
    persons = {each for each in Field if each.value.split("_")[0] in ("head", "deputy", "clerk")}
    assert len(persons) == 6
    assert not persons & set(FIELDS[directory])


@pytest.mark.requirement("A2-10")
def test_the_file_of_a_directory_holds_its_entries_and_no_formula() -> None:
    odd = replace(of(ShareType.UNCONDITIONAL, OpenType.UNCONDITIONAL), summary="=1+1")
    entries = [WITHHELD, odd, of(ShareType.CONDITIONAL, OpenType.NOT_OPEN)]
    written = b"".join(csv_lines(entries, Directory.OPEN)).decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(written))
    assert head == [label(each) for each in FIELDS[Directory.OPEN]]
    assert len(rows) == 1
    cells = dict(zip(FIELDS[Directory.OPEN], rows[0], strict=True))
    assert cells[Field.SUMMARY] == "'=1+1"
    assert cells[Field.ITEM_NAME] == "；".join(item.name for item in COMPLETE.items)


@pytest.mark.parametrize(
    ("language", "heading", "level"),
    [(Language.ZH, "共享依据层级", "法律"), (Language.EN, "Level of basis", "law")],
)
def test_the_file_of_a_directory_follows_its_reader(language: Language, heading: str, level: str) -> None:
    written = b"".join(csv_lines([WITHHELD], Directory.NOT_SHARED, language)).decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(written))
    assert heading in head
    cells = dict(zip(FIELDS[Directory.NOT_SHARED], row, strict=True))
    assert cells[Field.BASIS_LEVEL] == level
    assert cells[Field.NAME] == COMPLETE.name, "what departments wrote stays as they wrote it"


@given(valid_entries(1))
def test_an_entry_that_breaks_no_rule_is_shared_or_not_and_open_only_if_shared(entry: Entry) -> None:
    share, open_, not_shared = (belongs(entry, each) for each in Directory)
    assert share is not not_shared
    assert not open_ or share
