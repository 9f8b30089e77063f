"""Two at once: exactly one decides, and the other is told what happened meanwhile."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from services.control.cases.case import Given
from services.control.cases.words import Action, Actor, RefusalReason, Role, State
from services.control.desk.orders import Answer, Done, Overtaken
from services.control.desk.sweep import sweep
from services.control.store.cases.checking import differences
from services.control.store.cases.tables import EVENTS
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX
from tests.support.desk import Office, id_of, order
from tests.support.sharing_cases import AFTER, CONSUMER, DECIDER, NOW, PROVIDER

COLLEAGUE = Actor("Zhou", Role.PROVIDER, PROVIDER)
REFUSAL = Given(text="no", refusal_reason=RefusalReason.LAW_FORBIDS, acceptable_if="nothing would")


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database)


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """What each answers when all begin in the same moment, each on a connection of its own."""
    gate = Barrier(len(work), timeout=30)

    def begin(one: Callable[[], Any]) -> Any:
        gate.wait()
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(begin, work))


def decide(
    office: Office, case: Any, actor: Actor, action: Action, given: Given, seen: int, key: str = ""
) -> Callable[[], Answer]:
    def work() -> Answer:
        asked = replace(order(actor, NOW, key), seen=seen)
        with office.database.begin() as connection:
            return office.desk.act(connection, asked, id_of(case), action, given)

    return work


@pytest.mark.parametrize("turn", range(5))
def test_of_two_deciders_one_wins_and_the_other_is_told_what_happened(office: Office, turn: int) -> None:
    filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    answers = at_once(
        decide(office, filed, DECIDER, Action.APPROVE, Given(), filed.version),
        decide(office, filed, COLLEAGUE, Action.REFUSE, REFUSAL, filed.version),
    )
    (won,) = [each for each in answers if isinstance(each, Done)]
    (lost,) = [each for each in answers if isinstance(each, Overtaken)]
    assert lost.meanwhile == won.filed.case.events[filed.version :]
    assert lost.meanwhile[0].who in {DECIDER, COLLEAGUE}
    with office.database.begin() as connection:
        assert list(differences(connection, office.city.calendar)) == []
        asked = connection.execute(select(func.count()).where(OUTBOX.c.document.is_not(None))).scalar_one()
    assert asked == (1 if won.filed.case.state is State.PROVISIONING else 0)


def test_one_order_that_comes_twice_at_once_is_carried_out_once(office: Office) -> None:
    filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    answers = at_once(*[decide(office, filed, DECIDER, Action.APPROVE, Given(), filed.version, "k1")] * 4)
    assert all(isinstance(each, Done) for each in answers)
    assert sorted(each.repeated for each in answers) == [False, True, True, True]
    assert all(each.filed.case == answers[0].filed.case for each in answers)
    with office.database.begin() as connection:
        count = connection.execute(select(func.count()).select_from(EVENTS)).scalar_one()
    assert count == 4


def test_two_sweeps_at_once_expire_and_tell_each_case_once(office: Office) -> None:
    for _ in range(6):
        filed = office.done(office.done(office.opened(), Action.SUBMIT, CONSUMER), Action.APPROVE, DECIDER)
        office.provisioned(filed, filed.version)
    first, second = at_once(*[lambda: sweep(office.desk, office.database, AFTER)] * 2)
    assert first.expired + second.expired == 6
    with office.database.begin() as connection:
        expired = select(func.count()).where(OUTBOX.c.what == "case.expire")
        assert connection.execute(expired).scalar_one() == 6
        assert list(differences(connection, office.city.calendar)) == []
