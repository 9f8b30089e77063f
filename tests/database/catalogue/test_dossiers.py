"""An entry of the store is what was written, a whole life, and nobody overwrites what they have not seen."""

import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from sqlalchemy import text

from services.control.catalogue.entry import Contact, Contacts, Entry
from services.control.catalogue.lifecycle import Action, Refusal, Refused, State
from services.control.store.catalogue.documents import document_of, entry_of
from services.control.store.catalogue.dossiers import KIND, Change, EntryId, by_codes, by_id, write
from services.control.store.catalogue.steps import Asked, edit_entry, open_entry, take_step
from services.control.store.database import ControlDatabase, take_back
from services.control.store.errors import ReadAgain
from services.control.store.ids import new_id
from services.control.store.outbox import Channel, acts_on, pending
from tests.database_fixture import DatabaseOnly
from tests.support.catalogue import COMPLETE, catalogues, entry, item
from tests.support.examples import examples
from tests.support.stored_catalogue import CLERK, REVIEWER, RULES, WHEN, brought, done, numbered, opened


@given(catalogues())
@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_comes_back_is_what_went_in(
    control_database: ControlDatabase, entries: tuple[Entry, ...]
) -> None:
    with control_database.begin() as connection:
        connection.execute(text("TRUNCATE catalogue_entries CASCADE"))
        stored = [done(open_entry(connection, new_id(WHEN), each, Asked(CLERK, WHEN))) for each in entries]
    with control_database.begin() as connection:
        assert [by_id(connection, each.id) for each in stored] == stored


def test_a_draft_without_anything_is_kept_as_it_is(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        stored = [opened(connection, Entry()), opened(connection, Entry(name="草稿"))]
    with control_database.begin() as connection:
        assert [by_id(connection, each.id) for each in stored] == stored


def test_a_document_says_everything_but_the_items() -> None:
    assert entry_of(document_of(COMPLETE), COMPLETE.items) == COMPLETE
    assert entry_of(document_of(COMPLETE), ()) == replace(COMPLETE, items=())


@pytest.mark.requirement("A2-03", "A2-04")
def test_a_whole_life_is_kept_with_who_when_and_why(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        published = brought(connection, opened(connection))
        asked = Asked(CLERK, WHEN + timedelta(days=1), "新增信息项")
        revised = done(take_step(connection, published, Action.REVISE, asked, RULES))
        content = replace(revised.dossier.versions[-1].entry, items=(*COMPLETE.items, item(name="有效期")))
        edited = done(edit_entry(connection, revised, content, Asked(CLERK, asked.when)))
        last = brought(connection, edited)
    with control_database.begin() as connection:
        read = by_id(connection, last.id)
    assert read == last
    assert [version.state for version in last.dossier.versions] == [State.CHANGED, State.PUBLISHED]
    assert [len(version.entry.items) for version in last.dossier.versions] == [2, 3]
    assert last.dossier.steps[5].why == "新增信息项"
    assert last.lock_version == 11


@pytest.mark.requirement("A2-03")
def test_each_step_is_owed_to_the_ledger_in_the_same_transaction(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        stored = brought(connection, opened(connection), steps=2)
    with control_database.begin() as connection:
        done(take_step(connection, stored, Action.REQUEST_PUBLICATION, Asked(CLERK, WHEN), RULES))
        take_back(connection)
    with control_database.begin() as connection:
        acts = acts_on(connection, KIND, str(stored.id))
        assert by_id(connection, stored.id) == stored
    assert [(act.what, act.who) for act in acts] == [
        ("catalogue.open", "clerk"),
        ("catalogue.submit", "clerk"),
        ("catalogue.register", "reviewer"),
    ]
    assert acts[2].facts["after"] == "registered"
    assert acts[2].facts["code"] == str(COMPLETE.code)


def test_the_ledger_is_told_no_name_of_a_contact(control_database: ControlDatabase) -> None:
    person = Contact("王小明", "13800000000")
    with control_database.begin() as connection:
        brought(connection, opened(connection, entry(contacts=Contacts(person, person, person))))
        told = str(pending(connection, Channel.LEDGER))
    assert "王小明" not in told
    assert "13800000000" not in told


def test_what_is_refused_changes_nothing(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        stored = opened(connection, entry(summary=""))
        refused = take_step(connection, stored, Action.SUBMIT, Asked(CLERK, WHEN), RULES)
        assert isinstance(refused, Refused)
        assert refused.refusal is Refusal.ENTRY_INVALID
        assert [problem.field for problem in refused.problems] == ["summary"]
        wrong = take_step(connection, stored, Action.REGISTER, Asked(REVIEWER, WHEN), RULES)
        assert isinstance(wrong, Refused)
        assert by_id(connection, stored.id) == stored


def test_what_somebody_changed_meanwhile_is_not_overwritten(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        seen = opened(connection)
    with control_database.begin() as connection:
        changed = done(edit_entry(connection, seen, entry(summary="另一摘要"), Asked(CLERK, WHEN)))
    with pytest.raises(ReadAgain), control_database.begin() as connection:
        edit_entry(connection, seen, entry(summary="旧摘要"), Asked(CLERK, WHEN))
    with control_database.begin() as connection:
        assert by_id(connection, seen.id) == changed


def test_of_two_who_change_at_once_one_reads_again(
    control_database: ControlDatabase, database_server: DatabaseOnly
) -> None:
    with control_database.begin() as connection:
        seen = opened(connection)
    met, ended = threading.Barrier(2, timeout=20), []

    def change(summary: str) -> None:
        with closing(ControlDatabase(database_server.address())) as own:
            try:
                with own.begin() as connection:
                    met.wait()
                    edit_entry(connection, seen, entry(summary=summary), Asked(CLERK, WHEN))
                ended.append(summary)
            except ReadAgain:
                ended.append("again")

    threads = [threading.Thread(target=change, args=(name,)) for name in ("甲", "乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert ended.count("again") == 1
    with control_database.begin() as connection:
        read = by_id(connection, seen.id)
    assert read is not None
    assert read.dossier.versions[-1].entry.summary in ended
    assert read.lock_version == 2


def test_two_entries_never_have_one_code(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        opened(connection)
    with pytest.raises(ReadAgain, match="code"), control_database.begin() as connection:
        opened(connection)


def test_many_are_written_and_read_at_once(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        template = opened(connection).dossier
        changes = [
            Change(
                EntryId(new_id(WHEN)),
                None,
                replace(template, versions=(replace(template.versions[0], entry=numbered(number)),)),
            )
            for number in range(100, 1350)
        ]
        write(connection, changes)
    with control_database.begin() as connection:
        codes = [numbered(number).code for number in range(100, 1350)]
        found = by_codes(connection, [code for code in codes if code is not None])
    assert {str(stored.id) for stored in found.values()} == {str(change.id) for change in changes}
