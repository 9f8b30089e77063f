"""Work done on pages: applying, deciding, ending; accounts. Nothing typed is lost."""

from dataclasses import replace
from typing import Final
from uuid import UUID

import pytest

from services.control.accounts.roles import Role
from services.control.cases.words import Action, State
from services.control.docket.filed import Filed
from services.control.store.accounts.persons import person_of
from services.control.store.cases.listing import newest
from services.control.store.cases.reading import load
from tests.support.desk import Office
from tests.support.portal import Page, Portal, Reader
from tests.support.sharing_cases import CONSUMER, application

RESOURCE: Final = "population.person.v1"
PURPOSE: Final = {
    "scenario": "家庭医生签约服务",
    "basis.document": "《基本医疗卫生与健康促进法》",
    "basis.article": "第三十一条",
}


def only_case(portal: Portal) -> Filed:
    """The one case that there is."""
    with portal.parts.database.reading() as connection:
        (line,) = newest(connection)
        found = load(connection, line.id)
    assert found is not None
    return found


def submitted(portal: Portal) -> Filed:
    """A case that waits for its provider."""
    office = Office(portal.parts.database)
    return office.done(office.opened(replace(application(), committed=True)), Action.SUBMIT, CONSUMER)


def steps_before_the_last(applicant: Reader) -> Page:
    """The form filled in up to its last page."""
    page = applicant.open(f"/apply?resource={RESOURCE}")
    page = applicant.sent(
        page, "/apply", items=["id_number", "name"], **{"rows.household_district": "320508，320505"}
    )
    page = applicant.sent(page, page.path, then="next", **PURPOSE)
    return applicant.sent(
        page, page.path, then="next", mode="subscribe", start="2026-03-10", end="2027-03-09"
    )


@pytest.mark.requirement("A6-01")
def test_an_application_is_kept_step_by_step_and_handed_in_at_the_end(
    portal: Portal, applicant: Reader
) -> None:
    page = steps_before_the_last(applicant)
    draft = only_case(portal).case
    assert draft.state is State.DRAFT
    assert draft.application.items == ("id_number", "name")
    assert draft.application.rows[0].values == ("320508", "320505")
    assert draft.application.scenario == PURPOSE["scenario"]
    page = applicant.sent(page, page.path, then="submit", committed="yes")
    assert page.path == f"/cases/{draft.opening.id}"
    assert only_case(portal).case.state is State.DECIDING
    assert "Being decided" in page.text


def test_what_is_missing_is_said_beside_the_form_and_what_was_typed_is_kept(
    portal: Portal, applicant: Reader
) -> None:
    page = steps_before_the_last(applicant)
    page = applicant.sent(page, page.path, then="submit")
    assert page.status == 422
    assert "the commitment is not acknowledged" in page.text
    assert only_case(portal).case.state is State.DRAFT
    page = applicant.sent(page, page.path, then="submit", committed="yes")
    assert only_case(portal).case.state is State.DECIDING


def test_a_day_that_is_none_changes_nothing(portal: Portal, applicant: Reader) -> None:
    page = steps_before_the_last(applicant)
    page = applicant.open(f"{page.path}?step=delivery")
    page = applicant.sent(page, page.path, then="next", start="soon", end="2027-03-09")
    assert page.status == 422
    assert "this is no day" in page.text
    assert str(only_case(portal).case.application.start) == "2026-03-10"


def test_a_step_beyond_the_bounds_of_an_application_is_not_kept_and_says_why(
    portal: Portal, applicant: Reader
) -> None:
    page = steps_before_the_last(applicant)
    before = only_case(portal).case.application
    step = applicant.open(f"{page.path}?step=purpose")
    refused = applicant.sent(step, step.path, then="next", **{**PURPOSE, "scenario": "x" * 4001})
    assert (refused.status, refused.faults) == (422, [])
    assert "longer than 4000 characters" in refused.text
    step = applicant.open(f"{page.path}?step=delivery")
    late = applicant.sent(step, step.path, mode="subscribe", start="2026-03-10", end="9999-12-31")
    assert (late.status, "more than ten years ahead" in late.text) == (422, True)
    assert only_case(portal).case.application == before


def test_a_form_sent_twice_opens_one_case(portal: Portal, applicant: Reader) -> None:
    page = applicant.open(f"/apply?resource={RESOURCE}")
    places = {applicant.send(page, "/apply", items=["name"]).headers["location"] for _ in range(2)}
    assert len(places) == 1
    only_case(portal)


@pytest.mark.requirement("A6-04", "A6-08")
def test_a_refusal_without_words_is_no_refusal_and_one_with_them_is_shown(
    portal: Portal, provider: Reader
) -> None:
    path = f"/cases/{submitted(portal).case.opening.id}"
    page = provider.open(path)
    page = provider.sent(page, f"{path}/actions/refuse", refusal_reason="PURPOSE_UNCLEAR")
    assert page.status == 422
    assert "say why, in words" in page.text
    assert only_case(portal).case.state is State.DECIDING
    page = provider.sent(
        page,
        f"{path}/actions/refuse",
        refusal_reason="PURPOSE_UNCLEAR",
        text="The scenario names no work.",
        acceptable_if="Name the work.",
    )
    assert page.status == 200
    assert only_case(portal).case.state is State.REFUSED
    for words in ("the purpose is not clear", "The scenario names no work.", "Name the work."):
        assert words in page.text


@pytest.mark.requirement("A8-06")
def test_an_approval_in_part_gives_fewer_items_masked_and_the_context_is_shown_before(
    portal: Portal, provider: Reader
) -> None:
    path = f"/cases/{submitted(portal).case.opening.id}"
    page = provider.open(path)
    assert "what the combination would reveal" in page.text
    page = provider.sent(
        page,
        f"{path}/actions/approve_in_part",
        items=["id_number", "name"],
        text="Fewer items suffice.",
        **{"mask.id_number": "last_four"},
    )
    assert page.status == 200, page.text[:600]
    approval = only_case(portal).case.approval
    assert approval is not None
    assert approval.items == ("id_number", "name")
    assert [(name, mask.kind) for name, mask in approval.masks] == [("id_number", "partial")]
    assert "masked" in page.text


def test_whoever_decides_on_an_old_page_is_told_and_nothing_is_done(portal: Portal, provider: Reader) -> None:
    path = f"/cases/{submitted(portal).case.opening.id}"
    old = provider.open(path)
    provider.sent(old, f"{path}/actions/return", text="Name the households.")
    page = provider.sent(old, f"{path}/actions/approve")
    assert page.status == 412
    assert "somebody was quicker" in page.text
    assert only_case(portal).case.state is State.RETURNED


def test_a_returned_application_is_supplemented_on_one_page(
    portal: Portal, provider: Reader, applicant: Reader
) -> None:
    path = f"/cases/{submitted(portal).case.opening.id}"
    provider.sent(provider.open(path), f"{path}/actions/return", text="Name the work.")
    page = applicant.open(f"{path}/apply")
    assert "Name the work." in page.text
    page = applicant.sent(page, page.path, then="submit", scenario="签约服务的身份核对", committed="yes")
    assert page.status == 200, page.text[:600]
    case = only_case(portal).case
    assert (case.state, case.application.scenario) == (State.DECIDING, "签约服务的身份核对")


def test_ending_a_case_asks_for_its_number(portal: Portal, applicant: Reader) -> None:
    filed = submitted(portal)
    path = f"/cases/{filed.case.opening.id}"
    page = applicant.sent(applicant.open(path), f"{path}/actions/withdraw", confirm="something")
    assert page.status == 422
    assert only_case(portal).case.state is State.DECIDING
    applicant.sent(page, f"{path}/actions/withdraw", confirm=str(filed.number))
    assert only_case(portal).case.state is State.WITHDRAWN


def test_without_the_token_of_the_session_nothing_is_done(portal: Portal, provider: Reader) -> None:
    path = f"/cases/{submitted(portal).case.opening.id}"
    page = provider.open(path)
    answer = provider.send(page, f"{path}/actions/approve", csrf_token="another")
    assert answer.status_code == 403
    assert only_case(portal).case.state is State.DECIDING


def test_another_department_can_neither_see_a_case_nor_act_on_it(portal: Portal, provider: Reader) -> None:
    path = f"/cases/{submitted(portal).case.opening.id}"
    page = provider.open(path)
    stranger = portal.reader(Role.PROVIDER, department="tax")
    assert stranger.open(path).status == 404
    token = stranger.open("/catalogue").form("/logout").fields["csrf_token"]
    fields = {**page.form(f"{path}/actions/approve").fields, "csrf_token": token}
    assert stranger.client.post(f"{path}/actions/approve", data=fields).status_code == 404
    assert only_case(portal).case.state is State.DECIDING


def test_a_token_is_shown_once_and_counts_until_it_is_revoked(portal: Portal, applicant: Reader) -> None:
    page = applicant.open("/account")
    page = applicant.sent(
        page, "/account/tokens", name="statistics", scope=["catalogue:look"], until="2026-06-01"
    )
    token = next(word for word in page.text.split() if word.startswith("gbt_") and len(word) > 40)
    shown = {"authorization": f"Bearer {token}"}
    assert portal.client().get("/api/v1/session", headers=shown).status_code == 200
    page = applicant.open("/account")
    assert token not in page.answer.text
    (revoke,) = [form.action for form in page.forms if form.action.endswith("/revoke")]
    for typed in ("", "another"):
        refused = applicant.sent(page, revoke, confirm=typed)
        assert (refused.status, refused.faults) == (422, [])
        assert "That is not the name" in refused.text
        assert portal.client().get("/api/v1/session", headers=shown).status_code == 200
    applicant.sent(page, revoke, confirm="statistics")
    assert portal.client().get("/api/v1/session", headers=shown).status_code == 401


def test_a_first_password_has_to_be_changed_before_anything_else(portal: Portal) -> None:
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = operator.open("/admin/people")
    page = operator.sent(page, "/admin/people", login="new.clerk", name="新人", department="tax", email="")
    assert page.status == 200, page.text[:500]
    password = next(word for word in page.text.split() if word.count("-") == 3 and len(word) > 15)
    assert password not in operator.open("/admin/people").answer.text
    path = next(
        each for each in authority.open("/admin/people?department=tax").links if "/admin/people/" in each
    )
    authority.sent(authority.open(path), f"{path}/give_role", role="consumer", why="new in the bureau")
    clerk = portal.stranger()
    page = clerk.sent(clerk.open("/login"), "/login", login="new.clerk", password=password)
    assert page.path == "/account"
    assert "Change your first password" in page.text
    assert clerk.open("/catalogue").status == 403
    words = {"old_password": password, "new_password": "Amsel-53-Regen", "again_password": "Amsel-53-Regen"}
    page = clerk.sent(page, "/account/password", **words)
    assert page.status == 200, page.text[:500]
    assert clerk.open("/catalogue").status == 200


def test_switching_an_account_off_asks_for_its_name(portal: Portal) -> None:
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    person = portal.hire(Role.CONSUMER, department="tax")
    path = f"/admin/people/{person.id}"
    page = operator.sent(operator.open(path), f"{path}/disable", confirm="somebody")
    assert page.status == 422
    assert is_active(portal, person.id)
    page = operator.sent(page, f"{path}/disable", confirm=person.login)
    assert page.status == 200
    assert not is_active(portal, person.id)


@pytest.mark.requirement("A1-05")
def test_the_page_says_how_who_is_to_audit_gets_a_password_that_nobody_has_seen(portal: Portal) -> None:
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    person = portal.hire(department="data_bureau", login="new.auditor")
    path = f"/admin/people/{person.id}"
    page = authority.sent(authority.open(path), f"{path}/give_role", role="auditor", why="new in the office")
    assert "govbus account reset-password new.auditor" in page.text
    page = authority.sent(authority.open(path), f"{path}/give_role", role="overseer", why="looks at more")
    assert "reset-password" not in page.text


@pytest.mark.requirement("A1-05")
def test_what_the_authority_has_switched_off_no_operator_is_offered_to_switch_on(portal: Portal) -> None:
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    person = portal.hire(Role.CONSUMER, department="tax")
    path = f"/admin/people/{person.id}"
    page = authority.sent(authority.open(path), f"{path}/disable", confirm=person.login)
    assert f"{path}/enable" in [form.action for form in page.forms]
    assert f"{path}/enable" not in [form.action for form in operator.open(path).forms]


def is_active(portal: Portal, id_: UUID) -> bool:
    with portal.parts.database.reading() as connection:
        found = person_of(connection, id_)
    assert found is not None
    return found.active


def test_a_department_is_changed_by_the_authority_alone(portal: Portal, provider: Reader) -> None:
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = authority.open("/admin/departments/police")
    page = authority.sent(page, "/admin/departments", **{"head.name": "赵一"})
    assert page.status == 200, page.text[:500]
    assert page.form("/admin/departments").fields["head.name"] == "赵一"
    assert [form.action for form in provider.open("/admin/departments/police").forms] == ["/logout"]
