"""Acting on a case from a page: who may, in which role, by which key, on the version that was seen."""

from uuid import UUID

from fastapi import Request
from sqlalchemy import Connection
from starlette.datastructures import FormData

from services.api.codes import Code
from services.api.problems import AnswerProblem, asked_language
from services.api.security.asking import Asker, asker_of, permit
from services.api.security.cookies import parts_of
from services.control.accounts import actions as of_accounts
from services.control.accounts.decision import Principal, Whose, permitted
from services.control.cases.case import Case, Given
from services.control.cases.life import allowed
from services.control.cases.words import Action, Actor, Role
from services.control.desk.orders import Answer, Order
from services.control.docket.filed import Filed
from services.control.store.cases.reading import id_of, load
from services.portal.forms import text

SYSTEM_ONLY = frozenset(
    {
        Action.REQUEST_PRECHECK,
        Action.REQUEST_DECISION,
        Action.ACCEPT_UNCONDITIONAL,
        Action.PROVISION,
        Action.STEP_DONE,
        Action.STEP_FAILED,
        Action.ACTIVATE,
        Action.ROLL_BACK,
        Action.EXPIRE,
    }
)


def whose(case: Case) -> Whose:
    """The departments of a case."""
    return Whose(provider=case.opening.provider, consumer=case.opening.applicant)


def permission_of(action: Action) -> of_accounts.Action:
    """The permission that an action on a case needs."""
    return of_accounts.Action(f"case.{action.value}")


def look(request: Request, connection: Connection, case: UUID) -> Filed:
    """A case that its reader may see.

    Raises:
        AnswerProblem: there is none, or this person may not see it; strangers are not told which.
    """
    asker, filed = asker_of(request), load(connection, case)
    if filed is None:
        raise AnswerProblem(Code.NOT_FOUND)
    parts, language = parts_of(request), asked_language(request)
    permit(parts, asker.principal, of_accounts.Action.CASE_LOOK, whose(filed.case), language)
    return filed


def number_or_id(connection: Connection, name: str) -> UUID:
    """The id of a case that is called by its number or its id.

    Raises:
        AnswerProblem: there is no such case.
    """
    if name.isascii() and name.isdigit() and len(name) <= 18:
        found = id_of(connection, int(name))
    else:
        try:
            found = UUID(name)
        except ValueError:
            found = None
    if found is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return found


def buttons(case: Case, principal: Principal) -> tuple[Action, ...]:
    """What a person can do with a case now: permitted, and possible in the state for one of the roles.

    The rules ask again when it is done; a button that is not here is not offered, and would be refused.
    """
    mine = permitted(principal, [permission_of(each) for each in Action], whose(case))
    found = []
    for role in sorted(principal.roles):
        actor = Actor(principal.person, Role(role.value), principal.department)
        found += [each for each in allowed(case, actor) if permission_of(each) in mine]
    return tuple(each for each in Action if each in found and each not in SYSTEM_ONLY)


def act(request: Request, connection: Connection, form: FormData, filed: Filed, action: Action, given: Given) -> Answer:
    """Take an action on a case in the role in which its asker may.

    Raises:
        AnswerProblem: the person may not.
    """
    order = order_of(request, form, action, whose(filed.case), seen=True)
    return parts_of(request).desk.act(connection, order, UUID(filed.case.opening.id), action, given)


def order_of(request: Request, form: FormData, action: Action | None, of: Whose, *, seen: bool = False) -> Order:
    """The order of who asks; ``action`` is None for opening a case.

    Raises:
        AnswerProblem: the person may not.
    """
    asker, parts = asker_of(request), parts_of(request)
    permission = of_accounts.Action.CASE_OPEN if action is None else permission_of(action)
    role = permit(parts, asker.principal, permission, of, asked_language(request)).role
    actor = Actor(asker.name, Role(role.value), asker.person.department)
    return Order(_key(request, form, asker), actor, parts.clock(), seen=_seen(form) if seen else None)


def new_key(request: Request) -> str:
    """A key for a form: sent twice, it is carried out once."""
    return parts_of(request).random(16).hex()


def _key(request: Request, form: FormData, asker: Asker) -> str:
    """Keys belong to persons: nobody can use up another one's."""
    return f"page:{asker.name}:{text(form, 'key')[:64] or new_key(request)}"


def _seen(form: FormData) -> int | None:
    """The version that the page showed; without it the form is no form of ours.

    Raises:
        AnswerProblem: it is missing.
    """
    seen = text(form, "seen")
    if not seen.isascii() or not seen.isdigit() or len(seen) > 9:
        raise AnswerProblem(Code.VERSION_MISSING)
    return int(seen)
