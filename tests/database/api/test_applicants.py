"""What an applicant relies on: a batch is justified, a complaint answered, "not shared" appealed against."""

import pytest

from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from tests.database.api.test_cases import act, submitted
from tests.support.web import Web, application
from topics.resource import ShareType


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


@pytest.mark.requirement("A7-04")
def test_a_batch_is_submitted_only_with_what_neither_query_nor_verification_can_do(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    number = consumer.post("/cases", application(mode="batch")).json()["number"]
    bare = act(consumer, number, action="submit")
    assert bare.status_code == 422
    assert [each["code"] for each in bare.json()["problems"]] == ["BATCH_NOT_JUSTIFIED"]
    why = application(mode="batch", batch_justification="年度普查须离线比对全量")
    assert act(consumer, number, action="edit", application=why).status_code == 200
    assert act(consumer, number, action="submit").json()["state"] == "deciding"
    context = web.at(Role.PROVIDER).get(f"/cases/{number}/context").json()
    assert context["batch_justification"] == "年度普查须离线比对全量"


@pytest.mark.requirement("A6-10")
def test_a_department_of_a_case_complains_and_the_authority_answers_each_complaint_in_writing(
    web: Web,
) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    number = submitted(consumer)
    assert act(consumer, number, action="complain", text="办理太慢").status_code == 200
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    silent = act(authority, number, action="reply", text=" ")
    assert [each["code"] for each in silent.json()["problems"]] == ["TEXT_MISSING"]
    assert act(authority, number, action="reply", text="已督促提供部门").status_code == 200
    events = authority.get(f"/cases/{number}").json()["events"]
    assert [(each["action"], each["text"]) for each in events[-2:]] == [
        ("complain", "办理太慢"),
        ("reply", "已督促提供部门"),
    ]
    none = act(authority, number, action="reply", text="再次答复")
    assert [each["code"] for each in none.json()["problems"]] == ["NO_COMPLAINT"]


@pytest.mark.requirement("A6-11", "A6-08", "A1-07")
def test_what_is_not_shared_and_really_needed_is_appealed_against_up_to_a_ruling(web: Web) -> None:
    web.city.changes = {"share_type": ShareType.NOT_SHARED, "share_basis": "《刑事诉讼法》第五十四条"}
    consumer = web.at(Role.CONSUMER, department="health")
    number = consumer.post("/cases", application()).json()["number"]
    refused = act(consumer, number, action="submit")
    assert "NOT_SHARED" in {each["code"] for each in refused.json()["problems"]}
    assert act(consumer, number, action="appeal", text="急救确需").json()["state"] == "negotiating"
    raised = act(consumer, number, action="escalate", text="协商未果")
    assert raised.json()["state"] == "escalated", raised.text
    reason = {"reason": "LAW_FORBIDS", "acceptable_if": "无"}
    body = web.at(Role.AUTHORITY, department="data_bureau")
    ruled = act(body, number, action="dismiss", text="法律禁止共享", **reason)
    assert ruled.json()["state"] == "refused_finally", ruled.text
