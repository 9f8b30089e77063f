"""Grants of definitions become cases once; who did it and why stands with each, and nothing is half done."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from services.control.cases.words import Action, Role, State, StopReason
from services.control.desk.orders import Declined
from services.control.docket.filed import Filed
from services.control.policy_document import with_grant_state, with_hold
from services.control.provisioning.importing import Import, Imported, ImportOvertaken, ImportRefused
from services.control.provisioning.marks import is_known
from services.control.store.cases.listing import newest
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.outbox import acts_on
from services.control.store.provisioning.works import works_of
from tests.support.desk import Office, id_of
from tests.support.policy import sample_definitions, sample_policy
from tests.support.provisioning import OPENED, Clock, MemoryGrantBus, worker
from tests.support.sharing_cases import BUREAU, OPERATOR
from tests.support.suspending import HEALTH, Killed
from topics.event import GrantId, PolicyNumber
from topics.grants.declaration import GrantState
from topics.grants.hold import Hold, HoldScope
from topics.policy import Policy

GRANT = GrantId(HEALTH)


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database)


def imported(office: Office, bus: MemoryGrantBus) -> Imported:
    order = Import(office.database, office.desk, bus, new_id, "console:zhao", "cases begin", OPENED)
    return order.run()


def declared(policy: Policy | None = None) -> MemoryGrantBus:
    return MemoryGrantBus(now=policy or sample_policy())


def case_of(found: Imported, grant: GrantId = GRANT) -> Filed:
    return next(filed for filed in found.cases if filed.case.opening.grant == grant)


def test_each_grant_in_force_becomes_an_active_case_that_says_the_same(office: Office) -> None:
    bus = declared()
    found = imported(office, bus)
    assert {filed.case.opening.grant for filed in found.cases} == set(sample_definitions().grants)
    grant = sample_definitions().grants[GRANT]
    case = case_of(found).case
    assert (case.state, case.opening.provider, case.opening.applicant) == (State.ACTIVE, "police", "health")
    assert case.approval is not None
    assert (case.approval.items, case.approval.rows) == (grant.items, grant.rows)
    assert case.application.basis.article == "第三十一条；《传染病防治法》"
    [event] = case.events
    assert (event.action, event.who.role) == (Action.IMPORT, Role.SYSTEM)
    assert event.text == "imported from the definitions: cases begin"
    assert case_of(found).recorders == ("console:zhao",)
    with office.database.begin() as connection:
        acts = acts_on(connection, "case", case.opening.id)
    assert [(act.who, act.what) for act in acts] == [
        ("console:zhao", "case.open"),
        ("console:zhao", "case.import"),
    ]


def test_from_then_on_the_policy_says_that_cases_decide_and_how_far_each_is(office: Office) -> None:
    bus = declared()
    found = imported(office, bus)
    assert bus.now.by_cases
    assert found.policy_version == bus.now.version == sample_policy().version + 1
    assert bus.now.grants == sample_policy().grants, "what is delivered does not change"
    for filed in found.cases:
        assert is_known(filed.case, bus.now.cases[filed.case.opening.grant])


def test_it_happens_once(office: Office) -> None:
    bus = declared()
    imported(office, bus)
    again = imported(office, bus)
    assert (again.repeated, again.cases) == (True, ())
    with office.database.begin() as connection:
        assert len(newest(connection)) == len(sample_policy().grants)


def test_killed_before_the_policy_says_so_the_next_import_takes_the_cases_that_are_there(
    office: Office,
) -> None:
    bus = declared()
    bus.fails["write"] = OSError("killed here")
    with pytest.raises(OSError, match="killed here"):
        imported(office, bus)
    del bus.fails["write"]
    bus.kill_at = len(bus.calls) + 1
    with pytest.raises(Killed):
        imported(office, bus)
    assert imported(office, bus).repeated
    with office.database.begin() as connection:
        assert len(newest(connection)) == len(sample_policy().grants)


def test_a_grant_that_is_held_is_imported_and_stays_held(office: Office) -> None:
    hold = Hold(
        id="s-1",
        scope=HoldScope.CONSUMER,
        name="health",
        reason="why",
        since_ms=1,
        since_version=PolicyNumber(1),
    )
    bus = declared(with_hold(sample_policy(), hold, 5))
    found = imported(office, bus)
    assert case_of(found).case.state is State.ACTIVE
    assert bus.state(GRANT) is GrantState.SUSPENDED


@pytest.mark.parametrize(
    ("state", "code"),
    [(GrantState.FILLING, "GRANT_FILLING"), (GrantState.SUSPENDED, "GRANT_SUSPENDED")],
)
def test_what_cannot_become_an_active_case_keeps_all_from_being_imported(
    office: Office, state: GrantState, code: str
) -> None:
    bus = declared(with_grant_state(sample_policy(), {GRANT: state}, 1))
    with pytest.raises(ImportRefused) as refused:
        imported(office, bus)
    assert [problem.code for problem in refused.value.problems] == [code]
    assert not bus.now.by_cases
    with office.database.begin() as connection:
        assert newest(connection) == []


def test_a_grant_that_was_revoked_stays_revoked_and_becomes_no_case(office: Office) -> None:
    bus = declared(with_grant_state(sample_policy(), {GRANT: GrantState.REVOKED}, 1))
    found = imported(office, bus)
    assert GRANT not in {filed.case.opening.grant for filed in found.cases}
    assert bus.state(GRANT) is GrantState.REVOKED


def test_without_adopted_packs_nothing_is_imported(office: Office) -> None:
    with office.database.begin() as connection:
        connection.execute(text("TRUNCATE case_policy_adoptions"))
    with pytest.raises(ImportRefused, match="no policy packs"):
        imported(office, declared())


def test_grants_that_change_meanwhile_are_not_handed_over_as_they_were(office: Office) -> None:
    bus = declared()
    write = bus.write

    def overtaken(change: Callable[[Policy], Policy]) -> Policy:
        bus.now = with_grant_state(bus.now, {GRANT: GrantState.REVOKED}, 1)
        return write(change)

    bus.write = overtaken  # type: ignore[method-assign]
    with pytest.raises(ImportOvertaken):
        imported(office, bus)
    assert not bus.now.by_cases
    bus.write = write  # type: ignore[method-assign]
    with pytest.raises(ImportRefused, match=HEALTH):
        imported(office, bus)


def test_an_imported_case_is_suspended_and_resumed_as_any_other(office: Office) -> None:
    bus, clock = declared(), Clock()
    filed = case_of(imported(office, bus))
    run = worker(office, bus, clock)
    while run.turn():
        pass
    office.done(filed, Action.SUSPEND, BUREAU, clock.now, stop_reason=StopReason.RISK)
    while run.turn():
        pass
    assert bus.state(GRANT) is GrantState.SUSPENDED
    office.done(filed, Action.RESUME, BUREAU, clock.now)
    while run.turn():
        pass
    assert bus.state(GRANT) is GrantState.ACTIVE
    assert bus.now.grants[GRANT].generation == 2
    with office.database.begin() as connection:
        assert [work.outcome.value for work in works_of(connection, id_of(filed))] == ["done"] * 4


def test_no_person_can_call_a_draft_imported(office: Office) -> None:
    answer = office.act(office.opened(), Action.IMPORT, OPERATOR)
    assert isinstance(answer, Declined)
    assert [problem.code for problem in answer.problems] == ["WRONG_ROLE"]
