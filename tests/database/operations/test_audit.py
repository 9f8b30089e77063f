"""The audit log: found by person, object and time; departments see their own; looking is recorded too."""

from datetime import timedelta

import pytest

from services.control.accounts.roles import Role
from services.control.store.outbox import Act, Fact, append
from tests.support.operating import Operated


def done(portal: Operated, who: str, what: str, object_: str, **facts: Fact) -> None:
    act = Act(who, what, what.partition(".")[0], object_, portal.clock.now, f"why {object_}", facts)
    with portal.parts.database.begin() as connection:
        append(connection, act)


@pytest.fixture
def busy(portal: Operated) -> Operated:
    clerk = portal.hire(Role.CONSUMER, department="health", login="clerk")
    done(portal, str(clerk.id), "case.submit", "case-1")
    portal.clock.pass_by(timedelta(days=2))
    done(portal, "console:ops", "kill.all", "all", department="data_bureau")
    done(portal, "control", "case.provision", "case-2", provider="police", consumer="tax")
    return portal


def objects(portal: Operated, role: Role, department: str, query: str = "") -> list[str]:
    """The objects of the acts that somebody sees, of those that this test did."""
    page = portal.reader(role, department=department).open(f"/audit{query}")
    assert page.status == 200, page.text
    assert page.faults == []
    return [name for name in ("case-2", "all", "case-1") if f"why {name}" in page.text]


@pytest.mark.requirement("A11-02", "A11-12")
def test_an_auditor_sees_every_act_with_its_reason(busy: Operated) -> None:
    assert objects(busy, Role.AUDITOR, "data_bureau") == ["case-2", "all", "case-1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?who=clerk", ["case-1"]),
        ("?area=kill", ["all"]),
        ("?kind=case&object=case-2", ["case-2"]),
        ("?since=2026-03-04", ["case-2", "all"]),
        ("?until=2026-03-02", ["case-1"]),
        ("?what=case.nothing", []),
        ("?since=yesterday", ["case-2", "all", "case-1"]),
    ],
)
def test_acts_are_found_by_person_object_and_time(busy: Operated, query: str, expected: list[str]) -> None:
    assert objects(busy, Role.AUDITOR, "data_bureau", query) == expected


@pytest.mark.parametrize(
    ("role", "department", "expected"),
    [
        (Role.CONSUMER, "health", ["case-1"]),
        (Role.PROVIDER, "police", ["case-2"]),
        (Role.CONSUMER, "tax", ["case-2"]),
    ],
)
def test_a_department_sees_what_it_did_and_what_names_it(
    busy: Operated, role: Role, department: str, expected: list[str]
) -> None:
    assert objects(busy, role, department) == expected


@pytest.mark.parametrize("role", [Role.AUTHORITY, Role.OPERATOR])
def test_who_decides_and_who_operates_does_not_audit(busy: Operated, role: Role) -> None:
    assert busy.reader(role, department="data_bureau").look("/audit").status_code == 403


def test_an_overseer_sees_the_departments_that_he_was_named_for(busy: Operated) -> None:
    reader = busy.reader(Role.OVERSEER, department="tax", oversees=("health",))
    text = reader.open("/audit").text
    assert "why case-1" in text
    assert "why all" not in text


def test_who_looks_at_what_a_person_did_is_recorded_himself(busy: Operated) -> None:
    busy.reader(Role.AUDITOR, department="data_bureau").open("/audit?who=clerk")
    assert busy.all_acts()[-1] == "audit.look"


def test_the_next_page_goes_on_below_the_last_act(busy: Operated) -> None:
    for number in range(120):
        done(busy, "control", "case.step_done", f"c{number:03}")
    reader = busy.reader(Role.AUDITOR, department="data_bureau")
    path, seen = "/audit?what=case.step_done", list[str]()
    while path:
        page = reader.open(path)
        seen += [f"c{number:03}" for number in range(120) if f"why c{number:03}" in page.text]
        following = [link for link in page.links if "after=" in link]
        path = following[0] if following else ""
    assert len(seen) == len(set(seen)) == 120


def test_what_an_account_did_on_a_shell_is_found_by_the_account_and_by_the_shell(busy: Operated) -> None:
    clerk = busy.hire(Role.CONSUMER, department="health", login="night.clerk")
    done(busy, "console:root", "case.appeal", "case-3", **{"for": str(clerk.id)})
    auditor = busy.reader(Role.AUDITOR, department="data_bureau")
    for query in ("?who=night.clerk", "?who=console:root"):
        text = auditor.open(f"/audit{query}").text
        assert "why case-3" in text
        assert "why case-1" not in text
        assert "night.clerk" in text
        assert "console:root" in text
    assert "why case-3" in busy.reader(Role.CONSUMER, department="health").open("/audit").text
    assert "why case-3" not in busy.reader(Role.CONSUMER, department="tax").open("/audit").text
