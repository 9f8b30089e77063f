"""Whose objects somebody sees in a list, from the one table of permissions."""

from dataclasses import replace

from services.api.codes import Code
from services.api.parts import Parts as WebParts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.control.accounts.actions import Action
from services.control.accounts.decision import EVERYWHERE, Allowed, Principal, Refused, Whose, may_person
from services.control.accounts.permissions import PERMISSIONS, Reach
from services.control.accounts.roles import Role
from services.control.store.parties import Parties


def own(principal: Principal) -> Whose:
    """What is the person's own department's, whatever it is to it."""
    return Whose(principal.department, principal.department)


def visible_to(parts: WebParts, principal: Principal, action: Action) -> Parties | None:
    """Objects of which parties somebody sees; None where of all.

    Raises:
        AnswerProblem: the person may not look even at what is his own department's.
    """
    permit(parts, principal, action, own(principal))
    consumers: set[str] = set()
    providers: set[str] = set()
    for role in principal.roles:
        reach = PERMISSIONS[action].of(role)
        if reach is Reach.ALL and (role is not Role.OVERSEER or EVERYWHERE in principal.oversees):
            return None
        if reach is Reach.ALL:
            # Of what has a consumer, the consumer's department counts for an overseer.
            consumers |= {*principal.oversees, principal.department}
        elif reach is Reach.OWN:
            (providers if role is Role.PROVIDER else consumers).add(principal.department)
    return Parties(frozenset(consumers), frozenset(providers))


def require_sight(parts: WebParts, principal: Principal, action: Action, whose: Whose) -> None:
    """Let an object be as if it were not there for whoever may not look at it: numbers can be guessed.

    The roles alone count here; what else is against the person is said by ``permit``, of what he may see.

    Raises:
        AnswerProblem: there is no such thing.
    """
    answer = may_person(replace(principal, scopes=None, must_change_password=False), action, whose)
    if isinstance(answer, Refused):
        parts.refusals.count(action.value, answer.reason.value)
        raise AnswerProblem(Code.NOT_FOUND)


def sees(principal: Principal, action: Action, whose: Whose) -> bool:
    """Whether somebody sees an object of these departments; no refusal is counted."""
    return isinstance(may_person(principal, action, whose), Allowed)
