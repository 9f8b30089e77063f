"""The index of the trace over the sample city: whoever received a record is named, and nobody else."""

import pytest
from sqlalchemy import text

from services.cli.trace import shape
from services.control.accounts.actions import Action
from services.control.store.database import ControlDatabase
from services.control.store.outbox import acts_on
from services.control.store.trace.acquired import Moved, note_moved
from services.control.store.trace.tables import TRACE_DELIVERIES
from services.control.tracing.answer import Link, Why
from services.control.tracing.looking import Looker
from tests.database.trace.city import ANNA, BERT, CHEN, DAY, row, said, traced
from tests.support.memory_bus import MemoryCity
from tests.support.tracing import NOW, number, received, turn_of
from tests.unit.cli.called import PERSON
from tests.unit.cli.called import shape as answered
from topics.event import GrantId, KafkaRecord, TopicName
from topics.names import redelivered


@pytest.mark.requirement("A11-01", "A11-02")
@pytest.mark.parametrize(("resident", "record"), [(ANNA, "1"), (BERT, "2"), (CHEN, "3")])
def test_the_trace_names_exactly_those_whose_topics_hold_a_record_of_the_person(
    control_database: ControlDatabase, city: MemoryCity, resident: str, record: str
) -> None:
    assert not turn_of(control_database, city).turn()
    found = traced(control_database, resident)
    wanted = received(city, (resident, record))
    assert wanted
    assert said(found) == wanted
    assert len(found.recipients) == len(wanted)
    assert {each.link for each in found.recipients} == {Link.OWN}
    for each in found.recipients:
        grant = city.policy.grants[GrantId(each.grant)].grant
        assert (each.consumer, each.purpose, each.legal_basis) == (
            grant.consumer,
            grant.purpose,
            grant.legal_basis,
        )
        assert each.policy_version == city.policy.version
    assert found.extent.complete_until == NOW
    assert found.extent.incomplete_before is None
    assert list(answered("trace").iter_errors(shape(found))) == []


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize("resident", [ANNA, CHEN])
def test_the_trace_follows_a_corrected_number_to_both_sides_and_to_no_other_record(
    control_database: ControlDatabase, resident: str
) -> None:
    city = MemoryCity()
    # Row 1 had Chen's number by mistake; Chen has a row of his own, which is not Anna's business.
    city.change("c", after=row(1, CHEN))
    city.change("c", after=row(3, CHEN))
    city.change("u", row(1, CHEN), row(1, ANNA))
    city.change("u", row(3, CHEN), row(3, CHEN, name="陈"))
    city.pump()
    turn_of(control_database, city).turn()
    found = traced(control_database, resident)
    own = [(CHEN, "1"), (ANNA, "1")] if resident == ANNA else [(CHEN, "1"), (ANNA, "1"), (CHEN, "3")]
    assert said(found) == received(city, *own)
    by_link = {link: {each.at for each in found.recipients if each.link is link} for link in Link}
    mine = received(city, *((who, record) for who, record in own if who == resident))
    assert {at for _, at, _ in mine} == by_link[Link.OWN]
    assert by_link[Link.CORRECTED]


def test_a_strangers_answer_is_empty_and_says_why(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    assert traced(control_database, number(9)).why_empty is Why.NOT_BEGUN
    turn_of(control_database, city).turn()
    found = traced(control_database, number(9))
    assert (found.why_empty, found.records, found.recipients) == (Why.UNKNOWN_SUBJECT, [], [])


def test_a_person_whose_records_nobody_received_is_told_from_a_stranger(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    turn_of(control_database, city).turn()
    with control_database.begin() as connection:
        connection.execute(TRACE_DELIVERIES.delete())
    found = traced(control_database, ANNA)
    assert found.why_empty is Why.NOBODY_RECEIVED
    assert found.records


def test_a_provider_sees_what_became_of_its_own_records_only(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    turn_of(control_database, city).turn()
    police = traced(control_database, ANNA, looker=Looker("console:root", "x", provider="police"))
    assert said(police) == received(city, (ANNA, "1"))
    tax = traced(control_database, ANNA, looker=Looker("console:root", "x", provider="tax"))
    assert (tax.why_empty, tax.records, tax.recipients) == (Why.NOT_YOURS, [], [])


@pytest.mark.requirement("A11-02", "A11-13")
def test_the_look_is_owed_to_the_ledger_under_the_hash_and_without_the_number(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    turn_of(control_database, city).turn()
    found = traced(control_database, ANNA)
    with control_database.begin() as connection:
        (act,) = acts_on(connection, "trace", found.subject)
        whole = connection.execute(text("SELECT outbox::text FROM outbox")).scalars().all()
    assert (act.who, act.what, act.reason) == ("console:root", Action.AUDIT_TRACE.value, "case 7")
    assert act.facts == {"for": "account-3"}
    assert not any(ANNA in each for each in whole)


def test_nothing_is_shown_where_the_look_cannot_be_recorded(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    turn_of(control_database, city).turn()
    with pytest.raises(ValueError, match="ASCII"):
        traced(control_database, ANNA, looker=Looker("", "case 7"))


@pytest.mark.requirement("A11-13")
def test_the_tables_hold_no_number_and_no_value(control_database: ControlDatabase, city: MemoryCity) -> None:
    turn_of(control_database, city).turn()
    with control_database.begin() as connection:
        tables = ("trace_subjects", "trace_deliveries", "trace_terms", "trace_topics", "trace_state")
        whole = "".join(
            str(connection.execute(text(f"SELECT array_agg(t::text) FROM {table} t")).scalar())
            for table in tables
        )
    assert not any(text_ in whole for text_ in (ANNA, BERT, CHEN, str(PERSON["name"]), "resident_id"))


@pytest.mark.requirement("A11-01")
def test_a_record_is_acquired_once_a_group_has_committed_past_it_and_not_before(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    turn_of(control_database, city).turn()
    one = traced(control_database, CHEN).recipients[0]
    _, partition, offset = one.at.rsplit(":", 2)
    for committed, expected in ((int(offset), None), (int(offset) + 1, NOW)):
        with control_database.begin() as connection:
            note_moved(connection, [Moved(one.grant, one.consumer, int(partition), committed)], NOW)
        found = {each.at: each.acquired_by for each in traced(control_database, CHEN).recipients}
        assert found[one.at] == expected


@pytest.mark.requirement("A11-01")
def test_a_record_of_january_was_acquired_in_january_whatever_is_committed_in_december(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    turn_of(control_database, city).turn()
    one = traced(control_database, CHEN).recipients[0]
    _, partition, offset = one.at.rsplit(":", 2)
    for months, further in enumerate((1, 500, 90_000)):
        at = NOW + months * 30 * DAY
        with control_database.begin() as connection:
            moved = Moved(one.grant, one.consumer, int(partition), int(offset) + further)
            note_moved(connection, [moved], at)
    found = {each.at: each.acquired_by for each in traced(control_database, CHEN).recipients}
    assert found[one.at] == NOW


@pytest.mark.requirement("A11-02")
def test_who_received_a_record_on_a_separate_topic_is_named_and_nobody_says_who_acquired_it(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    grant = next(each for each in city.policy.grants.values() if received_on(city, each.grant.topic, CHEN))
    separate = redelivered(grant.grant.topic, 7)
    [record] = received_on(city, grant.grant.topic, CHEN)
    city.memory.make(separate, 4)
    same = (record.partition, record.key, record.value, record.headers, record.timestamp_ms)
    again = city.memory.add(separate, *same)
    turn_of(control_database, city).turn()
    with control_database.begin() as connection:
        moved = Moved(str(grant.grant.id), grant.grant.consumer, record.partition, 1_000)
        note_moved(connection, [moved], NOW)
    found = {each.at: each for each in traced(control_database, CHEN).recipients}
    assert found[again.coordinates].grant == grant.grant.id
    assert found[again.coordinates].acquired_by is None
    assert found[record.coordinates].acquired_by == NOW


def received_on(city: MemoryCity, topic: TopicName, resident: str) -> list[KafkaRecord]:
    """The records of a grant's topic about Chen, as the oracle tells them."""
    wanted = {at for _, at, _ in received(city, (resident, "3"))}
    places = [place for place in city.memory.records if place.topic == topic]
    return [each for place in places for each in city.memory.records[place] if each.coordinates in wanted]


def test_what_was_said_of_a_grant_in_an_older_policy_version_stays_with_what_it_delivered(
    control_database: ControlDatabase, city: MemoryCity
) -> None:
    grant = GrantId("health-persons-gusu")
    entry = city.policy.grants[grant]
    before = entry.grant.purpose
    changed = entry.model_copy(update={"grant": entry.grant.model_copy(update={"purpose": "another one"})})
    grants = {**city.policy.grants, grant: changed}
    city.adopt(city.policy.model_copy(update={"version": 2, "grants": grants}))
    city.change("u", row(3, CHEN), row(3, CHEN, name="陈"))
    city.pump()
    turn_of(control_database, city).turn()
    found = [each for each in traced(control_database, CHEN).recipients if each.grant == grant]
    assert [(each.policy_version, each.purpose) for each in found] == [(2, "another one"), (1, before)]


def test_more_than_is_shown_is_said(control_database: ControlDatabase, city: MemoryCity) -> None:
    turn_of(control_database, city).turn()
    assert not traced(control_database, ANNA).cut
    found = traced(control_database, ANNA, most=1)
    assert (found.cut, len(found.records), len(found.recipients)) == (True, 1, 1)
