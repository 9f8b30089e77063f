"""A consumer's credential is fetched once, with a code that is shown once; the database keeps neither.

A code of a case fetches the credential as it is, a code of a rotation a new one. Where the one that there was
is over, every code fetches a new one: nothing is handed out that has no date.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.accounts.random_text import Random, digest, new_secret
from services.control.cases.provisioning import Step, done_steps
from services.control.cases.words import State
from services.control.credential_life import Credential, expiry
from services.control.docket.filed import Filed
from services.control.provisioning.logins import Fetching
from services.control.provisioning.ports import CannotProvide
from services.control.store.outbox import Act, Fact, append
from services.control.store.provisioning import credentials, pickups
from services.control.store.provisioning.pickups import PickUp
from topics.event import ConsumerId

CODE_LIFE: Final = timedelta(days=7)
DEPARTMENT: Final = "department"
"""The kind of object whose acts tell of rotations and expiries."""
_PREFIX: Final = "gbc_"


def issue_code(
    connection: Connection, filed: Filed, by: str, now: datetime, id_: UUID, random: Random
) -> tuple[str, datetime]:
    """A code with which the case's consumer fetches its credential once, and when it expires.

    Whoever shows it sees to it that only the consumer's department gets it. Codes that were issued before and
    not used count no more.

    Raises:
        CannotProvide: the case has no credential, or none any more.
    """
    case = filed.case
    has = case.state in {State.PROVISIONING, State.ACTIVE} and Step.CREDENTIAL in done_steps(case.steps)
    if not has:
        what = f"case {filed.number} is {case.state.value} and has no credential to fetch"
        raise CannotProvide(what, "it has one from the step credential on, until it ends")
    code = f"{_PREFIX}{new_secret(random)}"
    consumer, expires_at = case.opening.applicant, now + CODE_LIFE
    pickups.issue(connection, id_, UUID(case.opening.id), consumer, _digest(code), by, now, expires_at)
    append(connection, Act(by, "credential.code_issued", "case", case.opening.id, now))
    return code, expires_at


def order_rotation(
    connection: Connection, consumer: ConsumerId, by: str, now: datetime, id_: UUID, random: Random
) -> tuple[str, datetime]:
    """A code with which the department fetches a new credential once, and when the code expires.

    Nothing changes until it is used. Codes that were issued before and not used count no more.

    Raises:
        CannotProvide: no credential of that department is known.
    """
    if credentials.newest(connection, consumer) is None:
        what = f"no credential of a department {consumer} is known"
        remedy = "`govbus credential list` names those that are; the control process enters them"
        raise CannotProvide(what, remedy)
    code, expires_at = f"{_PREFIX}{new_secret(random)}", now + CODE_LIFE
    pickups.issue(connection, id_, None, consumer, _digest(code), by, now, expires_at, rotates=True)
    append(connection, Act(by, "credential.rotation_ordered", DEPARTMENT, consumer, now))
    return code, expires_at


def fetch(
    connection: Connection, code: str, by: str, now: datetime, logins: Fetching, days: int
) -> dict[str, Any] | None:
    """The credential that a code is for; None where it is none, was used, or is over.

    The login itself is changed last. If that fails, the caller's transaction is rolled back, and the code
    still counts; so it does where the transaction does not end well, and whoever fetches again gets another
    new one.

    Args:
        connection: in the caller's transaction.
        code: what was shown when it was issued.
        by: the account that fetches.
        now: the time.
        logins: puts the credential together, and renews it.
        days: for how many days a credential is good that begins now.

    Raises:
        CannotProvide: the department is not on the bus.
    """
    used = pickups.collect(connection, _digest(code), by, now)
    if used is None:
        return None
    credentials.hold(connection, used.consumer)
    known = credentials.newest(connection, used.consumer)
    renews = used.rotates or (known is not None and known.is_over(now))
    found = _entered(connection, used.consumer, known, now, days, renews=renews)
    append(connection, _fetched(used, found, by, now, renews=renews))
    content = logins.renewed(used.consumer) if renews else logins.shown(used.consumer)
    return {**content, "version": found.version, "expires_at": found.expires_at.isoformat()}


def _entered(
    connection: Connection,
    consumer: ConsumerId,
    known: Credential | None,
    now: datetime,
    days: int,
    *,
    renews: bool,
) -> Credential:
    """The version that is fetched; one that nobody has entered yet begins now."""
    if known is not None and not renews:
        return known
    return credentials.replace(connection, consumer, now, expiry(now, days))


def _fetched(used: PickUp, found: Credential, by: str, now: datetime, *, renews: bool) -> Act:
    what = "credential.rotated" if renews else "credential.fetched"
    facts: dict[str, Fact] = {"version": found.version, "expires_at": found.expires_at.isoformat()}
    if used.case is not None:
        return Act(by, what, "case", str(used.case), now, facts=facts)
    return Act(by, what, DEPARTMENT, used.consumer, now, facts=facts)


def _digest(code: str) -> str:
    return digest(code).hex()
