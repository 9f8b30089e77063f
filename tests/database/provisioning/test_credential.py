"""A credential is fetched once, by a code that is shown once, and neither stands in the database."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.control.cases.words import Action, StopReason
from services.control.credential_life import Credential, Ended, expiry
from services.control.docket.filed import Filed
from services.control.provisioning.credential import (
    CODE_LIFE,
    DEPARTMENT,
    fetch,
    issue_code,
    order_rotation,
)
from services.control.provisioning.logins import credential_of
from services.control.provisioning.ports import CannotProvide
from services.control.store.cases.reading import load
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.outbox import acts_on
from services.control.store.provisioning import credentials
from tests.support.access import access
from tests.support.desk import Office, id_of
from tests.support.provisioning import OPENED, Clock, MemoryGrantBus, approved, carried_out, grant_of
from tests.support.sharing_cases import BUREAU
from topics.event import ConsumerId

BY = "operator-7"
HEALTH = ConsumerId("health")
DAYS = 180


@dataclass
class PlayedLogins:
    """Counts the passwords that it makes."""

    number: int = 1
    fails: list[Exception] = field(default_factory=list)

    def shown(self, consumer: ConsumerId) -> dict[str, Any]:
        if self.fails:
            raise self.fails.pop()
        return {"username": f"consumer-{consumer}", "password": f"secret {self.number}"}

    def renewed(self, consumer: ConsumerId) -> dict[str, Any]:
        self.number += 1
        return self.shown(consumer)


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database)


@pytest.fixture
def bus() -> MemoryGrantBus:
    return MemoryGrantBus()


@pytest.fixture
def logins() -> PlayedLogins:
    return PlayedLogins()


@pytest.fixture
def filed(office: Office, bus: MemoryGrantBus) -> Filed:
    found = approved(office)
    carried_out(office, bus, Clock())
    return found


def code_of(office: Office, filed: Filed, chance: int = 1) -> str:
    with office.database.begin() as connection:
        found = load(connection, id_of(filed), lock=True)
        assert found is not None
        code, _ = issue_code(connection, found, BY, OPENED, new_id(OPENED), lambda n: bytes([chance] * n))
    return code


def rotation(office: Office, now: datetime = OPENED, chance: int = 9) -> str:
    with office.database.begin() as connection:
        code, _ = order_rotation(connection, HEALTH, BY, now, new_id(now), lambda n: bytes([chance] * n))
    return code


def fetched(office: Office, logins: PlayedLogins, code: str, now: datetime = OPENED) -> dict[str, Any] | None:
    with office.database.begin() as connection:
        return fetch(connection, code, BY, now, logins, DAYS)


def versions(office: Office) -> list[Credential]:
    with office.database.reading() as connection:
        return credentials.versions(connection, HEALTH)


def acts(office: Office, kind: str, object_: str) -> list[str]:
    with office.database.reading() as connection:
        return [act.what for act in acts_on(connection, kind, object_)]


def test_a_code_fetches_the_credential_of_its_consumer_once(
    office: Office, filed: Filed, logins: PlayedLogins
) -> None:
    code = code_of(office, filed)
    assert fetched(office, logins, "gbc_another") is None
    ends = expiry(OPENED, DAYS)
    assert fetched(office, logins, code) == {
        "username": "consumer-health",
        "password": "secret 1",
        "version": 1,
        "expires_at": ends.isoformat(),
    }
    assert fetched(office, logins, code) is None
    done = acts(office, "case", filed.case.opening.id)[-2:]
    assert done == ["credential.code_issued", "credential.fetched"]
    assert versions(office) == [Credential(HEALTH, 1, OPENED, ends)]


def test_a_code_of_a_rotation_fetches_a_new_credential_that_takes_the_place_of_the_old_one(
    office: Office, filed: Filed, logins: PlayedLogins
) -> None:
    del filed
    later = OPENED + timedelta(days=100)
    code = rotation(office, later)
    assert [each.ended for each in versions(office)] == [None], "the order alone changes nothing"
    found = fetched(office, logins, code, later)
    assert found is not None
    assert (found["password"], found["version"]) == ("secret 2", 2)
    assert fetched(office, logins, code, later) is None
    assert versions(office) == [
        Credential(HEALTH, 2, later, expiry(later, DAYS)),
        Credential(HEALTH, 1, OPENED, expiry(OPENED, DAYS), later, Ended.ROTATED),
    ]
    assert acts(office, DEPARTMENT, HEALTH) == ["credential.rotation_ordered", "credential.rotated"]


def test_a_rotation_that_nobody_fetches_leaves_everything_as_it_was(
    office: Office, filed: Filed, logins: PlayedLogins
) -> None:
    del filed
    before, code = versions(office), rotation(office)
    assert fetched(office, logins, code, OPENED + CODE_LIFE) is None
    assert (versions(office), logins.number) == (before, 1)


def test_where_the_credential_is_over_every_code_fetches_a_new_one(
    office: Office, filed: Filed, logins: PlayedLogins
) -> None:
    over = expiry(OPENED, DAYS)
    with office.database.begin() as connection:
        found = load(connection, id_of(filed), lock=True)
        assert found is not None
        code, _ = issue_code(connection, found, BY, over, new_id(over), lambda n: bytes(n))
    answer = fetched(office, logins, code, over)
    assert answer is not None
    assert (answer["password"], answer["version"]) == ("secret 2", 2)
    assert [each.ended for each in versions(office)] == [None, Ended.EXPIRED]
    assert acts(office, "case", filed.case.opening.id)[-1] == "credential.rotated"


def test_one_that_nobody_has_entered_begins_when_it_is_fetched_and_keeps_its_password(
    office: Office, filed: Filed, logins: PlayedLogins
) -> None:
    with office.database.begin() as connection:
        connection.execute(text("TRUNCATE department_credentials"))
    with pytest.raises(CannotProvide, match="no credential"):
        rotation(office)
    found = fetched(office, logins, code_of(office, filed))
    assert found is not None
    assert (found["password"], found["version"]) == ("secret 1", 1)
    assert versions(office) == [Credential(HEALTH, 1, OPENED, expiry(OPENED, DAYS))]


def test_neither_code_nor_credential_stands_in_any_table(
    office: Office, filed: Filed, logins: PlayedLogins
) -> None:
    codes = [code_of(office, filed), rotation(office)]
    fetched(office, logins, codes[1])
    said = {*codes, *(code.removeprefix("gbc_") for code in codes), "secret 2"}
    with office.database.begin() as connection:
        names = connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).scalars()
        for name in list(names):
            rows = connection.execute(text(f"SELECT t::text FROM {name} t")).scalars()
            assert not any(each in row for row in rows for each in said), name


def test_a_code_ends_after_seven_days_and_with_the_next_one(
    office: Office, filed: Filed, logins: PlayedLogins
) -> None:
    first, second = code_of(office, filed, 1), code_of(office, filed, 2)
    assert fetched(office, logins, first) is None
    assert fetched(office, logins, second, OPENED + CODE_LIFE) is None
    assert fetched(office, logins, second, OPENED + CODE_LIFE - timedelta(seconds=1)) is not None
    third, fourth = code_of(office, filed, 3), rotation(office)
    assert fetched(office, logins, third) is None
    assert fetched(office, logins, fourth) is not None


@pytest.mark.parametrize("rotates", [False, True])
def test_what_fails_while_the_credential_is_put_together_leaves_the_code_as_it_was(
    office: Office, filed: Filed, logins: PlayedLogins, rotates: bool
) -> None:
    code, before = rotation(office) if rotates else code_of(office, filed), versions(office)
    logins.fails.append(OSError("no secret"))
    with pytest.raises(OSError, match="no secret"):
        fetched(office, logins, code)
    assert versions(office) == before
    assert fetched(office, logins, code) is not None


def test_a_case_that_has_ended_or_is_not_that_far_has_no_code(office: Office, filed: Filed) -> None:
    with pytest.raises(CannotProvide, match="has no credential"):
        code_of(office, approved(office))
    office.done(filed, Action.TERMINATE, BUREAU, OPENED, stop_reason=StopReason.RISK)
    with pytest.raises(CannotProvide, match="terminated"):
        code_of(office, filed)


def test_a_second_case_of_a_department_gives_its_credential_no_other_date(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    del filed
    approved(office)
    carried_out(office, bus, Clock(OPENED + timedelta(days=50)))
    assert versions(office) == [Credential(HEALTH, 1, OPENED, expiry(OPENED, DAYS))]


def test_a_credential_names_the_topics_of_the_grants_that_the_policy_has(
    bus: MemoryGrantBus, filed: Filed, tmp_path: Any
) -> None:
    found = credential_of(access(tmp_path), bus.now, ConsumerId("health"))
    grant = grant_of(filed)
    assert found["grants"] == {grant: bus.now.grants[grant].grant.topic}
    assert (found["username"], found["password"]) == ("consumer-health", "password of consumer-health")
