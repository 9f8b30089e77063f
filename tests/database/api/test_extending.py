"""More time for a duty of a case, over HTTP and on its page: offered where the rule gives some."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from services.control.accounts.roles import Role
from services.control.clocks.rules import Extension
from services.control.docket.bound import REPLY
from services.control.store.cases.policies import adopt
from services.control.store.database import ControlDatabase
from tests.database.api.test_cases import act, submitted
from tests.support.desk import COUNTY, extending
from tests.support.portal import Portal
from tests.support.web import Web

MORE: Final[Mapping[str, Any]] = {
    "action": "extend",
    "days": 2,
    "approver": "head_of_department",
    "text": "需核对历史档案",
}
EXTENDING = extending(COUNTY, REPLY, Extension(3, "head_of_department"))


def adopted(web: Web) -> None:
    """Cases that are opened from now on give more time for the answer."""
    with web.parts.database.begin() as connection:
        adopt(connection, EXTENDING, "operator:test", datetime(2026, 3, 2, 1, 30, tzinfo=UTC), "for a test")


@pytest.mark.requirement("A6-03", "C18")
def test_the_provider_takes_more_time_and_the_explanation_says_so(control_database: ControlDatabase) -> None:
    web = Web(control_database)
    adopted(web)
    number = submitted(web.at(Role.CONSUMER, department="health"))
    provider = web.at(Role.PROVIDER)
    assert "extend" in provider.get(f"/cases/{number}").json()["allowed"]
    done = act(provider, number, **MORE)
    assert done.status_code == 200, done.text
    (clock,) = provider.get(f"/cases/{number}/clocks").json()["clocks"]
    assert (clock["due"], clock["extended"]["days"]) == ("2026-03-11", 2)
    shown = provider.get(f"/cases/{number}").json()
    assert "extend" not in shown["allowed"]
    assert shown["events"][-1]["more_time"] == {"days": 2, "approver": "head_of_department", "clock": 1}
    again = act(provider, number, **MORE)
    assert [each["code"] for each in again.json()["problems"]] == ["EXTENSION_REFUSED"]


def test_where_the_rule_gives_no_more_time_none_is_offered(control_database: ControlDatabase) -> None:
    web = Web(control_database)
    number = submitted(web.at(Role.CONSUMER, department="health"))
    provider = web.at(Role.PROVIDER)
    assert "extend" not in provider.get(f"/cases/{number}").json()["allowed"]
    refused = act(provider, number, **MORE)
    assert [each["code"] for each in refused.json()["problems"]] == ["EXTENSION_REFUSED"]
    assert "不能延长期限" in refused.text


def test_the_page_asks_for_days_reason_and_whether_it_was_approved(control_database: ControlDatabase) -> None:
    portal = Portal(control_database)
    adopted(portal)
    number = submitted(portal.at(Role.CONSUMER, department="health"))
    provider = portal.reader(Role.PROVIDER, department="police")
    page = provider.open(f"/cases/{number}")
    path = f"{page.path}/actions/extend"
    unapproved = provider.sent(page, path, days="2", clock="1", text="需核对历史档案")
    assert unapproved.status == 422
    assert "approved by head_of_department" in unapproved.text
    done = provider.sent(unapproved, path, days="2", clock="1", approved="yes", text="需核对历史档案")
    assert "2 days more" in done.text
    assert "the head of the department" in done.text
    assert path not in done.text
