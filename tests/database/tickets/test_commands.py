"""`govbus ticket` from the report to the closed ticket: real processors, a real database."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from services.cli import bus, ticket, ticket_desk, ticket_step
from services.cli.account_console import named
from services.cli.main import app
from services.cli.output import run
from services.cli.ticket_sending import Sent
from services.control.accounts import roles as accounts
from services.control.cases.words import Actor, Role
from services.control.clocks.calendar_file import china
from services.control.dispute_sender import DisputeSender, OwedChanges
from services.control.store.accounts import persons, roles
from services.control.store.accounts.acts import Order
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.outbox import OUTBOX
from services.control.store.prepare import prepare
from services.control.store.tickets.owed import notices_owed
from services.control.store.tickets.work import Desk, confirm_told
from tests.support.memory_bus import MemoryCity
from tests.support.staff import hire, staffed
from tests.unit.cli.called import NUMBER, PERSON, Ended, Govbus, shape
from topics.delivery import read_delivery
from topics.disputes import DisputeChange, Folding

COMMANDS = typer.main.get_command(app)
MOVED = {**PERSON, "name": "王小铭"}
RIGHT = {**PERSON, "address": "平江路2号"}
DELIVERED = "sub.health.population.person.v1.health-persons-gusu"
GRANTS = (DELIVERED, "sub.education.population.person.v1.education-persons")


@pytest.fixture
def city() -> MemoryCity:
    found = MemoryCity()
    found.change("c", after=PERSON)
    found.pump()
    return found


def sender(city: MemoryCity, database: ControlDatabase) -> DisputeSender:
    """Sends into the topic in memory; the fan-out knows at once."""

    class Topic:
        def write(self, changes: Iterable[DisputeChange]) -> None:
            city.dispute(changes)

    return DisputeSender(OwedChanges(database), lambda: (Topic(), Folding(city.disputes.disputes())))


@pytest.fixture
def govbus(
    city: MemoryCity,
    control_database: ControlDatabase,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Govbus:
    @contextmanager
    def open_bus(timeout_s: float = 0) -> Iterator[bus.Bus]:
        yield bus.Bus(city.lookup, city)

    @contextmanager
    def open_control() -> Iterator[ControlDatabase]:
        yield control_database

    prepare(control_database, datetime.now(UTC))
    with control_database.begin() as connection:
        staffed(connection)
    monkeypatch.setattr(bus, "open_bus", open_bus)
    monkeypatch.setattr(bus, "actor", lambda: "wang")
    for module in (ticket, ticket_step):
        monkeypatch.setattr(module, "open_control", open_control)
    for module in (ticket, ticket_desk, ticket_step):
        monkeypatch.setattr(module, "master_secrets", lambda _lookup: {1: bytes(32)})
    monkeypatch.setattr(ticket, "send_marks", lambda database: Sent(sender(city, database).turn()))

    def call(*arguments: str) -> Ended:
        code = run(lambda: COMMANDS(["ticket", *arguments]))
        return Ended(code, *capsys.readouterr())

    return call


@pytest.fixture
def evidence(tmp_path: Path) -> str:
    path = tmp_path / "extract.txt"
    path.write_text("户口簿复印件", encoding="utf-8")
    return str(path)


def reporting(city: MemoryCity, evidence: str, *more: str) -> list[str]:
    [place] = [place for place in city.memory.places(DELIVERED) if city.memory.records.get(place)]  # type: ignore[arg-type]
    at = city.memory.records[place][0].coordinates
    packs = ("--pack", "province-sample-2024", "--pack", "jiyuan-2022")
    said = ("--item", "address", "--statement", "门牌号应为2号", "--evidence", evidence)
    return ["report", "--at", at, "--as", "chen", "--ruled-by", "data_bureau", *said, *packs, *more]


def checked(ended: Ended, name: str) -> Ended:
    assert ended.code in (0, 4), ended.err
    shape(name).validate(ended.answer)
    return ended


def stepped(ended: Ended, state: str) -> int:
    found = checked(ended, "ticket-step").answer
    assert found["problems"] == []
    assert found["ticket"]["state"] == state
    return int(found["ticket"]["number"])


def transferred(database: ControlDatabase, login: str, department: str, role: accounts.Role) -> None:
    """Give somebody another post."""
    order = Order("console:test", datetime.now(UTC))
    with database.begin() as connection:
        person = named(connection, login)
        for each in person.roles:
            roles.take_role(connection, person.id, each, order)
        persons.move(connection, person.id, department, order)
        roles.give_role(connection, person.id, role, order)


def tell_everybody(database: ControlDatabase) -> None:
    now = datetime.now(UTC)
    desk = Desk("control", now, china(), lambda: new_id(now))
    with database.begin() as connection:
        for each in notices_owed(connection):
            confirm_told(connection, desk, each, Actor("control", Role.SYSTEM, ""))


def marks(city: MemoryCity, topic: str) -> list[tuple[str, ...]]:
    """What each delivery of the grant's topic names as disputed, in order."""
    found = [records for place, records in city.memory.records.items() if place.topic == topic]
    return [read_delivery(record.headers).disputed for records in found for record in records]


@pytest.mark.requirement("A9-06")
def test_a_wrong_record_is_reported_corrected_at_its_source_and_everybody_is_told(
    city: MemoryCity, govbus: Govbus, evidence: str, control_database: ControlDatabase
) -> None:
    number = str(stepped(govbus(*reporting(city, evidence), "--json"), "reported"))
    stepped(govbus("dispatch", number, "--as", "li", "--json"), "verifying")
    decide = ("decide", number, "--as", "wang", "--accept", "--why", "登记时录入有误")
    stepped(govbus(*decide, "--json"), "correcting")
    # Nothing has come yet: only who has it is noted.
    followed = checked(govbus("follow", "--json"), "ticket-follow").answer
    assert [each["ticket"]["state"] for each in followed["steps"]] == ["correcting"]
    assert followed["marks"] == {"count": 1, "problem": None}
    assert checked(govbus("follow", "--json"), "ticket-follow").answer["steps"] == []
    tell_everybody(control_database)
    city.change("u", PERSON, MOVED)
    city.pump()
    assert [marks(city, grant) for grant in GRANTS] == [[(), ("address",)], [(), ()]]

    city.change("u", MOVED, {**RIGHT, "name": MOVED["name"]})
    city.pump()
    assert [marks(city, grant)[-1] for grant in GRANTS] == [(), ()]
    steps = checked(govbus("follow", "--json"), "ticket-follow").answer["steps"]
    assert [each["ticket"]["state"] for each in steps] == ["corrected", "corrected"]
    assert (city.disputes.number, len(city.disputes.disputes().open)) == (2, 0)
    stepped(govbus("confirm", number, "--as", "chen", "--json"), "confirmed")
    assert govbus("follow", "--json").answer["steps"] == []
    tell_everybody(control_database)
    assert [each["ticket"]["state"] for each in govbus("follow", "--json").answer["steps"]] == ["closed"]

    shown = checked(govbus("show", number, "--as", "chen", "--json"), "ticket-show").answer
    assert (shown["state"], shown["statement"], shown["items"]) == ("closed", "门牌号应为2号", ["address"])
    assert {(each["consumer"], each["effect"], each["told"]) for each in shown["recipients"]} == {
        ("health", "delivered", "corrected"),
        ("education", "delivered", "corrected"),
    }
    assert all(
        each["certain"] and each["block"].startswith("ledger.delivery") for each in shown["recipients"]
    )


@pytest.mark.requirement("A11-13")
def test_nothing_that_is_kept_or_shown_to_others_names_the_person(
    city: MemoryCity, govbus: Govbus, evidence: str, control_database: ControlDatabase
) -> None:
    number = str(stepped(govbus(*reporting(city, evidence), "--json"), "reported"))
    shown = checked(govbus("show", number, "--json"), "ticket-show")
    with control_database.begin() as connection:
        rows = connection.exec_driver_sql("SELECT opening::text FROM tickets").scalars().all()
    for text in (shown.out, *rows):
        assert not [value for value in (NUMBER, "王小明", "平江路") if value in text]
    assert "门牌号" not in shown.out
    assert "门牌号" not in govbus("show", number).out


def test_a_gap_of_a_report_is_told_and_nothing_is_filed(
    city: MemoryCity, govbus: Govbus, evidence: str, control_database: ControlDatabase
) -> None:
    with control_database.begin() as connection:
        hire(connection, "he", "police", accounts.Role.CONSUMER)
    ended = govbus(*reporting(city, evidence, "--as", "he"), "--json")
    assert ended.code == 4
    assert [each["code"] for each in checked(ended, "ticket-step").answer["problems"]] == [
        "REPORTER_PROVIDES"
    ]
    assert checked(govbus("list", "--json"), "ticket-list").answer == {"tickets": []}
    assert govbus(*reporting(city, evidence, "--item", "colour")).code == 2
    assert govbus(*reporting(city, evidence, "--pack", "no-such-pack")).code == 2
    assert govbus(*reporting(city, evidence, "--evidence", "/no/such/file")).code == 2


def test_a_repeated_report_is_one_ticket_and_an_old_version_decides_nothing(
    city: MemoryCity, govbus: Govbus, evidence: str
) -> None:
    first = govbus(*reporting(city, evidence, "--key", "k1"), "--json").answer["ticket"]
    again = govbus(*reporting(city, evidence, "--key", "k1"), "--json").answer["ticket"]
    assert again == {**first, "again": True}
    number = str(first["number"])
    assert govbus("dispatch", number, "--as", "li", "--version", "0").code == 0
    late = govbus("decide", number, "--as", "wang", "--accept", "--why", "错", "--version", "0")
    assert late.code == 4
    assert "version 1 now" in late.err


def test_a_decision_is_one_way_and_what_it_lacks_is_told(
    city: MemoryCity, govbus: Govbus, evidence: str
) -> None:
    number = str(stepped(govbus(*reporting(city, evidence), "--json"), "reported"))
    govbus("dispatch", number, "--as", "li")
    both = govbus("decide", number, "--as", "wang", "--accept", "--refuse", "RECORD_IS_RIGHT")
    assert both.code == 2
    bare = govbus("decide", number, "--as", "wang", "--refuse", "RECORD_IS_RIGHT", "--json")
    codes = [each["code"] for each in checked(bare, "ticket-step").answer["problems"]]
    assert codes == ["TEXT_MISSING", "ACCEPTABLE_IF_MISSING"]
    other = govbus("decide", number, "--as", "sun", "--accept", "--why", "x")
    assert other.code == 4
    assert "this is another department's" in other.err


def test_lists_are_shown_and_what_is_not_there_is_said(
    city: MemoryCity, govbus: Govbus, evidence: str
) -> None:
    number = str(stepped(govbus(*reporting(city, evidence), "--json"), "reported"))
    rows = checked(govbus("list", "--provider", "police", "--json"), "ticket-list").answer["tickets"]
    assert [(each["number"], each["due_for"], each["overdue"]) for each in rows] == [
        (int(number), "dispatch", False)
    ]
    assert govbus("list", "--overdue", "--json").answer == {"tickets": []}
    assert "reported" in govbus("list").out
    assert govbus("show", "99").code == 1
    assert json.loads(json.dumps(rows)) == rows


def test_a_refusal_is_taken_to_who_rules_and_a_correction_that_is_wrong_is_reopened(
    city: MemoryCity, govbus: Govbus, evidence: str, control_database: ControlDatabase
) -> None:
    number = str(stepped(govbus(*reporting(city, evidence), "--json"), "reported"))
    govbus("dispatch", number, "--as", "li")
    why = ("--why", "经核实无误", "--acceptable-if", "提供产权证明")
    refuse = ("decide", number, "--as", "wang", "--refuse", "RECORD_IS_RIGHT")
    stepped(govbus(*refuse, *why, "--json"), "refused")
    health = ("--as", "chen", "--json")
    stepped(govbus("step", number, "escalate", "--why", "佐证材料齐全", *health), "escalated")
    rule = ("step", number, "uphold", "--why", "应予更正", "--json")
    transferred(control_database, "wang", "data_bureau", accounts.Role.AUTHORITY)
    assert govbus(*rule, "--as", "wang").answer["problems"][0]["code"] == "OWN_DECISION"
    stepped(govbus(*rule, "--as", "li"), "correcting")

    city.change("u", PERSON, RIGHT)
    city.pump()
    govbus("follow")
    assert govbus("step", number, "reopen", "--why", "门牌号仍有误", *health).code == 2
    version = govbus("show", number, "--json").answer["correction"]
    again = ("step", number, "reopen", "--at", version, "--why", "门牌号仍有误", *health)
    stepped(govbus(*again), "verifying")
    shown = govbus("show", number, "--json").answer
    assert (shown["round"], shown["at"], shown["marked"]) == (2, version, True)


def test_a_report_that_is_returned_is_supplemented_with_more_evidence_or_withdrawn(
    city: MemoryCity, govbus: Govbus, evidence: str, tmp_path: Path
) -> None:
    number = str(stepped(govbus(*reporting(city, evidence), "--json"), "reported"))
    back = ("dispatch", number, "--return", "--why", "请补充材料", "--as", "li")
    stepped(govbus(*back, "--json"), "returned")
    more = tmp_path / "more.txt"
    more.write_text("产权证明", encoding="utf-8")
    supplement = ("step", number, "supplement", "--why", "已补充", "--evidence", str(more), "--as", "chen")
    stepped(govbus(*supplement, "--json"), "reported")
    shown = govbus("show", number, "--as", "chen", "--json").answer
    assert [each["title"] for each in shown["evidence"]] == ["extract.txt", "more.txt"]
    stepped(govbus("step", number, "withdraw", "--as", "chen", "--json"), "withdrawn")


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize(
    ("who", "command", "refusal"),
    [
        ("wang", ("dispatch", "N"), "none of your roles may do this"),
        ("zhao", ("dispatch", "N"), "none of your roles may do this"),
        ("chen", ("decide", "N", "--accept", "--why", "x"), "none of your roles may do this"),
        ("sun", ("decide", "N", "--accept", "--why", "x"), "this is another department's"),
        ("qian", ("confirm", "N"), "this is another department's"),
        ("qian", ("step", "N", "withdraw"), "this is another department's"),
        ("li", ("step", "N", "withdraw"), "none of your roles may do this"),
        ("qian", ("show", "N"), "this is another department's"),
        ("nobody", ("dispatch", "N"), "there is no account"),
    ],
)
def test_who_may_not_on_the_page_may_not_on_the_shell(
    city: MemoryCity,
    govbus: Govbus,
    evidence: str,
    control_database: ControlDatabase,
    who: str,
    command: tuple[str, ...],
    refusal: str,
) -> None:
    number = str(stepped(govbus(*reporting(city, evidence), "--json"), "reported"))
    before = owed(control_database)
    ended = govbus(*(number if each == "N" else each for each in command), "--as", who)
    assert ended.code == (2 if who == "nobody" else 4)
    assert refusal in ended.err
    assert ended.out == ""
    assert owed(control_database) == before
    assert govbus("list", "--state", "reported", "--json").answer["tickets"]


def test_the_ledger_names_the_machines_user_and_the_account_also_for_reading_texts(
    city: MemoryCity, govbus: Govbus, evidence: str, control_database: ControlDatabase
) -> None:
    number = str(stepped(govbus(*reporting(city, evidence), "--json"), "reported"))
    stepped(govbus("dispatch", number, "--as", "li", "--json"), "verifying")
    assert "门牌号" in govbus("show", number, "--as", "chen", "--json").out
    with control_database.begin() as connection:
        chen, li = (str(named(connection, login).id) for login in ("chen", "li"))
    assert [each for each in owed(control_database) if each[1].startswith("ticket.")] == [
        ("console:wang", "ticket.report", chen),
        ("console:wang", "ticket.dispatch", li),
        ("console:wang", "ticket.look_texts", chen),
    ]


def owed(database: ControlDatabase) -> list[tuple[str, str, str | None]]:
    """What the ledger is owed: who did what, and for whom."""
    with database.begin() as connection:
        rows = connection.execute(OUTBOX.select().order_by(OUTBOX.c.id))
        return [(row.who, row.what, row.facts.get("for")) for row in rows]
