"""On the day on which a version is retired its grants stop as those of every other case that ended."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from services.control.cases.case import Case
from services.control.cases.words import Action, State
from services.control.desk.catalogued import PublishedEntries
from services.control.desk.desk import Desk
from services.control.desk.retiring import Retiring
from services.control.docket.filed import Filed
from services.control.process.retirements import RetirementsTurn
from services.control.retirements.plan import By, Retirement, Wish
from services.control.store.cases.grant_requests import GrantOutbox
from services.control.store.cases.reading import load
from services.control.store.database import ControlDatabase
from tests.support.desk import Office, id_of
from tests.support.policy import policy_of
from tests.support.provisioning import Clock, MemoryGrantBus, by_cases, worker
from tests.support.retiring import FIRST, NEW, OLD, TODAY, morning, publish_entry, two_versions
from tests.support.sharing_cases import CONSUMER, DECIDER, NOW, application
from tests.support.suspending import Killed
from topics.event import ResourceId
from topics.grants.declaration import GrantState


@dataclass
class Town:
    """A desk over two versions of persons, and a bus that delivers both."""

    office: Office
    bus: MemoryGrantBus
    clock: Clock

    def approved(self, version: ResourceId) -> Filed:
        wanted = replace(application(), resource=version)
        filed = self.office.done(self.office.opened(wanted), Action.SUBMIT, CONSUMER)
        return self.office.done(filed, Action.APPROVE, DECIDER)

    def carry_out(self) -> None:
        run = worker(self.office, self.bus, self.clock)
        while run.turn():
            pass

    def day(self) -> None:
        """The day comes, and what time makes due is done."""
        self.clock.now = morning(FIRST)
        RetirementsTurn(self.office.database, self.office.desk, self.clock).turn()

    def now_of(self, filed: Filed) -> Case:
        with self.office.database.reading() as connection:
            found = load(connection, id_of(filed))
        assert found is not None
        return found.case

    def announce(self) -> None:
        with self.office.database.begin() as connection:
            retiring = Retiring(self.office.desk.entries, self.office.desk.calendars)
            by = By("wang", "provider", "police", NOW)
            done = retiring.plan(connection, Wish(OLD, NEW, TODAY, FIRST, "住址拆分"), "police", 30, by)
        assert isinstance(done, Retirement), done


@pytest.fixture
def town(control_database: ControlDatabase) -> Town:
    office = Office(control_database)
    office.desk = Desk(PublishedEntries(two_versions()), office.city, GrantOutbox())
    with control_database.begin() as connection:
        publish_entry(connection)
    policy = policy_of(two_versions()).model_copy(update={"grants": {}})
    return Town(office, MemoryGrantBus(now=by_cases(policy)), Clock())


def test_delivery_of_the_old_version_stops_and_that_of_the_new_one_goes_on(town: Town) -> None:
    old, new = town.approved(OLD), town.approved(NEW)
    town.carry_out()
    town.announce()
    grants = [each.case.opening.grant for each in (old, new)]
    assert [town.bus.state(each) for each in grants] == [GrantState.ACTIVE] * 2
    town.day()
    town.carry_out()
    assert [town.bus.state(each) for each in grants] == [GrantState.REVOKED, GrantState.ACTIVE]
    assert [town.bus.reads(each) for each in grants] == [False, True]
    assert [(what, why) for what, _, why in town.bus.stops] == [
        (f"withdraw {grants[0]}", f"case {old.number}: RESOURCE_ENDED")
    ]


@pytest.mark.parametrize("calls", range(2, 8))
def test_a_grant_that_is_being_provisioned_on_the_day_is_never_opened(town: Town, calls: int) -> None:
    old = town.approved(OLD)
    town.announce()
    town.bus.kill_at = calls
    with pytest.raises(Killed):
        town.carry_out()
    town.clock.goes_on(timedelta(hours=1))
    assert town.now_of(old).state is State.PROVISIONING
    town.day()
    town.carry_out()
    assert town.now_of(old).state is State.TERMINATED
    entry = town.bus.now.grants.get(old.case.opening.grant)
    assert entry is None or entry.grant.state is GrantState.REVOKED
    assert not any(OLD in acl.name for acl in town.bus.acls)
