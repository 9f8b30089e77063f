"""The forms of `govbus case` as files: applications and what decisions give, each mistake at its line."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from services.cli.output import CommandFailed, ExitCode
from services.control.cases.application import Application
from services.control.cases.decision import Approval
from services.control.definition_error import DefinitionError
from services.control.docket.forms import ApplicationForm, ApprovalForm
from services.control.yaml_source import form_errors, read_yaml
from topics.resource import Declared

Form = TypeVar("Form", bound=Declared)


def read_application(path: Path) -> Application:
    """The application in a YAML or JSON file.

    Raises:
        CommandFailed: with everything that is wrong with the file.
    """
    return _read(path, ApplicationForm).application


def read_approval(path: Path) -> Approval:
    """What is given, from a YAML or JSON file.

    Raises:
        CommandFailed: with everything that is wrong with the file.
    """
    return _read(path, ApprovalForm).approval


def read_whole(said: list[str]) -> tuple[tuple[str, str], ...]:
    """The items that go out whole in spite of their grade, each with its reason, from ITEM=WHY.

    Raises:
        CommandFailed: one of them is not written so, or an item is named twice.
    """
    found: dict[str, str] = {}
    for each in said:
        item, divider, why = each.partition("=")
        if not item or not divider or item in found:
            remedy = 'write --whole ITEM="why the duty needs its whole value", once for each item'
            raise CommandFailed(ExitCode.USAGE, f"{each!r} cannot be read, or comes twice", "--whole", remedy)
        found[item] = why
    return tuple(found.items())


def _read(path: Path, form: type[Form]) -> Form:
    source, errors = read_yaml(path, str(path))
    if source is None:
        raise _failed(errors)
    try:
        return form.model_validate(source.data)
    except ValidationError as error:
        raise _failed(form_errors(error, source)) from error


def _failed(errors: list[DefinitionError]) -> CommandFailed:
    first, *others = errors
    remedy = "\n".join(["correct the file", *map(str, others)])
    return CommandFailed(ExitCode.USAGE, str(first), "", remedy)
