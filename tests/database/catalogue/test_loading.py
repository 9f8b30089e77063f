"""A file becomes part of the store whole, by stated rules, or not at all and with every reason."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from services.control.catalogue.entry import Department, Entry
from services.control.catalogue.lifecycle import Action, Actor, Role, State
from services.control.store.catalogue.dossiers import Stored, by_code
from services.control.store.catalogue.exporting import Which, entries_of
from services.control.store.catalogue.listing import Question, count
from services.control.store.catalogue.loading import Against, Clash, Loaded, NotLoaded, Outcome, load
from services.control.store.catalogue.steps import Asked, take_step
from services.control.store.database import ControlDatabase, take_back
from services.control.store.outbox import Channel, pending
from tests.support.catalogue import CODES, COMPLETE
from tests.support.stored_catalogue import (
    CLERK,
    RULES,
    WHEN,
    brought,
    done,
    loading,
    numbered,
    opened,
)

ALL = Question(published_only=False)


def loaded(database: ControlDatabase, entries: Sequence[Entry]) -> Loaded | NotLoaded:
    with database.begin() as connection:
        return load(connection, entries, loading(when=WHEN + timedelta(days=1)))


def stored(database: ControlDatabase, entry: Entry) -> Stored:
    assert entry.code is not None
    with database.begin() as connection:
        found = by_code(connection, entry.code)
    assert found is not None
    return found


def test_new_entries_are_drafts_of_their_departments(control_database: ControlDatabase) -> None:
    assert loaded(control_database, [numbered(1), numbered(2)]) == Loaded({Outcome.OPENED: 2})
    found = stored(control_database, numbered(1))
    assert found.dossier.department == CODES[0]
    assert [version.state for version in found.dossier.versions] == [State.DRAFT]
    assert found.dossier.steps[0].who == Actor("importer", Role.PROVIDER, CODES[0])
    with control_database.begin() as connection:
        assert len(pending(connection, Channel.LEDGER)) == 2


def test_the_same_file_again_changes_nothing(control_database: ControlDatabase) -> None:
    loaded(control_database, [numbered(1), numbered(2)])
    before = stored(control_database, numbered(1))
    assert loaded(control_database, [numbered(1), numbered(2)]) == Loaded({Outcome.UNCHANGED: 2})
    assert stored(control_database, numbered(1)) == before


def test_what_becomes_of_each_entry_follows_from_where_it_stands(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        opened(connection, numbered(1))
        brought(connection, opened(connection, numbered(2)))
        gone = brought(connection, opened(connection, numbered(3)))
        done(take_step(connection, gone, Action.WITHDRAW, Asked(CLERK, WHEN, "停用"), RULES))
        brought(connection, opened(connection, numbered(4)))
    changed = [numbered(number, summary="新的摘要") for number in (1, 2, 3)]
    found = loaded(control_database, [*changed, numbered(4), numbered(5)])
    assert found == Loaded({Outcome.EDITED: 1, Outcome.REVISED: 2, Outcome.UNCHANGED: 1, Outcome.OPENED: 1})
    assert [version.state for version in stored(control_database, numbered(2)).dossier.versions] == [
        State.PUBLISHED,
        State.DRAFT,
    ]
    for number in (1, 2, 3):
        newest = stored(control_database, numbered(number)).dossier.versions[-1]
        assert (newest.state, newest.entry.summary) == (State.DRAFT, "新的摘要")
    assert stored(control_database, numbered(2)).dossier.published is not None


def test_entries_that_the_file_does_not_name_stay(control_database: ControlDatabase) -> None:
    loaded(control_database, [numbered(1)])
    before = stored(control_database, numbered(1))
    loaded(control_database, [numbered(2)])
    assert stored(control_database, numbered(1)) == before


def test_everything_that_stands_against_a_file_is_said_and_nothing_is_written(
    control_database: ControlDatabase,
) -> None:
    with control_database.begin() as connection:
        brought(connection, opened(connection, numbered(1)), steps=1)
        opened(connection, numbered(2))
        opened(connection, numbered(3, name="企业登记信息"))
    other = Department("市场监管局", CODES[1])
    file = [
        numbered(1, summary="新的摘要"),
        numbered(2, provider=other),
        numbered(5, name="企业登记 信息"),
        numbered(6, provider=Department("公安分局", CODES[0])),
        numbered(7, code=None),
        numbered(8, summary=""),
        numbered(9),
        numbered(9, name="重复代码"),
        numbered(10),
    ]
    found = loaded(control_database, file)
    assert isinstance(found, NotLoaded)
    assert [(clash.number, clash.against) for clash in found.clashes] == [
        (1, Against.UNDER_REVIEW),
        (2, Against.OTHER_DEPARTMENT),
        (3, Against.NAME_TAKEN),
        (4, Against.PROVIDER_DIFFERS),
        (5, Against.NO_CODE),
        (6, Against.INVALID),
        (7, Against.CODE_TWICE),
        (8, Against.CODE_TWICE),
    ]
    assert found.clashes[0] == Clash(
        1, str(numbered(1).code), numbered(1).name, Against.UNDER_REVIEW, "registration_review"
    )
    assert found.clashes[2].other == str(numbered(3).code)
    with control_database.begin() as connection:
        assert count(connection, ALL) == 3


def test_a_department_may_be_renamed_by_a_file_that_names_all_of_its_entries(
    control_database: ControlDatabase,
) -> None:
    loaded(control_database, [numbered(1), numbered(2)])
    renamed = Department("公安分局", CODES[0])
    half = loaded(control_database, [numbered(1, provider=renamed)])
    assert isinstance(half, NotLoaded)
    whole = loaded(control_database, [numbered(1, provider=renamed), numbered(2, provider=renamed)])
    assert whole == Loaded({Outcome.EDITED: 2})


def test_more_entries_than_are_written_at_once_are_one_transaction(
    control_database: ControlDatabase,
) -> None:
    seen: list[int] = []
    with control_database.begin() as connection:
        load(connection, [numbered(number) for number in range(1, 1201)], loading(), seen.append)
        assert count(connection, ALL) == 1200
        take_back(connection)
    assert seen == [500, 1000, 1200]
    with control_database.begin() as connection:
        assert count(connection, ALL) == 0


def test_an_export_is_what_was_imported_in_the_order_of_codes(control_database: ControlDatabase) -> None:
    entries = [numbered(number) for number in range(1, 620)]
    loaded(control_database, list(reversed(entries)))
    with control_database.begin() as connection:
        assert list(entries_of(connection, Which.NEWEST)) == entries
        assert list(entries_of(connection, Which.PUBLISHED)) == []


def test_an_export_has_the_version_that_is_asked_for(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        brought(connection, opened(connection))
    loaded(control_database, [replace(COMPLETE, summary="新的摘要")])
    with control_database.begin() as connection:
        (newest,), (published,) = (
            list(entries_of(connection, which)) for which in (Which.NEWEST, Which.PUBLISHED)
        )
    assert (newest.summary, published.summary) == ("新的摘要", COMPLETE.summary)
