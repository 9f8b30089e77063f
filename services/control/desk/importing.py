"""Opens a case for a grant that definitions declared: active as it is, and marked as imported."""

from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.application import Application, DutyBasis
from services.control.cases.case import Given, Opening, opened
from services.control.cases.decision import Approval
from services.control.cases.words import Action, DeliveryMode
from services.control.desk.acts import opening_act
from services.control.desk.desk import Desk
from services.control.desk.orders import Done, Order
from services.control.docket.filed import Filed
from services.control.store.cases.policies import Adopted
from services.control.store.cases.writing import add
from services.control.store.outbox import append
from topics.grants.declaration import Grant
from topics.resource import Resource

_FACTS: Final = {"on_platform": "yes"}
_UNKNOWN: Final = "-"
_DOCUMENT_ENDS: Final = "》"


class NotImportable(Exception):  # noqa: N818 - says what is the matter
    """The life cycle does not let a grant become a case as it is."""


def import_case(
    connection: Connection,
    desk: Desk,
    grant: Grant,
    resource: Resource,
    adopted: Adopted,
    order: Order,
    case: UUID,
    why: str,
) -> Filed:
    """The new case, active; its application and decision are what the grant says of both.

    Args:
        connection: in the caller's transaction.
        desk: records it as any other action.
        grant: as it stands in the policy.
        resource: what it is of.
        adopted: the policy packs that the case is bound to.
        order: by the control plane; its recorder is who imports.
        case: the id that it gets.
        why: said with the import.

    Raises:
        NotImportable: the rules are against it.
    """
    application = application_of(grant)
    opening = Opening(str(case), grant.id, resource.provider, application, adopted.policy.rules(_FACTS))
    number = add(connection, opening, adopted.digest, _FACTS, resource.code, order.now)
    filed = Filed(opened(opening), number, adopted.digest, adopted.policy, _FACTS, resource.code)
    append(connection, opening_act(filed, order))
    given = Given(text=why, approval=approval_of(grant))
    answer = desk.carry_out(connection, order, case, Action.IMPORT, given)
    if not isinstance(answer, Done):
        raise NotImportable(f"grant {grant.id} cannot be imported: {answer}")
    return answer.filed


def application_of(grant: Grant) -> Application:
    """What the grant's consumer would have applied for; whether it promised anything is not known."""
    document, ends, article = grant.legal_basis.partition(_DOCUMENT_ENDS)
    return Application(
        applicant=grant.consumer,
        resource=grant.resource,
        scenario=grant.purpose,
        basis=DutyBasis(document + ends, article.strip() or _UNKNOWN),
        items=grant.items,
        mode=DeliveryMode.BATCH if grant.once else DeliveryMode.SUBSCRIBE,
        start=grant.valid_from,
        end=grant.valid_until,
        rows=grant.rows,
    )


def approval_of(grant: Grant) -> Approval:
    """What the grant gives."""
    masks = tuple(sorted(grant.masks.items()))
    return Approval(grant.items, grant.valid_from, grant.valid_until, grant.rows, masks)
