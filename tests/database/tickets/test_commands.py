"""`govbus ticket` from the report to the closed ticket: real processors, a real database."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from services.cli import bus, ticket, ticket_desk, ticket_step
from services.cli.main import app
from services.cli.output import run
from services.cli.ticket_sending import Sent
from services.control.cases.words import Actor, Role
from services.control.clocks.calendar_file import china
from services.control.dispute_sender import DisputeSender, OwedChanges
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.prepare import prepare
from services.control.store.tickets.owed import notices_owed
from services.control.store.tickets.work import Desk, confirm_told
from tests.support.memory_bus import MemoryCity
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
    return ["report", "--at", at, "--department", "health", "--ruled-by", "data_bureau", *said, *packs, *more]


def checked(ended: Ended, name: str) -> Ended:
    assert ended.code in (0, 4), ended.err
    shape(name).validate(ended.answer)
    return ended


def stepped(ended: Ended, state: str) -> int:
    found = checked(ended, "ticket-step").answer
    assert found["problems"] == []
    assert found["ticket"]["state"] == state
    return int(found["ticket"]["number"])


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
    stepped(govbus("dispatch", number, "--department", "data_bureau", "--actor", "li", "--json"), "verifying")
    decide = (
        "decide",
        number,
        "--department",
        "police",
        "--accept",
        "--why",
        "登记时录入有误",
        "--actor",
        "zhao",
    )
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
    stepped(govbus("confirm", number, "--department", "health", "--json"), "confirmed")
    assert govbus("follow", "--json").answer["steps"] == []
    tell_everybody(control_database)
    assert [each["ticket"]["state"] for each in govbus("follow", "--json").answer["steps"]] == ["closed"]

    shown = checked(
        govbus("show", number, "--department", "health", "--role", "consumer", "--json"), "ticket-show"
    ).answer
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
    city: MemoryCity, govbus: Govbus, evidence: str
) -> None:
    ended = govbus(*reporting(city, evidence, "--department", "police"), "--json")
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
    assert (
        govbus("dispatch", number, "--department", "data_bureau", "--actor", "li", "--version", "0").code == 0
    )
    late = govbus("decide", number, "--department", "police", "--accept", "--why", "错", "--version", "0")
    assert late.code == 4
    assert "version 1 now" in late.err


def test_a_decision_is_one_way_and_what_it_lacks_is_told(
    city: MemoryCity, govbus: Govbus, evidence: str
) -> None:
    number = str(stepped(govbus(*reporting(city, evidence), "--json"), "reported"))
    govbus("dispatch", number, "--department", "data_bureau", "--actor", "li")
    both = govbus("decide", number, "--department", "police", "--accept", "--refuse", "RECORD_IS_RIGHT")
    assert both.code == 2
    bare = govbus(
        "decide", number, "--department", "police", "--refuse", "RECORD_IS_RIGHT", "--actor", "z", "--json"
    )
    codes = [each["code"] for each in checked(bare, "ticket-step").answer["problems"]]
    assert codes == ["TEXT_MISSING", "ACCEPTABLE_IF_MISSING"]
    assert govbus("decide", number, "--department", "tax", "--accept", "--why", "x", "--actor", "z").code == 4


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
    city: MemoryCity, govbus: Govbus, evidence: str
) -> None:
    number = str(stepped(govbus(*reporting(city, evidence), "--json"), "reported"))
    govbus("dispatch", number, "--department", "data_bureau", "--actor", "li")
    why = ("--why", "经核实无误", "--acceptable-if", "提供产权证明")
    refuse = ("decide", number, "--department", "police", "--refuse", "RECORD_IS_RIGHT", "--actor", "zhao")
    stepped(govbus(*refuse, *why, "--json"), "refused")
    health = ("--department", "health", "--json")
    stepped(govbus("step", number, "escalate", "--why", "佐证材料齐全", *health), "escalated")
    rule = ("step", number, "uphold", "--department", "data_bureau", "--why", "应予更正", "--json")
    assert govbus(*rule, "--actor", "zhao").answer["problems"][0]["code"] == "OWN_DECISION"
    stepped(govbus(*rule, "--actor", "li"), "correcting")

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
    back = (
        "dispatch",
        number,
        "--return",
        "--why",
        "请补充材料",
        "--department",
        "data_bureau",
        "--actor",
        "li",
    )
    stepped(govbus(*back, "--json"), "returned")
    more = tmp_path / "more.txt"
    more.write_text("产权证明", encoding="utf-8")
    supplement = (
        "step",
        number,
        "supplement",
        "--why",
        "已补充",
        "--evidence",
        str(more),
        "--department",
        "health",
    )
    stepped(govbus(*supplement, "--json"), "reported")
    shown = govbus("show", number, "--department", "health", "--role", "consumer", "--json").answer
    assert [each["title"] for each in shown["evidence"]] == ["extract.txt", "more.txt"]
    stepped(govbus("step", number, "withdraw", "--department", "health", "--json"), "withdrawn")
