"""The official artefacts of tests/official as validators, each read once."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

OFFICIAL = Path(__file__).parents[1] / "official"


@cache
def asyncapi() -> jsonschema.Draft7Validator:
    """AsyncAPI 3.1.0 with its bindings and the schema of Avro schemas."""
    schema = _read("asyncapi-3.1.0.schema.json")
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())


@cache
def odcs() -> jsonschema.Draft201909Validator:
    """The Open Data Contract Standard 3.1.0."""
    schema = _read("odcs-3.1.0.schema.json")
    jsonschema.Draft201909Validator.check_schema(schema)
    return jsonschema.Draft201909Validator(schema, format_checker=jsonschema.FormatChecker())


def problems(validator: Any, document: dict[str, Any]) -> list[str]:
    """Everything that is wrong with a document, by its place."""
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(document)]


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((OFFICIAL / name).read_text(encoding="utf-8"))
    return found
