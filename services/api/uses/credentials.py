"""Credentials of departments as pages show them: when each ends, and the code that fetches a new one."""

from dataclasses import dataclass
from datetime import datetime

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import visible_to
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.credential_life import Credential, Standing
from services.control.provisioning.credential import order_rotation
from services.control.provisioning.ports import CannotProvide
from services.control.store.provisioning import credentials, pickups
from topics.event import ConsumerId


@dataclass(frozen=True, slots=True)
class CredentialLine:
    """The newest credential of a department, as it stands now."""

    credential: Credential
    standing: Standing
    days_left: int
    code_until: datetime | None
    """Until when a code counts that nobody has used."""


@dataclass(frozen=True, slots=True)
class PickUpCode:
    """A code with which a new credential is fetched once; it is shown once, and kept nowhere."""

    consumer: ConsumerId
    text: str
    until: datetime


def listed(parts: Parts, principal: Principal) -> list[CredentialLine]:
    """The newest credential of each department for which somebody may have a new one made.

    Raises:
        AnswerProblem: he may for nobody.
    """
    visible = visible_to(parts, principal, Action.GRANT_ROTATE_CREDENTIAL)
    now = parts.clock()
    with parts.database.reading() as connection:
        codes = pickups.waiting(connection, now)
        found = credentials.listed(connection, None if visible is None else visible.consumers)
    return [
        CredentialLine(each, each.standing(now), each.days_left(now), codes.get(each.consumer))
        for each in found
    ]


def rotation_ordered(parts: Parts, principal: Principal, consumer: str) -> PickUpCode:
    """Make the code with which a department fetches a new credential; the act is owed to the ledger with it.

    Raises:
        AnswerProblem: somebody may not, or no credential of that department is known.
    """
    permit(parts, principal, Action.GRANT_ROTATE_CREDENTIAL, Whose(consumer=consumer))
    now, wanted = parts.clock(), ConsumerId(consumer)
    with parts.database.begin() as connection:
        try:
            text, until = order_rotation(
                connection, wanted, principal.person, now, parts.new_id(now), parts.random
            )
        except CannotProvide as error:
            raise AnswerProblem(Code.NOT_FOUND) from error
    return PickUpCode(wanted, text, until)
