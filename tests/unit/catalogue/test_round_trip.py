"""What is exported comes back the same, in both forms and whatever signs a text begins with."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given

from services.control.catalogue.across import catalogue_problems
from services.control.catalogue.cells import in_language
from services.control.catalogue.entry import Entry
from services.control.catalogue.fields import COLUMNS, Field
from services.control.catalogue.files import read_catalogue, write_catalogue
from services.control.catalogue.importing import Imported
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.text import guarded, unguarded
from services.control.catalogue.vocabulary import Language, read, word
from tests.support.catalogue import catalogues, entry, texts
from tests.support.examples import examples

RULES = CatalogueRules()
_SHARED_FOLDER = {"suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}


@examples(50, suppress_health_check=[HealthCheck.too_slow])
@given(catalogues())
def test_the_entries_of_these_tests_break_no_rule(entries: tuple[Entry, ...]) -> None:
    assert [problem.what() for _, problem in catalogue_problems(entries, RULES)] == []


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@examples(40, **_SHARED_FOLDER)
@given(entries=catalogues())
def test_what_is_exported_is_imported_as_the_same_entries(
    entries: tuple[Entry, ...], suffix: str, language: Language, tmp_path: Path
) -> None:
    path = tmp_path / f"catalogue{suffix}"
    rows = write_catalogue(path, entries, language)
    read, _ = read_catalogue(path, RULES)
    assert read == Imported(entries, rows)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("name", ["_x0041_ 字段", "_x005F_x0041_", "'=1+1", "''@x", "a\nb", '"a",b'])
def test_signs_that_a_file_format_has_for_itself_come_back(name: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"catalogue{suffix}"
    entries = (entry(summary=f"{name}说明"),)
    write_catalogue(path, entries)
    assert read_catalogue(path, RULES)[0] == Imported(entries, 2)


@pytest.mark.parametrize("field", [each for each in Field if COLUMNS[each].values is not None])
def test_every_word_of_a_closed_list_is_read_in_both_languages(field: Field) -> None:
    values = COLUMNS[field].values
    assert values is not None
    for value in values:
        for language in Language:
            assert read(values, in_language(field, word(value), language)) is value, (value, language)


@given(texts(Field.SUMMARY))
def test_guarding_a_text_can_be_undone(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@"))
