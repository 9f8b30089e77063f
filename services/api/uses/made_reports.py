"""Reports from the figures as pages show them: who sees and makes which, and the rows behind a figure."""

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.reports.report import Scope
from services.control.reports.words import Kind, Measure
from services.control.store.clocks.calendars import read_calendar
from services.control.store.reports.made import Made, Wish, keep, kept, listed
from services.control.store.reports.making import Behind, make, rows_behind
from services.control.store.reports.seen import Asking


def made_ones(parts: Parts, principal: Principal) -> list[Made]:
    """Reports that were made and that somebody sees, the newest first."""
    permit(parts, principal, Action.REPORT_LOOK, own(principal))
    only = None if _sees(principal, "") else {principal.department, *principal.oversees}
    with parts.database.reading() as connection:
        return listed(connection, Wish(departments=only))


def made_one(parts: Parts, principal: Principal, number: int) -> Made:
    """One of them.

    Raises:
        AnswerProblem: there is none, or somebody may not see it.
    """
    permit(parts, principal, Action.REPORT_LOOK, own(principal))
    with parts.database.reading() as connection:
        found = kept(connection, number)
    if found is None or not _sees(principal, found.report.scope.department):
        raise AnswerProblem(Code.NOT_FOUND)
    return found


def make_one(parts: Parts, principal: Principal, scope: Scope) -> Made:
    """Count the figures now and keep them.

    Raises:
        AnswerProblem: somebody may not, or a department's report names none.
    """
    permit(parts, principal, Action.REPORT_MAKE, _whose(scope.department))
    if scope.kind is Kind.DEPARTMENT and not scope.department:
        raise AnswerProblem(Code.INVALID)
    with parts.database.reading() as connection:
        report = make(connection, read_calendar(connection), parts.clock(), scope)
    with parts.database.begin() as connection:
        return keep(connection, report, principal.person)


def behind(
    parts: Parts, principal: Principal, measure: Measure, year: int, department: str, start: int, limit: int
) -> Behind:
    """The rows behind a figure, of a department that somebody sees.

    Raises:
        AnswerProblem: somebody may not see that one's.
    """
    permit(parts, principal, Action.REPORT_LOOK, _whose(department))
    with parts.database.reading() as connection:
        asking = Asking(connection, read_calendar(connection), parts.clock(), year)
        return rows_behind(asking, measure, department, start, limit)


def _sees(principal: Principal, department: str) -> bool:
    return sees(principal, Action.REPORT_LOOK, _whose(department))


def _whose(department: str) -> Whose:
    return Whose(department or None, department or None)
