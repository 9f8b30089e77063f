"""Loads the definitions of departments, resources and grants, and says everything that is wrong at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources as packaged
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, Field, ValidationError

from schemas.load import resource_schema
from services.control.yaml_source import DefinitionError, YamlSource, read_yaml
from topics.definition_rules import grant_problems, resource_problems, schema_problems, shared_raw_topics
from topics.event import ConsumerId, GrantId, ProviderId, ResourceId
from topics.grants.declaration import Grant
from topics.quality.rules import CodeList
from topics.resource import Consumer, Declared, Name, Provider, Resource, Titles
from topics.schema_rules import Problem

Model = TypeVar("Model", bound=BaseModel)
SchemaReader = Callable[[str], dict[str, Any]]


class DeclaredCodeList(Declared):
    """One version of a code list: codes and what they mean."""

    name: Name
    version: str = Field(pattern=r"^[0-9A-Za-z._-]+$")
    titles: Titles
    codes: dict[str, str] = Field(min_length=1)

    @property
    def key(self) -> str:
        """``<name>@<version>``, as a policy names it."""
        return f"{self.name}@{self.version}"


class DefinitionsInvalid(ValueError):  # noqa: N818 - says what is wrong, not that something is
    """The definitions cannot be used: correct each of ``errors``."""

    def __init__(self, errors: Sequence[DefinitionError]) -> None:
        self.errors = tuple(errors)
        count = f"{len(self.errors)} error{'s' * (len(self.errors) != 1)} in the definitions"
        super().__init__("\n".join([f"{count}:", *map(str, self.errors)]))


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything that is declared, checked against each other."""

    providers: Mapping[ProviderId, Provider]
    consumers: Mapping[ConsumerId, Consumer]
    resources: Mapping[ResourceId, Resource]
    grants: Mapping[GrantId, Grant]
    code_lists: Mapping[str, tuple[str, ...]]
    """``<name>@<version>`` → codes."""
    item_schemas: Mapping[ResourceId, dict[str, Any]]
    """The Avro record schema of each resource."""


def packaged_definitions() -> Path:
    """The folder of the sample city's definitions, wherever the project is installed."""
    return Path(str(packaged.files("topics") / "definitions"))


def load_definitions(folder: Path, schema_of: SchemaReader = resource_schema) -> Definitions:
    """Read and check all definitions in a folder.

    Args:
        folder: holds providers.yaml, consumers.yaml, code_lists.yaml, resources/*.yaml and grants/*.yaml.
        schema_of: reads a resource's Avro schema by its file name.

    Raises:
        DefinitionsInvalid: something is wrong; it carries every error with file, line, field and remedy.
    """
    draft = _Draft(folder)
    draft.read()
    draft.read_schemas(schema_of)
    draft.check()
    if draft.errors:
        raise DefinitionsInvalid(
            sorted(draft.errors, key=lambda error: (error.file, error.line, error.field))
        )
    return draft.result()


@dataclass(slots=True)
class _Kept[Model: BaseModel]:
    model: Model
    source: YamlSource


@dataclass(slots=True)
class _Draft:
    """Definitions while they are read: what was understood so far, and what was wrong."""

    folder: Path
    errors: list[DefinitionError] = field(default_factory=list)
