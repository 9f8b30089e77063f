"""Reads policy packs from a folder of YAML files, and says everything that is wrong with them at once."""

from collections.abc import Mapping, Sequence
from importlib import resources as packaged
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from services.control.clocks.pack import Pack
from services.control.clocks.pack_form import PackForm
from services.control.definition_error import DefinitionError
from services.control.yaml_source import YamlSource, form_errors, parse_yaml, read_yaml


class PacksInvalid(ValueError):  # noqa: N818 - says what is wrong, not that something is
    """The packs cannot be used: correct each of ``errors``."""

    def __init__(self, errors: Sequence[DefinitionError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, self.errors)))


def packaged_packs() -> Path:
    """The folder of the packs that the project brings along, wherever it is installed."""
    return Path(str(packaged.files("services.control") / "clocks" / "packs"))


def load_packs(folder: Path) -> Mapping[str, Pack]:
    """All packs of a folder by their ids; each stands in a file of its id.

    Raises:
        PacksInvalid: with everything that is wrong with the files.
    """
    packs: dict[str, Pack] = {}
    errors: list[DefinitionError] = []
    for path in sorted(folder.glob("*.yaml")):
        found = _read(path)
        if isinstance(found, Pack):
            packs[found.id] = found
        else:
            errors.extend(found)
    if not packs and not errors:
        errors.append(
            DefinitionError(str(folder), 1, "", "holds no packs", "name a folder with *.yaml files")
        )
    if errors:
        raise PacksInvalid(errors)
    return MappingProxyType(packs)


def parse_pack(text: str, shown: str) -> Pack:
    """The pack that a text of YAML says.

    Args:
        text: the content of a pack's file.
        shown: how errors shall name it.

    Raises:
        PacksInvalid: with everything that is wrong with the text.
    """
    found = _parsed(*parse_yaml(text, shown), "")
    if not isinstance(found, Pack):
        raise PacksInvalid(found)
    return found


def _read(path: Path) -> Pack | list[DefinitionError]:
    return _parsed(*read_yaml(path, path.name), path.stem)


def _parsed(
    source: YamlSource | None, errors: list[DefinitionError], stem: str
) -> Pack | list[DefinitionError]:
    if source is None:
        return errors
    try:
        form = PackForm.model_validate(source.data)
    except ValidationError as error:
        return form_errors(error, source)
    if stem and form.id != stem:
        problem = f"{form.id} stands in {source.file}"
        errors.append(source.error(("id",), problem, f"name the file {form.id}.yaml"))
    errors.extend(form.problems(source))
    return errors or form.pack(source)
