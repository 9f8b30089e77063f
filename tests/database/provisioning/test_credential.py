"""A credential is fetched once, by a code that is shown once, and neither stands in the database."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.control.cases.words import Action, StopReason
from services.control.docket.filed import Filed
from services.control.provisioning.credential import CODE_LIFE, credential_of, fetch, issue_code
from services.control.provisioning.ports import CannotProvide
from services.control.store.cases.reading import load
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.outbox import acts_on
from tests.database.provisioning.test_worker import approved, carried_out, grant_of
from tests.support.access import access
from tests.support.desk import Office, id_of
from tests.support.provisioning import OPENED, Clock, MemoryGrantBus
from tests.support.sharing_cases import BUREAU
from topics.event import ConsumerId

BY = "operator-7"


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database)


@pytest.fixture
def bus() -> MemoryGrantBus:
    return MemoryGrantBus()


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


def fetched(office: Office, code: str, now: Any = OPENED) -> dict[str, Any] | None:
    def made(consumer: ConsumerId) -> dict[str, Any]:
        return {"username": f"consumer-{consumer}"}

    with office.database.begin() as connection:
        return fetch(connection, code, BY, now, made)


def test_a_code_fetches_the_credential_of_its_consumer_once(office: Office, filed: Filed) -> None:
    code = code_of(office, filed)
    assert fetched(office, "gbc_another") is None
    assert fetched(office, code) == {"username": "consumer-health"}
    assert fetched(office, code) is None
    with office.database.begin() as connection:
        acts = [act.what for act in acts_on(connection, "case", filed.case.opening.id)]
    assert acts[-2:] == ["credential.code_issued", "credential.fetched"]


def test_neither_code_nor_credential_stands_in_any_table(office: Office, filed: Filed) -> None:
    code = code_of(office, filed)
    fetched(office, code)
    with office.database.begin() as connection:
        names = connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).scalars()
        for name in list(names):
            rows = connection.execute(text(f"SELECT t::text FROM {name} t")).scalars()
            assert not any(code in row or code.removeprefix("gbc_") in row for row in rows), name


def test_a_code_ends_after_seven_days_and_with_the_next_one(office: Office, filed: Filed) -> None:
    first, second = code_of(office, filed, 1), code_of(office, filed, 2)
    assert fetched(office, first) is None
    assert fetched(office, second, OPENED + CODE_LIFE) is None
    assert fetched(office, second, OPENED + CODE_LIFE - timedelta(seconds=1)) is not None


def test_what_fails_while_the_credential_is_put_together_leaves_the_code_as_it_was(
    office: Office, filed: Filed
) -> None:
    code = code_of(office, filed)

    def broken(_consumer: ConsumerId) -> dict[str, Any]:
        raise OSError("no secret")

    with pytest.raises(OSError, match="no secret"), office.database.begin() as connection:
        fetch(connection, code, BY, OPENED, broken)
    assert fetched(office, code) is not None


def test_a_case_that_has_ended_or_is_not_that_far_has_no_code(office: Office, filed: Filed) -> None:
    with pytest.raises(CannotProvide, match="has no credential"):
        code_of(office, approved(office))
    office.done(filed, Action.TERMINATE, BUREAU, OPENED, stop_reason=StopReason.RISK)
    with pytest.raises(CannotProvide, match="terminated"):
        code_of(office, filed)


def test_a_credential_names_the_topics_of_the_grants_that_the_policy_has(
    bus: MemoryGrantBus, filed: Filed, tmp_path: Any
) -> None:
    found = credential_of(access(tmp_path), bus.now, ConsumerId("health"))
    grant = grant_of(filed)
    assert found["grants"] == {grant: bus.now.grants[grant].grant.topic}
    assert (found["username"], found["password"]) == ("consumer-health", "password of consumer-health")
