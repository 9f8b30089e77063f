"""The real registry: what one subject was allowed once is refused again afterwards."""

import uuid
from typing import Any

import pytest

from schemas.registry import RegistryCredentials, RegistryRefused, SchemaRegistry
from services.stack.api import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


def table_with(status: str) -> dict[str, Any]:
    """The schema of a table whose one column has this type."""
    return {"type": "record", "name": "Value", "fields": [{"name": "status", "type": status}]}


def registry_of(stack: Stack) -> SchemaRegistry:
    """The registry, for who may register."""
    credentials = RegistryCredentials(stack.endpoints().registry_url, *stack.registry_auth("apply"))
    return SchemaRegistry(credentials)


def test_a_subject_that_accepted_anything_is_checked_again_and_keeps_what_it_took(stack: Stack) -> None:
    registry = registry_of(stack)
    subject = f"test.{uuid.uuid4().hex}-value"
    text = registry.register(subject, table_with("string"))
    with pytest.raises(RegistryRefused):
        registry.register(subject, table_with("int"))
    registry.accept_anything(subject)
    number = registry.register(subject, table_with("int"))
    registry.check_again(subject)
    with pytest.raises(RegistryRefused):
        registry.register(subject, table_with("boolean"))
    assert not registry.is_compatible(subject, {"type": "string"})[0]
    assert registry.is_compatible(subject, table_with("long"))[0]
    # A record that waited with the old type comes after the new one: its schema is known.
    assert registry.register(subject, table_with("string")) == text
    assert registry.latest(subject)[0] == number
    schemas = [registry.version(subject, each) for each in registry.versions(subject)]
    assert table_with("string") in schemas
    assert table_with("int") in schemas


def test_the_next_start_closes_what_a_killed_command_left_open(stack: Stack) -> None:
    registry = registry_of(stack)
    subject = f"raw.test_{uuid.uuid4().hex}.public.item-value"
    registry.register(subject, table_with("string"))
    assert registry.is_checked(subject)
    registry.accept_anything(subject)
    assert not registry.is_checked(subject)
    stack.registry.settle()
    assert registry.is_checked(subject)
    with pytest.raises(RegistryRefused):
        registry.register(subject, table_with("int"))
