"""Which rows of a list somebody may see, as a filter that tables understand; made from the permissions.

So a page is full before anything is left out. Who shows a row asks ``may_person`` about it once more: what
the filter let through by mistake is not shown.
"""

from dataclasses import dataclass

from services.control.accounts.actions import Action
from services.control.accounts.decision import EVERYWHERE, Allowed, Principal, Whose, may_person
from services.control.accounts.permissions import PERMISSIONS, Reach
from services.control.accounts.roles import Role


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose objects somebody may see: all, or those of departments as providers or as consumers."""

    everything: bool = False
    as_provider: frozenset[str] = frozenset()
    as_consumer: frozenset[str] = frozenset()

    @property
    def nothing(self) -> bool:
        """Whether no row can be seen."""
        return not (self.everything or self.as_provider or self.as_consumer)

    def shows(self, whose: Whose) -> bool:
        """Whether an object of these departments is seen."""
        return self.everything or whose.provider in self.as_provider or whose.consumer in self.as_consumer


def sight(principal: Principal, action: Action) -> Sight:
    """Whose objects a person may look at by an action; roles add up."""
    if not _may_at_all(principal, action):
        return Sight()
    found = [_of_role(principal, role, action) for role in principal.roles]
    return Sight(
        any(each.everything for each in found),
        frozenset().union(*(each.as_provider for each in found)),
        frozenset().union(*(each.as_consumer for each in found)),
    )


def _may_at_all(principal: Principal, action: Action) -> bool:
    """Whether there is a department of which the person may look at something: bars and scopes are asked."""
    departments = (None, principal.department, *principal.oversees)
    answers = (may_person(principal, action, Whose(each, each)) for each in departments)
    return any(isinstance(answer, Allowed) for answer in answers)


def _of_role(principal: Principal, role: Role, action: Action) -> Sight:
    match PERMISSIONS[action].of(role):
        case Reach.ALL if role is not Role.OVERSEER or EVERYWHERE in principal.oversees:
            return Sight(everything=True)
        case Reach.ALL:
            overseen = principal.oversees | {principal.department}
            return Sight(as_provider=overseen, as_consumer=overseen)
        case Reach.OWN if role is Role.PROVIDER:
            return Sight(as_provider=frozenset({principal.department}))
        case Reach.OWN:
            return Sight(as_consumer=frozenset({principal.department}))
        case _:
            return Sight()
