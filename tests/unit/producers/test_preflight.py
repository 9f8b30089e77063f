"""The rules of preflight: each with a database that keeps it and one that does not."""

from dataclasses import replace
from typing import Any

import pytest

from producers.connector import TableName
from producers.preflight import Expectation, Level, TableExpectation, judge, refused
from producers.preflight_facts import DatabaseFacts, PublicationFacts, RoleFacts, ServerFacts, TableFacts
from producers.provider_setup import publication_sql, setup_sql
from producers.slots import SlotReport

PERSON = TableName("public", "person")
OTHER = TableName("public", "other")
EXPECTED = Expectation(
    publication="govbus_police",
    slot="govbus_police",
    tables=(TableExpectation(PERSON, ("id",), "id_number", ("id", "id_number", "name")),),
)
SLOT = SlotReport("govbus_police", "police", True, "reserved", 100, 10, 1000)
ORPHAN = replace(SLOT, name="govbus_old", active=False)
TABLE = TableFacts("r", "p", "f", False, True, True, ("id", "id_number", "name"), ("id",))
SERVER = ServerFacts(180004, "police", "logical", "1GB", "on", False, 10, 1, 10, 1)
ROLE = RoleFacts("capture", True, False, False)
PUBLICATION = PublicationFacts(
    False, frozenset({"insert", "update", "delete", "truncate"}), frozenset({PERSON}), frozenset()
)
GOOD = DatabaseFacts(ROLE, SERVER, {PERSON: TABLE}, PUBLICATION, (SLOT,))


def with_server(**changes: Any) -> DatabaseFacts:
    return replace(GOOD, server=replace(SERVER, **changes))


def with_table(**changes: Any) -> DatabaseFacts:
    return replace(GOOD, tables={PERSON: replace(TABLE, **changes)})


def with_publication(**changes: Any) -> DatabaseFacts:
    return replace(GOOD, publication=replace(PUBLICATION, **changes))


def with_role(**changes: Any) -> DatabaseFacts:
    return replace(GOOD, role=replace(ROLE, **changes))


def test_a_database_that_is_ready_has_no_finding_but_ok() -> None:
    assert {finding.level for finding in judge(GOOD, EXPECTED)} == {Level.OK}


CASES = [
    (with_server(version=130010), "version", Level.REFUSE, ""),
    (with_server(wal_level="replica"), "wal_level", Level.REFUSE, "wal_level = 'logical'"),
    (with_server(slot_wal_keep="-1"), "max_slot_wal_keep_size", Level.REFUSE, "max_slot_wal_keep_size"),
    (with_server(synchronous_commit="off"), "synchronous_commit", Level.WARN, ""),
    (with_server(is_standby=True), "primary", Level.WARN, ""),
    (replace(with_server(used_slots=10), slots=()), "free slots", Level.REFUSE, "max_replication_slots = 20"),
    (replace(with_server(used_senders=10), slots=()), "free senders", Level.REFUSE, "max_wal_senders = 20"),
    (with_role(can_replicate=False), "replication", Level.REFUSE, "REPLICATION"),
    (with_role(is_superuser=True), "least rights", Level.WARN, "NOSUPERUSER"),
    (
        replace(GOOD, slots=(replace(SLOT, wal_status="lost"),)),
        "slot",
        Level.REFUSE,
        "pg_drop_replication_slot",
    ),
    (replace(GOOD, slots=(replace(SLOT, retained_bytes=None),)), "slot", Level.REFUSE, "full volume"),
    (replace(GOOD, slots=(SLOT, ORPHAN)), "orphaned slot", Level.WARN, "'govbus_old'"),
    (replace(GOOD, publication=None), "publication", Level.REFUSE, "CREATE PUBLICATION"),
    (with_publication(for_all_tables=True), "publication", Level.REFUSE, "DROP PUBLICATION"),
    (with_publication(tables=frozenset()), "publication", Level.REFUSE, "SET TABLE"),
    (with_publication(tables=frozenset({PERSON, OTHER})), "publication", Level.WARN, "SET TABLE"),
    (with_publication(narrowed=frozenset({PERSON})), "publication", Level.REFUSE, "SET TABLE"),
    (with_publication(operations=frozenset({"insert"})), "publication", Level.REFUSE, "truncate"),
    (replace(GOOD, tables={}), "table", Level.REFUSE, ""),
    (with_table(kind="v"), "table", Level.REFUSE, ""),
    (with_table(persistence="u"), "table", Level.REFUSE, ""),
    (with_table(readable=False), "select", Level.REFUSE, "GRANT SELECT"),
    (with_table(schema_usable=False), "select", Level.REFUSE, "GRANT USAGE"),
    (with_table(has_row_security=True), "row security", Level.REFUSE, "BYPASSRLS"),
    (with_table(columns=("id", "id_number")), "columns", Level.REFUSE, ""),
    (with_table(primary_key=()), "primary key", Level.REFUSE, "ADD PRIMARY KEY"),
    (with_table(primary_key=("name",)), "primary key", Level.REFUSE, ""),
    (with_table(replica_identity="d"), "replica identity", Level.REFUSE, "REPLICA IDENTITY FULL"),
    (with_table(replica_identity="n"), "replica identity", Level.REFUSE, "REPLICA IDENTITY FULL"),
    (with_table(replica_identity="i"), "replica identity", Level.REFUSE, "REPLICA IDENTITY FULL"),
]


@pytest.mark.parametrize(("facts", "check", "level", "remedy"), CASES)
def test_each_fault_is_found_once_with_what_mends_it(
    facts: DatabaseFacts, check: str, level: Level, remedy: str
) -> None:
    found = [finding for finding in judge(facts, EXPECTED) if finding.level is not Level.OK]
    assert [(finding.check, finding.level) for finding in found] == [(check, level)]
    assert remedy in found[0].remedy
    assert bool(refused(found)) is (level is Level.REFUSE)


def test_a_slot_that_exists_already_needs_no_free_one() -> None:
    assert not refused(judge(with_server(used_slots=10, used_senders=10), EXPECTED))


def test_row_security_does_not_matter_to_a_role_that_bypasses_it() -> None:
    facts = replace(with_table(has_row_security=True), role=replace(ROLE, bypasses_row_security=True))
    assert not refused(judge(facts, EXPECTED))


def test_the_key_alone_is_enough_before_a_change_only_if_it_holds_the_identity() -> None:
    table = TableExpectation(PERSON, ("id_number",), "id_number", ("id_number",))
    facts = with_table(replica_identity="d", primary_key=("id_number",))
    found = judge(facts, replace(EXPECTED, tables=(table,)))
    assert [finding.level for finding in found if finding.level is not Level.OK] == [Level.WARN]


def test_a_foreign_slot_of_another_database_is_left_alone() -> None:
    facts = replace(GOOD, slots=(SLOT, replace(ORPHAN, database="other")))
    assert {finding.level for finding in judge(facts, EXPECTED)} == {Level.OK}


@pytest.mark.parametrize(
    ("slot", "gap", "danger"),
    [
        (SLOT, False, False),
        (replace(SLOT, wal_status="extended"), False, False),
        (replace(SLOT, wal_status="unreserved"), False, True),
        (replace(SLOT, wal_status="lost"), True, False),
        (replace(SLOT, wal_status=None, retained_bytes=None), True, False),
    ],
)
def test_an_invalidated_slot_is_a_gap(slot: SlotReport, gap: bool, danger: bool) -> None:
    assert (slot.is_gap, slot.is_in_danger) == (gap, danger)


def test_names_cannot_break_out_of_the_script() -> None:
    odd = TableName('pub"lic', "o'dd")
    script = publication_sql('p"; DROP', [odd])
    assert '"pub""lic"."o\'dd"' in script
    assert 'CREATE PUBLICATION "p""; DROP" FOR TABLE' in script
    assert "pubname = 'p\"; DROP'" in script


def test_the_script_holds_no_password() -> None:
    script = setup_sql("capture", "police", "govbus_police", [PERSON])
    assert "PASSWORD" not in script.upper().replace("WITH A PASSWORD OF YOUR CHOICE", "")
    assert 'ALTER TABLE "public"."person" REPLICA IDENTITY FULL;' in script
