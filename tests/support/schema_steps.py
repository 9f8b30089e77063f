"""What the collector saw of the schema of persons: an item came, another one went, one is described anew."""

import copy
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.catalogue.schema_steps import Registered, steps_within
from services.control.store.snapshots import Kind, put
from tests.support.policy import sample_definitions
from tests.support.retiring import publish_entry
from tests.support.sharing_cases import PERSON
from topics.canonical import envelope_schema

CODE: Final = "1013205/000001"
LEFT_OUT: Final = "住址"
"""An item that the entry does not name, and the topic has: ``address``."""
GONE: Final = "phone"
"""An item that the resource had once; whether an entry named it nobody can tell."""


def resource_document() -> dict[str, Any]:
    """The snapshot of persons after three versions of their schema."""
    second = sample_definitions().item_schemas[PERSON]
    first = copy.deepcopy(second)
    first["fields"] = [each for each in first["fields"] if each["name"] != "birth_date"]
    first["fields"].append({"name": GONE, "type": ["null", "string"], "default": None})
    third = copy.deepcopy(second)
    third["fields"] = [each for each in third["fields"] if each["name"] != "sex"]
    next(each for each in third["fields"] if each["name"] == "address")["doc"] = "经常居住地"
    schemas = enumerate((first, second, third), start=1)
    versions = [Registered(number, envelope_schema(each, ())) for number, each in schemas]
    return {
        "code": "1-01-3205/000001",
        "provider": "police",
        "schema_ids": [3],
        "schema_steps": [each.document() for each in steps_within(versions)],
    }


def seen(connection: Connection, when: datetime, left_out: str = LEFT_OUT) -> UUID:
    """Publish the entry of persons without an item, with what the collector saw; returns the entry's id."""
    put(connection, Kind.RESOURCE, {PERSON: resource_document()}, when)
    return publish_entry(connection, left_out)
