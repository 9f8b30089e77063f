"""Maintenance as pages: operators announce it early enough, everybody sees it, and notices lead to it."""

import pytest

from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from services.control.store.prepare import prepare
from tests.support.portal import Portal
from tests.support.web import NOW

FORM = {"begin": "2026-03-06T20:00", "end": "2026-03-06T23:00", "why": "new disks"}


@pytest.fixture
def portal(control_database: ControlDatabase) -> Portal:
    prepare(control_database, NOW)
    return Portal(control_database)


@pytest.mark.requirement("A11-08")
def test_an_operator_announces_and_everybody_sees_it_where_he_begins_and_where_the_notice_leads(
    portal: Portal,
) -> None:
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    page = operator.open("/maintenance")
    assert page.faults == []
    done = operator.sent(page, "/maintenance", **FORM)
    assert (done.status, done.faults) == (200, [])
    assert "Every department was told" in done.text
    assert "2026-03-06 20:00:00 UTC+8" in done.text
    consumer = portal.reader(Role.CONSUMER, department="health", language="zh-CN")
    [path] = {each for each in consumer.open("/").links if each.startswith("/maintenance/")}
    assert any(each.endswith(path) for each in consumer.open("/inbox").links)
    shown = consumer.open(path)
    assert (shown.status, shown.faults) == (200, [])
    assert "2026-03-06 23:00:00 UTC+8" in shown.text
    assert shown.forms == [each for each in shown.forms if "maintenance" not in each.action]


@pytest.mark.requirement("A11-08")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"begin": "2026-03-05T20:00", "end": "2026-03-05T23:00"}, "fewer than 3 working days"),
        ({"end": "2026-03-06T19:00"}, "ends before it begins"),
        ({"begin": "tomorrow"}, "it is not said when"),
        ({"why": ""}, "it is not said what for"),
    ],
)
def test_a_notice_that_is_too_short_or_says_too_little_is_refused_with_what_was_typed(
    portal: Portal, changes: dict[str, str], said: str
) -> None:
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    refused = operator.sent(operator.open("/maintenance"), "/maintenance", **FORM | changes)
    assert (refused.status, refused.faults) == (422, [])
    assert said in refused.text
    typed = refused.form("/maintenance").fields
    assert {name: typed[name] for name in FORM} == FORM | changes
    assert "No maintenance is announced" in refused.text


def test_an_announcement_is_withdrawn_by_its_mark_and_by_nobody_else(portal: Portal) -> None:
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    listed = operator.sent(operator.open("/maintenance"), "/maintenance", **FORM)
    [path] = [each for each in listed.links if each.startswith("/maintenance/")]
    page = operator.open(path)
    kept = operator.sent(page, f"{path}/withdrawal", why="the disks are late", confirm="something")
    assert (kept.status, kept.faults) == (422, [])
    assert "nothing was done" in kept.text
    consumer = portal.reader(Role.CONSUMER, department="health")
    token = consumer.open("/").form("/logout").fields["csrf_token"]
    fields = {"csrf_token": token, "why": "w", "confirm": path[-8:]}
    assert consumer.client.post(f"{path}/withdrawal", data=fields).status_code == 403
    done = operator.sent(page, f"{path}/withdrawal", why="the disks are late", confirm=path[-8:])
    assert "No maintenance is announced" in done.text
    assert "withdrawn" in operator.open(path).text
