"""Drift: what is too much goes, what an active case lacks comes, and an old database decides nothing."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from services.control.cases.words import Action, DeliveryMode, State, StopReason
from services.control.docket.filed import Filed
from services.control.policy_document import with_grant_state
from services.control.provisioning.drift import Kind
from services.control.provisioning.ports import CannotProvide
from services.control.provisioning.repairing import DatabaseIsOlder, Drift, WorkerIsBusy
from services.control.state import Acl, Pattern, ResourceType, Right
from services.control.store.database import ControlDatabase
from services.control.store.provisioning.turns import Lane, turn
from tests.support.desk import Office
from tests.support.policy import sample_policy
from tests.support.provisioning import (
    Clock,
    MemoryGrantBus,
    approved,
    by_cases,
    carried_out,
    grant_of,
    now_of,
)
from tests.support.restoring import back_up, restore
from tests.support.sharing_cases import BUREAU, CONSUMER, DECIDER, application
from topics.event import GrantId
from topics.grants.declaration import GrantState
from topics.policy import GrantPolicy

STRANGER = Acl("mallory", ResourceType.TOPIC, Pattern.PREFIXED, "sub.", Right.READ)


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database)


@pytest.fixture
def bus() -> MemoryGrantBus:
    return MemoryGrantBus()


@pytest.fixture
def filed(office: Office, bus: MemoryGrantBus) -> Filed:
    """A case that is active on the bus."""
    found = approved(office)
    carried_out(office, bus, Clock())
    return found


def drift(office: Office, bus: MemoryGrantBus) -> Drift:
    return Drift(office.database, office.desk, bus, Clock(), "console:zhao")


def kinds(office: Office, bus: MemoryGrantBus) -> list[Kind]:
    return [finding.kind for finding in drift(office, bus).find()]


def changed(bus: MemoryGrantBus, grant: GrantId, change: Callable[[GrantPolicy], GrantPolicy]) -> None:
    bus.now = bus.now.model_copy(update={"grants": {**bus.now.grants, grant: change(bus.now.grants[grant])}})


def test_a_bus_that_is_as_the_cases_say_has_no_drift(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    assert kinds(office, bus) == []
    assert drift(office, bus).repair().done == ()
    assert bus.state(grant_of(filed)) is GrantState.ACTIVE


@pytest.mark.parametrize(
    "acl",
    [
        STRANGER,
        Acl("consumer-tax", ResourceType.TOPIC, Pattern.LITERAL, "*", Right.READ),
        Acl("consumer-tax", ResourceType.TOPIC, Pattern.PREFIXED, "s", Right.ALL),
        Acl("consumer-tax", ResourceType.TOPIC, Pattern.LITERAL, "epochs.other", Right.READ),
        Acl("consumer-tax", ResourceType.TOPIC, Pattern.PREFIXED, "sub.health.x.y.v1.z.replay.", Right.READ),
    ],
)
def test_a_right_that_no_case_stands_for_is_taken_and_no_other(
    office: Office, bus: MemoryGrantBus, filed: Filed, acl: Acl
) -> None:
    before = set(bus.acls)
    bus.acls |= {acl, Acl("replay", ResourceType.TOPIC, Pattern.PREFIXED, "sub.", Right.READ)}
    assert kinds(office, bus) == [Kind.STRANGE_RIGHT]
    repaired = drift(office, bus).repair()
    assert [finding.acl for finding in repaired.done] == [acl]
    assert bus.acls - before == {Acl("replay", ResourceType.TOPIC, Pattern.PREFIXED, "sub.", Right.READ)}
    assert before <= bus.acls


def test_a_grant_that_has_no_case_is_withdrawn(office: Office, bus: MemoryGrantBus, filed: Filed) -> None:
    stranger = sample_policy().grants[GrantId("tax-permits")]
    bus.now = bus.now.model_copy(update={"grants": {**bus.now.grants, stranger.grant.id: stranger}})
    assert kinds(office, bus) == [Kind.STRANGE_GRANT]
    drift(office, bus).repair()
    assert bus.state(stranger.grant.id) is GrantState.REVOKED
    assert kinds(office, bus) == []


@pytest.mark.requirement("A8-05")
@pytest.mark.parametrize(
    ("action", "after"),
    [(Action.SUSPEND, GrantState.SUSPENDED), (Action.TERMINATE, GrantState.REVOKED)],
)
def test_a_grant_that_delivers_though_its_case_does_not_is_stopped(
    office: Office, bus: MemoryGrantBus, filed: Filed, action: Action, after: GrantState
) -> None:
    office.done(filed, action, BUREAU, Clock().now, stop_reason=StopReason.RISK)
    found = drift(office, bus).find()
    assert {finding.kind for finding in found} == {Kind.STRANGE_GRANT, Kind.STRANGE_RIGHT}
    drift(office, bus).repair()
    assert bus.state(grant_of(filed)) is after
    assert not bus.reads(grant_of(filed))
    assert kinds(office, bus) == []


@pytest.mark.requirement("A8-01")
def test_a_grant_that_gives_more_than_was_decided_is_stopped_and_comes_back_as_decided(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    grant = grant_of(filed)
    wide = bus.now.grants[grant].grant.model_copy(update={"rows": ()})
    changed(bus, grant, lambda entry: entry.model_copy(update={"grant": wide}))
    found = drift(office, bus).find()
    assert [(finding.kind, finding.what) for finding in found] == [
        (Kind.WIDER_GRANT, "more than was decided: rows")
    ]
    repaired = drift(office, bus).repair()
    assert [finding.kind for finding in repaired.done] == [Kind.WIDER_GRANT, Kind.MISSING_GRANT]
    assert bus.stops[0][0] == f"suspend {grant}"
    assert bus.state(grant) is GrantState.ACTIVE
    assert bus.now.grants[grant].grant.rows == filed.case.application.rows
    assert bus.filled[-1] == (grant, 2)


@pytest.mark.requirement("A7-03")
def test_a_batch_that_goes_on_is_stopped_and_handed_out_once(office: Office, bus: MemoryGrantBus) -> None:
    """So were batches delivered before grants could be handed out once: whoever updates need do nothing."""
    wanted = application(mode=DeliveryMode.BATCH, batch_justification="年度普查须离线比对全量")
    filed = office.done(office.opened(wanted), Action.SUBMIT, CONSUMER)
    filed = office.done(filed, Action.APPROVE, DECIDER)
    carried_out(office, bus, Clock())
    grant = grant_of(filed)
    assert kinds(office, bus) == []
    goes_on = bus.now.grants[grant].grant.model_copy(update={"once": False})
    changed(bus, grant, lambda entry: entry.model_copy(update={"grant": goes_on, "closed_ms": None}))
    [found] = drift(office, bus).find()
    assert (found.kind, found.what) == (Kind.WIDER_GRANT, "more than was decided: it goes on after the batch")
    drift(office, bus).repair()
    entry = bus.now.grants[grant]
    assert (entry.grant.once, entry.grant.state, entry.closed_ms) == (True, GrantState.ACTIVE, 1)
    assert kinds(office, bus) == []


def test_what_an_active_case_lacks_is_given_back(office: Office, bus: MemoryGrantBus, filed: Filed) -> None:
    bus.acls, bus.known = set(), set()
    assert set(kinds(office, bus)) == {Kind.MISSING_RIGHT, Kind.MISSING_USER}
    drift(office, bus).repair()
    assert bus.reads(grant_of(filed))
    assert kinds(office, bus) == []


def test_a_grant_that_somebody_revoked_comes_back_only_for_a_case_that_is_active(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    grant = grant_of(filed)
    bus.now = with_grant_state(bus.now, {grant: GrantState.REVOKED}, 1)
    bus.acls = set()
    assert kinds(office, bus) == [Kind.MISSING_GRANT]
    drift(office, bus).repair()
    assert bus.state(grant) is GrantState.ACTIVE
    office.done(filed, Action.TERMINATE, BUREAU, Clock().now, stop_reason=StopReason.RISK)
    carried_out(office, bus, Clock())
    assert kinds(office, bus) == []
    drift(office, bus).repair()
    assert bus.state(grant) is GrantState.REVOKED


@pytest.mark.requirement("A8-05")
def test_a_restored_old_database_brings_no_revoked_grant_back_and_repairs_nothing(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    grant = grant_of(filed)
    back_up(office.database)
    office.done(filed, Action.TERMINATE, BUREAU, Clock().now, stop_reason=StopReason.RISK)
    carried_out(office, bus, Clock())
    restore(office.database)
    assert now_of(office, filed).state is State.ACTIVE
    bus.acls.add(STRANGER)
    assert kinds(office, bus) == [Kind.OLDER_DATABASE]
    with pytest.raises(DatabaseIsOlder) as refused:
        drift(office, bus).repair()
    assert [finding.grant for finding in refused.value.findings] == [grant]
    assert bus.state(grant) is GrantState.REVOKED
    assert STRANGER in bus.acls, "not even rights are taken on its word"
    carried_out(office, bus, Clock())
    assert bus.state(grant) is GrantState.REVOKED
    assert not bus.reads(grant)


def test_a_database_that_knows_nothing_of_a_grants_case_is_older_too(
    office: Office, bus: MemoryGrantBus, filed: Filed, control_database: ControlDatabase
) -> None:
    with control_database.begin() as connection:
        connection.execute(text("TRUNCATE cases CASCADE"))
    assert kinds(office, bus) == [Kind.OLDER_DATABASE]


def test_nothing_is_repaired_while_the_worker_is_at_it(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    bus.acls.add(STRANGER)
    with turn(office.database, Lane.PROVIDING), pytest.raises(WorkerIsBusy):
        drift(office, bus).repair()
    assert STRANGER in bus.acls


def test_what_cannot_be_repaired_says_why_and_the_rest_is(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    bus.acls = {STRANGER}
    bus.fails["confirm"] = OSError("the disk is full")
    repaired = drift(office, bus).repair()
    assert [finding.acl for finding in repaired.done] == [STRANGER]
    assert {finding.kind for finding, _ in repaired.left} == {Kind.MISSING_RIGHT}
    assert "the disk is full" in repaired.left[0][1]


def test_before_the_import_there_is_nothing_to_compare_with(office: Office) -> None:
    bus = MemoryGrantBus(now=by_cases().model_copy(update={"by_cases": False}))
    with pytest.raises(CannotProvide, match="declared in files"):
        drift(office, bus).find()
