"""Notices in the database: told once, read by each clerk, owed to each address, removed by age."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.control.clocks.calendar import with_year
from services.control.clocks.calendar_file import china
from services.control.notices.event import Happened
from services.control.notices.maintenance import Announced, Work, announce
from services.control.notices.retrying import Again, Dead, Failure
from services.control.notices.signature import SecretVersions
from services.control.notices.words import Audience, Channel, Kind, Language
from services.control.store import outbox
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.notices import addresses, deliveries, inbox, works
from services.control.store.notices.addresses import CorrectAddress
from services.control.store.notices.happenings import remove_before, tell, tell_all
from services.control.store.notices.tables import Progress, Way, WorkState
from tests.support.notices import FACTS, NOW, PARTIES, happened
from tests.unit.clocks.notices import notice_of_2027

SOON = NOW + timedelta(hours=1)
LEASED = NOW + timedelta(minutes=2)
EVERY_WAY = frozenset(Channel)


def told(database: ControlDatabase, *events: Happened) -> int:
    with database.begin() as connection:
        return tell_all(connection, [(new_id(NOW), each) for each in events], SOON)


def added(database: ControlDatabase, department: str, way: Way, target: str) -> int:
    with database.begin() as connection:
        return addresses.add(connection, department, way, target, Language.ZH, who="account-1", now=NOW).id


def owed(database: ControlDatabase) -> list[tuple[str, Channel, str]]:
    with database.begin() as connection:
        found = deliveries.listed(connection, Progress.WAITING)
    return sorted((each.department, each.channel, each.kind) for each in found)


def test_the_same_is_told_once_whoever_tells_it_again(control_database: ControlDatabase) -> None:
    added(control_database, "health", Way.EMAIL, "clerk@health.example.cn")
    event = happened(Kind.CASE_ACTIVE)
    assert told(control_database, event) == 1
    assert told(control_database, event, replace(event, at=SOON)) == 0
    with control_database.begin() as connection:
        assert inbox.unread_count(connection, "health", "account-1") == 1
    assert owed(control_database) == [("health", Channel.EMAIL, "case.active")]


def test_what_was_told_comes_back_as_it_was(control_database: ControlDatabase) -> None:
    told(control_database, happened(Kind.CASE_ACTIVE))
    with control_database.begin() as connection:
        (received,) = inbox.page(connection, "police", "account-1")
    assert received.audience is Audience.PROVIDER
    assert received.happened.kind is Kind.CASE_ACTIVE
    assert received.happened.at == NOW
    assert received.happened.facts == FACTS


def test_a_text_that_is_no_id_is_not_even_kept(control_database: ControlDatabase) -> None:
    told(control_database, happened(Kind.CASE_ACTIVE, grant="11010519491231002X", resource="张伟"))
    with control_database.begin() as connection:
        (received,) = inbox.page(connection, "police", "account-1")
    assert "11010519491231002X" not in str(received.happened.facts)
    assert "张伟" not in str(received.happened.facts)


def test_what_did_not_happen_is_not_told(control_database: ControlDatabase) -> None:
    def told_and_broken() -> None:
        with control_database.begin() as connection:
            tell(connection, happened(), new_id(NOW), SOON)
            raise LookupError

    with pytest.raises(LookupError):
        told_and_broken()
    with control_database.begin() as connection:
        assert inbox.page(connection, "health", "account-1") == []


def test_an_inbox_is_paged_newest_first_and_read_by_each_clerk_alone(
    control_database: ControlDatabase,
) -> None:
    told(control_database, *(happened(Kind.CASE_ACTIVE, key=f"case:{number}") for number in range(5)))
    with control_database.begin() as connection:
        first = inbox.page(connection, "health", "account-1", limit=2)
        rest = inbox.page(connection, "health", "account-1", limit=9, before=first[-1].id)
        assert [each.happened.key for each in (*first, *rest)] == [
            f"case:{number}" for number in (4, 3, 2, 1, 0)
        ]
        ids = [each.id for each in first]
        assert inbox.mark_read(connection, "health", "account-1", ids, SOON) == 2
        assert inbox.mark_read(connection, "health", "account-1", ids, SOON) == 0
        assert inbox.unread_count(connection, "health", "account-1") == 3
        assert inbox.unread_count(connection, "health", "account-2") == 5
        unread = inbox.page(connection, "health", "account-1", unread=True)
        assert [each.id for each in unread] == [each.id for each in rest]
        assert inbox.page(connection, "health", "account-1")[0].read_at == SOON


def test_nobody_reads_or_marks_another_departments_notices(control_database: ControlDatabase) -> None:
    told(control_database, happened(Kind.TICKET_WRONG_VERSION))
    with control_database.begin() as connection:
        (mine,) = inbox.page(connection, "health", "account-1")
        assert inbox.page(connection, "police", "account-2") == []
        assert inbox.mark_read(connection, "police", "account-2", [mine.id], NOW) == 0
        assert inbox.unread_count(connection, "health", "account-1") == 1


def test_each_address_gets_what_the_table_says_for_its_department(control_database: ControlDatabase) -> None:
    added(control_database, "health", Way.EMAIL, "one@health.example.cn")
    added(control_database, "health", Way.EMAIL, "two@health.example.cn")
    added(control_database, "police", Way.WEBHOOK, "https://police.example.cn/hook")
    added(control_database, "tax", Way.EMAIL, "clerk@tax.example.cn")
    told(control_database, happened(Kind.CASE_ACTIVE), happened(Kind.CLOCK_REMINDER))
    assert owed(control_database) == [
        ("health", Channel.DIGEST, "clock.reminder"),
        ("health", Channel.DIGEST, "clock.reminder"),
        ("health", Channel.EMAIL, "case.active"),
        ("health", Channel.EMAIL, "case.active"),
        ("police", Channel.WEBHOOK, "case.active"),
    ]


def test_an_address_that_was_switched_off_is_owed_nothing_more(control_database: ControlDatabase) -> None:
    id_ = added(control_database, "health", Way.EMAIL, "clerk@health.example.cn")
    with control_database.begin() as connection:
        assert addresses.switch_off(connection, id_, who="account-1", now=NOW)
        assert not addresses.switch_off(connection, id_, who="account-1", now=NOW)
    told(control_database, happened())
    assert owed(control_database) == []


@pytest.mark.parametrize(
    ("way", "target"),
    [
        (Way.EMAIL, "clerk@health.example.cn\r\nBcc: all@example.cn"),
        (Way.WEBHOOK, "http://health.example.cn/"),
        (Way.WEBHOOK, "https://user:word@health.example.cn/"),
    ],
)
def test_what_is_no_address_is_not_added(control_database: ControlDatabase, way: Way, target: str) -> None:
    with pytest.raises(CorrectAddress):
        added(control_database, "health", way, target)


def test_an_address_that_is_switched_on_again_has_another_secret(control_database: ControlDatabase) -> None:
    url = "https://health.example.cn/hook"
    id_ = added(control_database, "health", Way.WEBHOOK, url)
    with pytest.raises(CorrectAddress, match="already"):
        added(control_database, "health", Way.WEBHOOK, url)
    with control_database.begin() as connection:
        addresses.switch_off(connection, id_, who="account-1", now=NOW)
    assert added(control_database, "health", Way.WEBHOOK, url) == id_
    with control_database.begin() as connection:
        (found,) = addresses.of_department(connection, "health")
    assert found.secrets == SecretVersions(2, None)


def test_rotating_a_secret_keeps_the_one_before_for_a_week_and_is_on_record(
    control_database: ControlDatabase,
) -> None:
    id_ = added(control_database, "health", Way.WEBHOOK, "https://health.example.cn/hook")
    mailbox = added(control_database, "health", Way.EMAIL, "clerk@health.example.cn")
    with control_database.begin() as connection:
        rotated = addresses.rotate(connection, id_, who="account-2", now=NOW)
        assert addresses.rotate(connection, mailbox, who="account-2", now=NOW) is None
        assert addresses.rotate(connection, 999, who="account-2", now=NOW) is None
        acts = outbox.acts_on(connection, "notice_address", str(id_))
    assert rotated is not None
    assert rotated.secrets.valid_at(NOW + timedelta(days=6)) == (2, 1)
    assert rotated.secrets.valid_at(NOW + timedelta(days=7)) == (2,)
    assert [(act.what, act.who) for act in acts] == [
        ("notice.address_added", "account-1"),
        ("notice.secret_rotated", "account-2"),
    ]
    assert "example.cn" not in str(acts)


def test_a_delivery_is_taken_by_one_courier_until_its_lease_is_over(
    control_database: ControlDatabase,
) -> None:
    added(control_database, "health", Way.EMAIL, "clerk@health.example.cn")
    told(control_database, happened())
    with control_database.begin() as one, control_database.begin() as other:
        taken = deliveries.take(one, NOW, LEASED, EVERY_WAY)
        assert taken is not None
        assert deliveries.take(other, NOW, LEASED, EVERY_WAY) is None
    assert (taken.attempt, taken.address.target) == (1, "clerk@health.example.cn")
    with control_database.begin() as connection:
        assert deliveries.take(connection, NOW, LEASED, EVERY_WAY) is None
        again = deliveries.take(connection, LEASED, LEASED + timedelta(minutes=2), EVERY_WAY)
    assert again is not None
    assert again.attempt == 2


def test_an_answer_after_the_lease_changes_nothing(control_database: ControlDatabase) -> None:
    added(control_database, "health", Way.EMAIL, "clerk@health.example.cn")
    told(control_database, happened())
    with control_database.begin() as connection:
        first = deliveries.take(connection, NOW, LEASED, EVERY_WAY)
        second = deliveries.take(connection, LEASED, SOON, EVERY_WAY)
        assert first is not None
        assert second is not None
        deliveries.failed(connection, first, Dead(Failure.UNREACHABLE, ""), LEASED)
        assert deliveries.listed(connection, Progress.DEAD) == []
        deliveries.delivered(connection, [second], LEASED)
        (done,) = deliveries.listed(connection, Progress.DELIVERED)
    assert (done.attempts, done.failure) == (2, None)


def test_a_dead_delivery_shows_its_reason_and_begins_anew_when_it_is_revived(
    control_database: ControlDatabase,
) -> None:
    added(control_database, "health", Way.WEBHOOK, "https://health.example.cn/hook")
    told(control_database, happened())
    with control_database.begin() as connection:
        taken = deliveries.take(connection, NOW, LEASED, EVERY_WAY)
        assert taken is not None
        deliveries.failed(connection, taken, Again(SOON, Failure.ANSWER_NOT_2XX, "503"), NOW)
        (waiting,) = deliveries.listed(connection, Progress.WAITING)
        assert (waiting.due_at, waiting.failure, waiting.detail) == (SOON, Failure.ANSWER_NOT_2XX, "503")
        taken = deliveries.take(connection, SOON, SOON, EVERY_WAY)
        assert taken is not None
        deliveries.failed(connection, taken, Dead(Failure.ANSWER_NOT_2XX, "410"), SOON)
        (dead,) = deliveries.listed(connection, Progress.DEAD, department="health")
        assert (dead.attempts, dead.failure, dead.detail) == (2, Failure.ANSWER_NOT_2XX, "410")
        assert deliveries.listed(connection, Progress.DEAD, department="tax") == []
        assert deliveries.revive(connection, dead.id, who="account-1", now=SOON)
        assert not deliveries.revive(connection, dead.id, who="account-1", now=SOON)
        (act,) = outbox.acts_on(connection, "notice_delivery", str(dead.id))
        assert (act.what, act.who) == ("notice.tried_anew", "account-1")
        taken = deliveries.take(connection, SOON, SOON, EVERY_WAY)
    assert taken is not None
    assert taken.attempt == 1


def test_a_digest_takes_all_of_one_mailbox_and_of_no_other(control_database: ControlDatabase) -> None:
    one = added(control_database, "health", Way.EMAIL, "clerk@health.example.cn")
    two = added(control_database, "police", Way.EMAIL, "clerk@police.example.cn")
    told(control_database, *(happened(Kind.CLOCK_REMINDER, key=f"clock:{number}") for number in range(3)))
    with control_database.begin() as connection:
        assert deliveries.take_digest(connection, NOW, LEASED) == []
        assert deliveries.take(connection, SOON, LEASED, EVERY_WAY) is None
        first = deliveries.take_digest(connection, SOON, SOON + timedelta(minutes=2))
        second = deliveries.take_digest(connection, SOON, SOON + timedelta(minutes=2))
        assert deliveries.take_digest(connection, SOON, SOON + timedelta(minutes=2)) == []
    assert [(each.address.id, each.happened.key) for each in first] == [(one, f"clock:{n}") for n in range(3)]
    assert {each.address.id for each in second} == {two}


def test_what_is_old_is_removed_unless_it_still_waits(control_database: ControlDatabase) -> None:
    added(control_database, "health", Way.EMAIL, "clerk@health.example.cn")
    told(control_database, happened(Kind.CASE_ACTIVE), happened(Kind.CASE_SUBMITTED))
    with control_database.begin() as connection:
        assert remove_before(connection, NOW) == 0
        assert remove_before(connection, SOON) == 1
        kept = inbox.page(connection, "health", "account-1")
    assert [each.happened.kind for each in kept] == [Kind.CASE_ACTIVE]


def test_announced_maintenance_is_told_to_all_and_called_off_once(control_database: ControlDatabase) -> None:
    work = Work(str(UUID(int=7)), NOW + timedelta(days=20), NOW + timedelta(days=21), ("health", "tax"))
    announced = announce(work, china(), NOW)
    assert isinstance(announced, Announced)
    with control_database.begin() as connection:
        works.keep(connection, announced, notice_days=3, who="account-1", event=new_id(NOW), now=NOW)
        assert [each.work for each in works.coming(connection, NOW)] == [work]
        assert works.call_off(connection, UUID(int=7), who="account-1", event=new_id(NOW), now=SOON)
        assert not works.call_off(connection, UUID(int=7), who="account-1", event=new_id(NOW), now=SOON)
        assert works.coming(connection, NOW) == []
        kinds = [each.happened.kind for each in inbox.page(connection, "tax", "account-9")]
        acts = outbox.acts_on(connection, "maintenance", work.id)
        kept = works.one(connection, UUID(int=7))
    assert kinds == [Kind.MAINTENANCE_CANCELLED, Kind.MAINTENANCE_ANNOUNCED]
    assert [act.what for act in acts] == ["maintenance.announce", "maintenance.cancel"]
    assert kept is not None
    assert (kept.state, kept.cancelled_at) == (WorkState.CANCELLED, SOON)


@pytest.mark.requirement("A11-08")
def test_an_announcement_that_a_new_calendar_makes_too_short_is_found(
    control_database: ControlDatabase,
) -> None:
    noon_of_31_december = NOW + timedelta(days=104, hours=2)
    begin = noon_of_31_december + timedelta(days=7)
    work = Work(str(UUID(int=8)), begin, begin + timedelta(hours=2), ("health",))
    announced = announce(work, china(), noon_of_31_december)
    assert isinstance(announced, Announced)
    known = with_year(china(), 2027, notice_of_2027())
    with control_database.begin() as connection:
        works.keep(
            connection, announced, notice_days=3, who="account-1", event=new_id(NOW), now=noon_of_31_december
        )
        kept = works.one(connection, UUID(int=8))
    assert kept is not None
    assert not kept.is_too_short(china())
    assert kept.is_too_short(known)


def test_everybody_has_an_inbox_without_any_address(control_database: ControlDatabase) -> None:
    told(control_database, happened(Kind.CASE_SUSPENDED))
    with control_database.begin() as connection:
        departments = [each for (each,) in PARTIES.values()]
        assert all(inbox.unread_count(connection, each, "account-1") == 1 for each in departments)
