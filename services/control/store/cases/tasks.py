"""Cases that wait for somebody: by the role in which a person acts, and of which department."""

from typing import Final

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_

from services.control.cases.words import Decides, State
from services.control.store.cases.tables import CASES, STEPS

_AUTHORITY: Final = "authority"
_PROVIDER: Final = "provider"


def of_applicant(department: str) -> ColumnElement[bool]:
    """Drafts, and what was returned for supplement."""
    return and_(CASES.c.consumer == department, _in(State.DRAFT, State.RETURNED))


def of_provider(department: str) -> ColumnElement[bool]:
    """What the provider decides, negotiates or has to supply."""
    own = and_(CASES.c.provider == department, CASES.c.consumer != department)
    return and_(own, or_(_decided_by(Decides.PROVIDER), CASES.c.due_from == _PROVIDER))


def of_authority(department: str) -> ColumnElement[bool]:
    """What the authority checks, decides, rules at its level or owes a reply to; never on its own."""
    rules = and_(_in(State.ESCALATED), _arbiter() == department)
    decides = _decided_by(Decides.AUTHORITY)
    owes = or_(CASES.c.due_from == _AUTHORITY, CASES.c.open_complaints > 0)
    return and_(CASES.c.consumer != department, or_(_in(State.PRECHECK), rules, decides, owes))


def of_operator() -> ColumnElement[bool]:
    """Cases with a provisioning step that failed."""
    stuck = STEPS.select().with_only_columns(STEPS.c.case_id).where(STEPS.c.progress == "failed")
    return and_(_in(State.PROVISIONING), CASES.c.id.in_(stuck))


def _in(*states: State) -> ColumnElement[bool]:
    return CASES.c.state.in_([state.value for state in states])


def _decided_by(whom: Decides) -> ColumnElement[bool]:
    """What waits for a decision or an agreement, by the rules that the case was opened under.

    Not by its clock: a policy may give that no time at all.
    """
    decides = func.jsonb_extract_path_text(CASES.c.opening, "rules", "decides")
    return and_(_in(State.DECIDING, State.NEGOTIATING), decides == whom.value)


def _arbiter() -> ColumnElement[str | None]:
    """The department that rules at the level that a case has reached."""
    level = cast(CASES.c.level - 1, Text)
    return func.jsonb_extract_path_text(CASES.c.opening, "rules", "dispute_levels", level)
