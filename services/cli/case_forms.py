"""The forms of `govbus case` as files: applications and what decisions give, each mistake at its line."""

from datetime import date
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError

from services.cli.output import CommandFailed, ExitCode
from services.control.cases.application import Application, DutyBasis
from services.control.cases.decision import Approval
from services.control.cases.words import DeliveryMode
from services.control.yaml_source import DefinitionError, form_errors, read_yaml
from topics.event import ConsumerId, ResourceId
from topics.grants.declaration import Mask, RowFilter
from topics.resource import Declared, Name

Form = TypeVar("Form", bound=Declared)


class BasisForm(Declared):
    """The document and the article that give the duty."""

    document: str
    article: str


class ApplicationForm(Declared):
    """An application as its file says it."""

    applicant: Name
    resource: str = Field(min_length=1)
    scenario: str
    basis: BasisForm
    items: tuple[Name, ...]
    mode: DeliveryMode = DeliveryMode.SUBSCRIBE
    start: date
    end: date
    rows: tuple[RowFilter, ...] = ()
    batch_justification: str = ""
    committed: bool = False
    filing: str = ""

    @property
    def application(self) -> Application:
        """The application that the rules know."""
        return Application(
            applicant=ConsumerId(self.applicant),
            resource=ResourceId(self.resource),
            scenario=self.scenario,
            basis=DutyBasis(self.basis.document, self.basis.article),
            items=self.items,
            mode=self.mode,
            start=self.start,
            end=self.end,
            rows=self.rows,
            batch_justification=self.batch_justification,
            committed=self.committed,
            filing=self.filing,
        )


class ApprovalForm(Declared):
    """What a decision in part or a ruling gives, as its file says it."""

    items: tuple[Name, ...]
    start: date
    end: date
    rows: tuple[RowFilter, ...] = ()
    masks: dict[Name, Mask] = Field(default_factory=dict)

    @property
    def approval(self) -> Approval:
        """The approval that the rules know."""
        return Approval(self.items, self.start, self.end, self.rows, tuple(self.masks.items()))


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
