"""Reads the Avro schemas that the project ships, wherever it is installed."""

import json
from importlib import resources
from typing import Any


def control_schema(name: str) -> dict[str, Any]:
    """A control record's schema, e.g. ``DecisionBlock``."""
    return _read("control", f"{name}.avsc")


def resource_schema(file_name: str) -> dict[str, Any]:
    """A resource's item schema, e.g. ``population.person.v1.avsc``."""
    return _read("resources", file_name)


def _read(folder: str, file_name: str) -> dict[str, Any]:
    text = (resources.files("schemas") / "avro" / folder / file_name).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
