"""By which mode data is served: what nothing serves is refused at once, and a batch says that it is one."""

import pytest

from services.control.cases.words import State
from services.control.store.snapshots import Kind, put
from tests.database.portal.test_work import only_case, steps_before_the_last
from tests.support.operating import grant_document
from tests.support.portal import Portal, Reader
from tests.support.sharing_cases import APPLICANT


@pytest.mark.parametrize("mode", ["query", "verification"])
def test_a_mode_that_nothing_serves_is_not_offered_and_not_handed_in(
    portal: Portal, applicant: Reader, mode: str
) -> None:
    page = steps_before_the_last(applicant)
    step = applicant.open(f"{page.path}?step=delivery")
    assert f'value="{mode}"' not in step.answer.text
    assert 'value="batch"' in step.answer.text
    assert "cannot be applied for" in step.text
    days = {"start": "2026-03-10", "end": "2027-03-09"}
    kept = applicant.sent(step, step.path, then="next", mode=mode, **days)
    assert "There is no way yet" in applicant.open(f"{page.path}?step=delivery").text
    refused = applicant.sent(kept, kept.path, then="submit", committed="yes")
    assert refused.status == 422
    assert f"there is no way yet to serve data by {mode}" in refused.text
    assert only_case(portal).case.state is State.DRAFT


@pytest.mark.requirement("A7-03", "A7-04")
def test_a_batch_says_on_form_decision_and_case_that_it_is_handed_out_once(
    portal: Portal, applicant: Reader, provider: Reader
) -> None:
    page = steps_before_the_last(applicant)
    step = applicant.open(f"{page.path}?step=delivery")
    assert "Changes do not follow." in step.text
    days = {"start": "2026-03-02", "end": "2027-03-01"}
    why = "年度普查须离线比对全量"
    page = applicant.sent(step, step.path, then="next", mode="batch", batch_justification=why, **days)
    applicant.sent(page, page.path, then="submit", committed="yes")
    path = f"/cases/{only_case(portal).case.opening.id}"
    decision = provider.open(path)
    for words in (why, "Handed out once: changes do not follow"):
        assert words in decision.text
    decided = provider.sent(decision, f"{path}/actions/approve")
    assert "Handed out not yet" in decided.text
    grant = only_case(portal).case.opening.grant
    document = grant_document(APPLICANT, handed_out_at="2026-03-02T00:30:00+00:00")
    with portal.parts.database.begin() as connection:
        put(connection, Kind.GRANT, {str(grant): document}, portal.clock.now)
    for page in (applicant.open(path), applicant.open(f"/grants/{grant}")):
        assert page.faults == []
        assert "nothing has followed since" in page.text
        assert "2026-03-02 08:30:00" in page.text
