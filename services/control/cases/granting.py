"""From a decided case to the grant of the bus, never wider than application, decision and entry."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from services.control.cases.application import Application, item_problems, row_problems
from services.control.cases.case import Case
from services.control.cases.decision import Approval, rows_within, width_problems
from services.control.cases.grading import UNGRADED, Grades, unmasked
from services.control.cases.words import SERVED, Action, DeliveryMode, Problem, State
from topics.event import ConsumerId
from topics.grants.declaration import Grant, GrantState
from topics.resource import Resource, ShareType

DELIVERING: Final = {State.PROVISIONING: GrantState.FILLING, State.ACTIVE: GrantState.ACTIVE}
"""The only states of a case that have a grant; while it is provisioned the fan-out withholds."""


def grant_of(case: Case, resource: Resource, grades: Grades = UNGRADED) -> Grant | None:
    """The grant that a case entitles to now, or None.

    None in every state but provisioning and active, for modes in which the bus pushes nothing, and where the
    grant would go beyond the application, the decision or the entry as it stands now: in doubt nothing is
    delivered, and ``excess_problems`` says what is too much.
    """
    approval, state = case.approval, DELIVERING.get(case.state)
    if approval is None or state is None or case.application.mode not in SERVED:
        return None
    grant = _compiled(case, approval, state)
    return None if any(excess_problems(grant, case, resource, grades)) else grant


def missing_problems(case: Case, resource: Resource, grades: Grades = UNGRADED) -> tuple[Problem, ...]:
    """Why a case that is to deliver has no grant; nothing where it has one, or where none is to stand."""
    approval, state = case.approval, DELIVERING.get(case.state)
    if approval is None or state is None or case.application.mode not in SERVED:
        return ()
    return tuple(excess_problems(_compiled(case, approval, state), case, resource, grades))


def excess_problems(
    grant: Grant, case: Case, resource: Resource, grades: Grades = UNGRADED
) -> Iterator[Problem]:
    """Yield in what a grant goes beyond its case or the entry as it stands now."""
    application, approval = case.application, case.approval
    if approval is None:
        yield Problem("NOT_APPROVED", "grant", "nothing was approved", "no grant may stand")
        return
    yield from _party_problems(grant, application, resource)
    given = Approval(grant.items, grant.valid_from, grant.valid_until, grant.rows, tuple(grant.masks.items()))
    yield from width_problems(given, application)
    yield from _decision_problems(given, approval)
    if application.mode is DeliveryMode.BATCH and not grant.once:
        what = "the grant goes on after the batch was handed out"
        yield Problem("BEYOND_DECISION", "grant", what, "make it of the decision")
    yield from item_problems(grant.items, resource)
    yield from row_problems(grant.rows, resource)
    yield from _grade_problems(replace(given, whole=approval.whole), case, grades)


def _compiled(case: Case, approval: Approval, state: GrantState) -> Grant:
    application = case.application
    return Grant(
        id=case.opening.grant,
        consumer=ConsumerId(application.applicant),
        resource=application.resource,
        items=approval.items,
        rows=approval.rows,
        masks=dict(approval.masks),
        purpose=application.scenario,
        legal_basis=f"{application.basis.document} {application.basis.article}",
        valid_from=approval.start,
        valid_until=approval.end,
        state=state,
        once=application.mode is DeliveryMode.BATCH,
    )


def _party_problems(grant: Grant, application: Application, resource: Resource) -> Iterator[Problem]:
    wanted = (application.applicant, application.resource, resource.id)
    if (grant.consumer, grant.resource, grant.resource) != wanted:
        what = f"the grant is for {grant.consumer} and {grant.resource}"
        yield Problem("GRANT_OTHER", "grant", what, "make it of the case and its entry")
    if resource.share_type is ShareType.NOT_SHARED:
        what = f"{resource.id} is not shared any more"
        yield Problem("NOT_SHARED", "resource", what, "terminate the case, or change the entry")


def _decision_problems(given: Approval, approval: Approval) -> Iterator[Problem]:
    """What a grant gives beyond the decision: an item without its mask is more, too."""
    more = set(given.items) - set(approval.items)
    bare = [name for name, mask in approval.masks if name in given.items and (name, mask) not in given.masks]
    if more or bare or not rows_within(given.rows, approval.rows):
        what = "the grant gives more than the decision"
        yield Problem("BEYOND_DECISION", "grant", what, "make it of the decision")
    if given.start < approval.start or given.end > approval.end:
        what = "the grant lasts longer than the decision"
        yield Problem("BEYOND_DECISION", "grant", what, "make it of the decision")


def _grade_problems(given: Approval, case: Case, grades: Grades) -> Iterator[Problem]:
    """What would go out whole against its grade; what was declared before cases stays until its last day."""
    if any(event.action is Action.IMPORT for event in case.events):
        return
    for name in unmasked(given, case.opening.rules, grades):
        what = f"the grade of {name} asks for a mask now, and the decision names none"
        remedy = "terminate the case and let it be applied for anew, or correct the grade in the catalogue"
        yield Problem("GRADE_UNMASKED", f"masks.{name}", what, remedy)
