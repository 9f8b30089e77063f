"""Reads one YAML file so that every value can be traced to its line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from services.control.definition_error import DefinitionError

Loc = tuple[str | int, ...]
_LOADER: Final[type[yaml.SafeLoader | yaml.CSafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML has it, which is ten times as fast."""
_DEEPEST: Final = 50


@dataclass(frozen=True, slots=True)
class YamlSource:
    """The plain data of a file, and the nodes that know its lines; ``prefix`` leads to an entry of a list."""

    file: str
    data: Any
    node: yaml.Node | None
    prefix: Loc = ()

    def line(self, path: Loc) -> int:
        """The line of the deepest part of the path that the file has.

        Parts that are not in the file, such as the tag of a union or a missing field, are passed over.
        """
        node, line = self.node, 1
        for part in (*self.prefix, *path):
            found = _step(node, part)
            if found is not None:
                node, line = found
        return line

    def error(self, path: Loc, problem: str, remedy: str) -> DefinitionError:
        """An error at that place."""
        field = ".".join(str(part) for part in path)
        return DefinitionError(self.file, self.line(path), field, problem, remedy)

    def entries(self) -> Iterator["YamlSource"]:
        """The entries of a list, each as a source of its own."""
        for index, entry in enumerate(self.data if isinstance(self.data, list) else []):
            yield YamlSource(self.file, entry, self.node, (index,))


def read_yaml(path: Path, shown: str) -> tuple[YamlSource | None, list[DefinitionError]]:
    """Read one file; errors of form (syntax, doubled keys, aliases, depth, no content) instead of a source.

    Args:
        path: the file.
        shown: how errors shall name it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None, [DefinitionError(shown, 1, "", "the file is missing", "create it")]
    except UnicodeDecodeError as error:
        return None, [
            DefinitionError(shown, 1, "", f"not UTF-8 at byte {error.start}", "save the file as UTF-8")
        ]
    return parse_yaml(text, shown)


def parse_yaml(text: str, shown: str) -> tuple[YamlSource | None, list[DefinitionError]]:
    """The same for a text that was read already."""
    try:
        refused = list(_refused(text, shown))
        loader = _LOADER(text)
        node = None if refused else loader.get_single_node()
    except yaml.YAMLError as error:
        return None, [_syntax_error(error, shown)]
    if refused:
        return None, refused
    if node is None:
        return None, [
            DefinitionError(shown, 1, "", "the file is empty", "write the definition, or delete the file")
        ]
    doubled = list(_doubled_keys(node, (), shown))
    if doubled:
        return None, doubled
    try:
        return YamlSource(shown, loader.construct_document(node), node), []
    except (yaml.YAMLError, ValueError) as error:
        return None, [_syntax_error(error, shown)]


def form_errors(error: ValidationError, source: YamlSource) -> list[DefinitionError]:
    """What pydantic found wrong with the form of a source, each at its line with a remedy."""
    return [
        source.error(tuple(each["loc"]), *_problem_and_remedy(each))
        for each in error.errors(include_url=False, include_context=True)
    ]


def _problem_and_remedy(found: ErrorDetails) -> tuple[str, str]:
    name = str(found["loc"][-1]) if found["loc"] else ""
    match found["type"]:
        case "missing":
            return "is missing", f"add {name}"
        case "extra_forbidden":
            return "is not known here", "correct its name or take it out"
        case "string_type":
            return f"is {_kind(found['input'])}, not text", "put the value in quotes"
        case "value_error":
            return found["msg"].removeprefix("Value error, "), "change the definition accordingly"
        case "string_pattern_mismatch":
            return f"does not match {found.get('ctx', {}).get('pattern')}", "correct the spelling"
        case _:
            return found["msg"][:1].lower() + found["msg"][1:], "correct the value"


def _kind(value: object) -> str:
    return {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a mapping"}.get(
        type(value), f"a {type(value).__name__}"
    )


def _step(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    return None


def _refused(text: str, shown: str) -> Iterator[DefinitionError]:
    """Aliases, and the first place that is nested too deeply to be composed, told without composing."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = _line(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            remedy = "write the value out: definitions repeat rather than refer"
            yield DefinitionError(shown, line, "", f"alias *{event.anchor}", remedy)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            problem = f"nested more than {_DEEPEST} levels deep"
            yield DefinitionError(shown, line, "", problem, "take the needless levels out")
            return


def _doubled_keys(node: yaml.Node, path: Loc, shown: str) -> Iterator[DefinitionError]:
    if isinstance(node, yaml.SequenceNode):
        for index, entry in enumerate(node.value):
            yield from _doubled_keys(entry, (*path, index), shown)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            here = (*path, name)
            if name in seen:
                field = ".".join(str(part) for part in here)
                line = key.start_mark.line + 1
                yield DefinitionError(shown, line, field, f"{name} is given twice", "keep one of the two")
            seen.add(name)
            yield from _doubled_keys(value, here, shown)


def _syntax_error(error: Exception, shown: str) -> DefinitionError:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    problem = (error.problem if isinstance(error, yaml.MarkedYAMLError) else None) or str(error)
    return DefinitionError(shown, _line(mark), "", f"not YAML: {problem}", "correct the form of this line")


def _line(mark: Any) -> int:
    return 1 if mark is None else int(mark.line) + 1
