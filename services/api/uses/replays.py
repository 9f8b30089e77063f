"""Replays as pages show and order them: who sees them, asks for one, approves and cancels it."""

from collections.abc import Callable
from dataclasses import dataclass

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal
from services.control.cases.words import Problem
from services.control.replays.asking import approves, asks
from services.control.replays.life import TABLE, Order, Refused, Replay, State, Step
from services.control.store.outbox import Act, acts_on
from services.control.store.replays import work
from services.ledger.replay.words import Purpose

_ACTIONS: dict[Step, Callable[[Purpose], Action]] = {Step.APPROVE: approves, Step.CANCEL: asks}
"""The steps that a page takes, and what each asks of whoever takes it; a run is a command's."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A replay with the acts of its life, oldest first."""

    replay: Replay
    acts: tuple[Act, ...]


def some(
    parts: Parts, principal: Principal, state: State | None, before: int | None, limit: int
) -> list[Replay]:
    """Replays from the newest on, with results but for what is long in them.

    Raises:
        AnswerProblem: somebody may not look at them.
    """
    permit(parts, principal, Action.REPLAY_LOOK, own(principal))
    with parts.database.reading() as connection:
        return work.listed(connection, state, before, limit, whole=False)


def one(parts: Parts, principal: Principal, number: int) -> Shown:
    """One of them with its life.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    permit(parts, principal, Action.REPLAY_LOOK, own(principal))
    with parts.database.reading() as connection:
        found = work.load(connection, number)
        if found is None:
            raise AnswerProblem(Code.NOT_FOUND)
        return Shown(found, tuple(acts_on(connection, work.KIND, str(number))))


def may_ask_for(principal: Principal) -> tuple[Purpose, ...]:
    """The purposes of which somebody may ask for a replay; no refusal is counted."""
    return tuple(each for each in Purpose if sees(principal, asks(each), own(principal)))


def possible(principal: Principal, replay: Replay) -> frozenset[Step]:
    """What somebody can do with a replay now on its page; the rules ask again when it is done."""
    return frozenset(
        step
        for step, action in _ACTIONS.items()
        if (replay.state, step) in TABLE
        and sees(principal, action(replay.order.purpose), own(principal))
        and not (step is Step.APPROVE and principal.person == replay.requested_by)
    )


def ask(parts: Parts, principal: Principal, order: Order) -> Replay:
    """Ask for a replay; another person approves it.

    Raises:
        AnswerProblem: somebody may not, or a rule is against it.
    """
    permit(parts, principal, asks(order.purpose), own(principal))
    try:
        with parts.database.begin() as connection:
            return work.request(connection, order, principal.person, parts.clock())
    except Refused as error:
        raise AnswerProblem(Code.INVALID) from error


def take(parts: Parts, principal: Principal, number: int, step: Step) -> Replay:
    """Approve or cancel a replay.

    Raises:
        AnswerProblem: there is none, somebody may not, asked for it himself, or it does not follow.
    """
    found = one(parts, principal, number).replay
    permit(parts, principal, _ACTIONS[step](found.order.purpose), own(principal))
    if step is Step.APPROVE and principal.person == found.requested_by:
        what = "who asked for a replay does not approve it"
        raise AnswerProblem(Code.FORBIDDEN, [Problem("OWN_WORK", "person", what, "let another person do it")])
    try:
        with parts.database.begin() as connection:
            return work.step(connection, number, step, principal.person, parts.clock())
    except Refused as error:
        raise AnswerProblem(Code.WRONG_STATE) from error
