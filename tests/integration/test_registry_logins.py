"""Departments and parts of the bus read schemas with logins of their own, taken away one by one."""

from dataclasses import dataclass

import pytest

from schemas.registry import RegistryCredentials
from services.cli.plan import access_of
from services.stack.api import Stack
from services.stack.probes import loopback_session
from services.stack.registry_logins import READERS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

ONE, OTHER = "consumer-logins-one", "provider-logins-other"


@dataclass(frozen=True)
class Answers:
    """What the registry says to a login: to a question, and to a schema that it brings."""

    reads: int
    registers: int


def answers(stack: Stack, user: str, password: str) -> Answers:
    url = f"{stack.endpoints().registry_url}/subjects"
    with loopback_session((user, password)) as session:
        asked = session.get(url, timeout=10)
        told = session.post(f"{url}/logins-value/versions", json={"schema": '"string"'}, timeout=10)
    return Answers(asked.status_code, told.status_code)


def login(stack: Stack, user: str) -> RegistryCredentials:
    return access_of(stack).registry_credentials(user)


def test_a_new_department_reads_schemas_at_once_and_registers_none(stack: Stack) -> None:
    process = stack.registry.pid_file.running()
    for user in (ONE, OTHER):
        own = login(stack, user)
        assert answers(stack, own.username, own.password) == Answers(200, 403)
        assert answers(stack, own.username, "another") == Answers(401, 401)
    assert stack.registry.pid_file.running() == process, "for that it was not started anew"


@pytest.mark.parametrize("user", READERS)
def test_a_part_of_the_bus_that_only_reads_schemas_registers_none(stack: Stack, user: str) -> None:
    assert answers(stack, *stack.registry_auth(user)) == Answers(200, 403)


@pytest.mark.requirement("A11-04")
def test_who_is_withdrawn_reads_no_schema_any_more_and_others_do(stack: Stack) -> None:
    gone, kept = login(stack, ONE), login(stack, OTHER)
    stack.withdraw_registry_login(ONE)
    assert answers(stack, gone.username, gone.password) == Answers(401, 401)
    assert answers(stack, kept.username, kept.password) == Answers(200, 403)
    again = login(stack, ONE)
    assert again.password != gone.password
    assert answers(stack, again.username, again.password) == Answers(200, 403)
