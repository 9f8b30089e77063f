"""Who may take an action on a case: role, own or other department, and what a person did before."""

from collections.abc import Iterable
from typing import Final

from services.control.cases.case import Case
from services.control.cases.words import Action, Actor, Decides, Party, Problem, Role

JUDGING: Final = frozenset(
    {
        Action.ACCEPT,
        Action.RETURN,
        Action.APPROVE,
        Action.APPROVE_IN_PART,
        Action.REFUSE,
        Action.AGREE,
        Action.UPHOLD,
        Action.DISMISS,
        Action.RESUME,
        Action.REPLY,
        Action.EXTEND,
    }
)
"""What nobody does who worked on the case as its applicant, in whatever role and department he comes now."""
_RULINGS: Final = frozenset({Action.UPHOLD, Action.DISMISS})
_DECISIONS: Final = frozenset({Action.APPROVE, Action.APPROVE_IN_PART, Action.REFUSE})


def party_problem(case: Case, action: Action, actor: Actor, parties: Iterable[Party]) -> Problem | None:
    """Why somebody may not take an action, or None if he may."""
    wanted = tuple(parties)
    if not any(is_party(case, actor, party) for party in wanted):
        return _stranger(case, action, actor, wanted)
    if action in JUDGING and actor.person in _people(case, frozenset(Action), Role.CONSUMER):
        what = f"{actor.person} worked on this case as its applicant"
        return Problem("OWN_WORK", "person", what, "let another person do it")
    if action in _RULINGS and actor.person in _people(case, _DECISIONS):
        what = f"{actor.person} decided on this case"
        return Problem("OWN_DECISION", "person", what, "let another person rule on it")
    return None


def is_party(case: Case, actor: Actor, party: Party) -> bool:
    """Whether somebody is that party of the case."""
    applies = actor.department == case.opening.applicant
    match party:
        case Party.APPLICANT:
            return actor.role is Role.CONSUMER and applies
        case Party.PROVIDER:
            provides = actor.department == case.opening.provider
            return actor.role is Role.PROVIDER and provides and not applies
        case Party.DECIDER:
            by_provider = case.opening.rules.decides is Decides.PROVIDER
            return is_party(case, actor, Party.PROVIDER if by_provider else Party.AUTHORITY)
        case Party.AUTHORITY:
            return actor.role is Role.AUTHORITY and not applies
        case Party.ANY_AUTHORITY:
            return actor.role is Role.AUTHORITY
        case Party.ARBITER:
            return is_party(case, actor, Party.AUTHORITY) and actor.department == arbiter_of(case)
        case Party.OPERATOR:
            return actor.role is Role.OPERATOR
        case Party.SYSTEM:
            return actor.role is Role.SYSTEM
        case Party.ANYONE:
            return actor.role is not Role.SYSTEM


def arbiter_of(case: Case) -> str | None:
    """The department that rules at the level that was reached."""
    levels = case.opening.rules.dispute_levels
    return levels[case.level - 1] if 0 < case.level <= len(levels) else None


_ROLES: Final = {
    Party.APPLICANT: Role.CONSUMER,
    Party.PROVIDER: Role.PROVIDER,
    Party.AUTHORITY: Role.AUTHORITY,
    Party.ANY_AUTHORITY: Role.AUTHORITY,
    Party.ARBITER: Role.AUTHORITY,
    Party.OPERATOR: Role.OPERATOR,
    Party.SYSTEM: Role.SYSTEM,
}


def _stranger(case: Case, action: Action, actor: Actor, wanted: tuple[Party, ...]) -> Problem:
    """The wrong role, or the right one in the wrong department."""
    who = ", ".join(party.value for party in wanted)
    deciding = Role(case.opening.rules.decides.value)
    if actor.role not in {_ROLES.get(party, deciding) for party in wanted}:
        what = f"{action.value} is not for the role {actor.role.value}"
        return Problem("WRONG_ROLE", "role", what, f"ask: {who}")
    if actor.department == case.opening.applicant and actor.role is not Role.CONSUMER:
        what = f"{actor.department} is the applicant of this case"
        return Problem("OWN_CASE", "department", what, f"ask somebody of another department: {who}")
    what = f"{action.value} is not for {actor.department}"
    return Problem("OTHER_DEPARTMENT", "department", what, f"ask: {who}")


def _people(case: Case, actions: frozenset[Action], role: Role | None = None) -> frozenset[str]:
    """Who took one of these actions, in that role if one is named; complaints do not count as work."""
    return frozenset(
        event.who.person
        for event in case.events
        if event.action in actions
        and event.action is not Action.COMPLAIN
        and (role is None or event.who.role is role)
    )
