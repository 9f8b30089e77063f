"""Loads the definitions of departments, resources and grants, and says everything that is wrong at once."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources as packaged
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, Field, ValidationError

from schemas.load import resource_schema
from services.control.definition_error import DefinitionError
from services.control.yaml_source import YamlSource, form_errors, read_yaml
from topics.definition_rules import (
    grant_problems,
    in_place_problems,
    resource_problems,
    schema_problems,
    shared_raw_topics,
    sink_problems,
)
from topics.event import ConsumerId, GrantId, ProviderId, ResourceId
from topics.grants.declaration import Grant
from topics.policy import Policy
from topics.quality.rules import CodeList
from topics.resource import Consumer, Declared, Name, Provider, Resource, Titles
from topics.schema_rules import Problem
from topics.sink import Sink

Model = TypeVar("Model", bound=BaseModel)
SchemaReader = Callable[[str], dict[str, Any]]
SINKS: Final = "sinks.yaml"
_MISSING: Final = re.compile(r"there is no (?P<kind>consumer|provider|resource|grant) (?P<id>\S+)")


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
    sources: Mapping[ResourceId, YamlSource] = field(default_factory=dict)
    """The file that declares each resource."""
    sinks: Mapping[GrantId, Sink] = field(default_factory=dict)
    """Grants that Connect copies into a database of their department."""

    def in_place_changes(self, policy: Policy | None) -> Iterator[tuple[ResourceId, DefinitionError]]:
        """What a resource must not change while the policy in force has the same version of it."""
        for id_, entry in policy.resources.items() if policy else ():
            declared, source = self.resources.get(id_), self.sources.get(id_, YamlSource(id_, None, None))
            for each in in_place_problems(entry.resource, declared) if declared else ():
                yield id_, source.error(each.path, each.problem, each.remedy)


def packaged_definitions() -> Path:
    """The folder of the sample city's definitions, wherever the project is installed."""
    return Path(str(packaged.files("topics") / "definitions"))


def load_definitions(folder: Path, schema_of: SchemaReader = resource_schema) -> Definitions:
    """Read and check all definitions in a folder.

    Args:
        folder: holds providers.yaml, consumers.yaml, code_lists.yaml, resources/*.yaml and grants/*.yaml,
            and sinks.yaml where there are sinks.
        schema_of: reads a resource's Avro schema by its file name.

    Raises:
        DefinitionsInvalid: something is wrong; it carries every error with file, line, field and remedy.
    """
    if not folder.is_dir():
        missing = DefinitionError(str(folder), 1, "", "there is no such folder", "give another --definitions")
        raise DefinitionsInvalid([missing])
    draft = _Draft()
    draft.read(folder)
    draft.read_schemas(schema_of)
    draft.check()
    if draft.errors:
        raise DefinitionsInvalid(
            sorted(draft.errors, key=lambda error: (error.file, error.line, error.field))
        )
    return draft.result()


class _Read(Generic[Model]):
    """The definitions of one kind that have the right form, by id, and where each came from."""

    def __init__(
        self, model: type[Model], id_of: Callable[[Model], str], errors: list[DefinitionError]
    ) -> None:
        self.models: dict[str, Model] = {}
        self.sources: dict[str, YamlSource] = {}
        self._model, self._id_of, self._errors = model, id_of, errors
        self._unread: set[str] = set()
        self._unreadable = False

    def file_of_many(self, folder: Path, name: str) -> None:
        """Read a file that holds a list."""
        source, errors = read_yaml(folder / name, name)
        self._note(errors)
        if source is None:
            return
        if not isinstance(source.data, list):
            self._note([source.error((), "the file is not a list", "begin each entry with a dash")])
            return
        for entry in source.entries():
            self._keep(entry)

    def folder_of_ones(self, folder: Path, name: str) -> None:
        """Read a folder of files that hold one definition each."""
        for path in sorted((folder / name).glob("*.y*ml")):
            source, errors = read_yaml(path, f"{name}/{path.name}")
            self._note(errors)
            if source is not None:
                self._keep(source)

    def report(self, id_: str, problems: Iterable[Problem]) -> None:
        """Add what was found wrong with one definition."""
        source = self.sources[id_]
        self._errors.extend(source.error(each.path, each.problem, each.remedy) for each in problems)

    def may_hold(self, id_: str) -> bool:
        """Whether it may be declared in something that could not be read."""
        return self._unreadable or id_ in self._unread

    def _note(self, errors: Sequence[DefinitionError]) -> None:
        """Errors of a file of which nothing is known."""
        self._errors.extend(errors)
        self._unreadable = self._unreadable or bool(errors)

    def _keep(self, source: YamlSource) -> None:
        try:
            model = self._model.model_validate(source.data)
        except ValidationError as error:
            self._errors.extend(form_errors(error, source))
            self._unread.update(_ids_in(source.data))
            return
        id_ = self._id_of(model)
        if id_ in self.models:
            first = self.sources[id_]
            where = f"{first.file}:{first.line(())}"
            self._errors.append(
                source.error((), f"{id_} is declared already in {where}", "keep one of the two")
            )
            return
        self.models[id_], self.sources[id_] = model, source


class _Draft:
    """Definitions while they are read: what was understood so far, and what was wrong."""

    def __init__(self) -> None:
        self.errors: list[DefinitionError] = []
        self.providers: _Read[Provider] = _Read(Provider, lambda each: each.id, self.errors)
        self.consumers: _Read[Consumer] = _Read(Consumer, lambda each: each.id, self.errors)
        self.code_lists: _Read[DeclaredCodeList] = _Read(DeclaredCodeList, lambda each: each.key, self.errors)
        self.resources: _Read[Resource] = _Read(Resource, lambda each: each.id, self.errors)
        self.grants: _Read[Grant] = _Read(Grant, lambda each: each.id, self.errors)
        self.sinks: _Read[Sink] = _Read(Sink, lambda each: each.grant, self.errors)
        self.schemas: dict[ResourceId, dict[str, Any]] = {}

    def read(self, folder: Path) -> None:
        """Read every file."""
        self.providers.file_of_many(folder, "providers.yaml")
        self.consumers.file_of_many(folder, "consumers.yaml")
        self.code_lists.file_of_many(folder, "code_lists.yaml")
        self.resources.folder_of_ones(folder, "resources")
        self.grants.folder_of_ones(folder, "grants")
        if (folder / SINKS).exists():
            self.sinks.file_of_many(folder, SINKS)

    def read_schemas(self, schema_of: SchemaReader) -> None:
        """Read the Avro schema of each resource, and refuse the dangerous ones."""
        for resource in self._resources.values():
            name = resource.avro_schema
            try:
                schema = schema_of(name)
            except (FileNotFoundError, ValueError, RecursionError) as error:
                missing = isinstance(error, FileNotFoundError)
                problem = f"there is no schema {name}" if missing else f"{name} cannot be read: {error}"
                remedy = "add it to schemas/avro/resources/" if missing else "write it as a JSON object"
                self.resources.report(resource.id, [Problem(("avro_schema",), problem, remedy)])
                continue
            found = schema_problems(schema)
            self.resources.report(resource.id, (_of_schema(each, name) for each in found))
            if not found:
                self.schemas[resource.id] = schema

    def check(self) -> None:
        """Check everything against everything that it names."""
        lists = tuple(
            CodeList(each.name, each.version, frozenset(each.codes))
            for each in self.code_lists.models.values()
        )
        for resource in self._resources.values():
            if resource.id in self.schemas:
                schema = self.schemas[resource.id]
                found = resource_problems(resource, schema, self._providers, self._resources, lists)
                self.resources.report(resource.id, self._not_caused_elsewhere(found))
        for twin, first in shared_raw_topics(self._resources).items():
            problem = Problem(("source",), f"{first} has the same source", "one source feeds one resource")
            self.resources.report(twin, [problem])
        for id_, grant in self.grants.models.items():
            found = grant_problems(grant, self._consumers, self._resources, self.schemas)
            self.grants.report(id_, self._not_caused_elsewhere(found))
        # Where no grant is declared, cases may decide about them: compare asks the policy for those of sinks.
        for name, problem in sink_problems(self.sinks.models, self.grants.models or None):
            self.sinks.report(name, self._not_caused_elsewhere([problem]))

    def _not_caused_elsewhere(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """Without those that only say that something is missing which could not be read."""
        kinds: dict[str, Callable[[str], bool]] = {
            "consumer": self.consumers.may_hold,
            "provider": self.providers.may_hold,
            "resource": self.resources.may_hold,
            "grant": self.grants.may_hold,
        }
        for each in problems:
            missing = _MISSING.fullmatch(each.problem)
            if missing is None or not kinds[missing["kind"]](missing["id"]):
                yield each

    def result(self) -> Definitions:
        """What was read, once nothing is wrong with it."""
        return Definitions(
            providers=self._providers,
            consumers=self._consumers,
            resources=self._resources,
            grants={each.id: each for each in self.grants.models.values()},
            code_lists={key: tuple(each.codes) for key, each in self.code_lists.models.items()},
            item_schemas=self.schemas,
            sources={ResourceId(key): each for key, each in self.resources.sources.items()},
            sinks={sink.grant: sink for sink in self.sinks.models.values()},
        )

    @property
    def _providers(self) -> dict[ProviderId, Provider]:
        return {each.id: each for each in self.providers.models.values()}

    @property
    def _consumers(self) -> dict[ConsumerId, Consumer]:
        return {each.id: each for each in self.consumers.models.values()}

    @property
    def _resources(self) -> dict[ResourceId, Resource]:
        return {each.id: each for each in self.resources.models.values()}


def _ids_in(data: Any) -> Iterator[str]:
    """What an entry that has not the right form may have been meant to declare."""
    if isinstance(data, Mapping):
        yield str(data.get("id"))
        yield f"{data.get('domain')}.{data.get('name')}.v{data.get('version', 1)}"


def _of_schema(problem: Problem, file: str) -> Problem:
    place = ".".join(str(part) for part in problem.path)
    where = f"{file} at {place}" if place else file
    return Problem(("avro_schema",), f"{where}: {problem.problem}", problem.remedy)
