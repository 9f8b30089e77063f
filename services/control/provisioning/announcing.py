"""Tells a consumer that its credential can be fetched."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.case import Case
from services.control.cases.provisioning import Step
from services.control.desk.ports import Calendars
from services.control.notices import of_grants
from services.control.notices.digest import next_digest
from services.control.notices.event import Happened
from services.control.notices.words import Audience
from services.control.store.notices.happenings import tell


def announce(
    connection: Connection,
    case: Case,
    step: Step,
    id_: UUID,
    now: datetime,
    calendars: Calendars,
) -> None:
    """Tell of a step that was carried through, in the transaction in which it is reported.

    Args:
        connection: in the caller's transaction.
        case: the case before the report.
        step: what was done.
        id_: of what is told.
        now: the time.
        calendars: working days, for the daily digest.
    """
    happened = _happened(case, step, now)
    if happened is not None:
        tell(connection, happened, id_, next_digest(now, calendars.current(connection)))


def _happened(case: Case, step: Step, now: datetime) -> Happened | None:
    """That it can begin or go on, the desk tells: with the step that makes the case active."""
    if step is not Step.CREDENTIAL:
        return None
    parties = {Audience.CONSUMER: (str(case.opening.applicant),)}
    return of_grants.credential_issued(case.opening.grant, now, parties)
