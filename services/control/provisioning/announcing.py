"""Tells a consumer what it can do now: fetch its credential, begin, go on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.case import Case
from services.control.cases.provisioning import Step
from services.control.cases.words import Action
from services.control.desk.ports import Calendars
from services.control.notices import of_grants
from services.control.notices.digest import next_digest
from services.control.notices.event import Happened
from services.control.notices.shown import Fact
from services.control.notices.words import Audience, Kind, Slot
from services.control.store.notices.happenings import tell


def announce(
    connection: Connection,
    case: Case,
    step: Step,
    round_: int,
    id_: UUID,
    now: datetime,
    calendars: Calendars,
) -> None:
    """Tell of a step that was carried through, in the transaction in which it is reported.

    Args:
        connection: in the caller's transaction.
        case: the case before the report.
        step: what was done.
        round_: the event that began this provisioning.
        id_: of what is told.
        now: the time.
        calendars: working days, for the daily digest.
    """
    happened = _happened(case, step, round_, now)
    if happened is not None:
        tell(connection, happened, id_, next_digest(now, calendars.current(connection)))


def _happened(case: Case, step: Step, round_: int, now: datetime) -> Happened | None:
    parties = {Audience.CONSUMER: (str(case.opening.applicant),)}
    grant = case.opening.grant
    match step:
        case Step.CREDENTIAL:
            return of_grants.credential_issued(grant, now, parties)
        case Step.ANNOUNCED if case.events[round_ - 1].action is Action.RESUME:
            return of_grants.resumed(grant, now, parties)
        case Step.ANNOUNCED:
            facts: dict[Slot, Fact] = {
                Slot.CASE: case.opening.id,
                Slot.GRANT: grant,
                Slot.RESOURCE: case.application.resource,
                Slot.LEVEL: case.level,
            }
            return Happened(f"grant.delivers:{grant}:{round_}", Kind.CASE_ACTIVE, now, parties, facts)
        case _:
            return None
