"""Applications and approvals as people and programs write them: files of commands, bodies of the API."""

from datetime import date

from pydantic import Field

from services.control.cases.application import Application, DutyBasis
from services.control.cases.decision import Approval
from services.control.cases.words import DeliveryMode
from topics.event import ConsumerId, ResourceId
from topics.grants.declaration import Mask, RowFilter
from topics.resource import Declared, Name


class BasisForm(Declared):
    """The document and the article that give the duty."""

    document: str
    article: str


class ApplicationForm(Declared):
    """An application as it is written."""

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
    """What a decision in part or a ruling gives."""

    items: tuple[Name, ...]
    start: date
    end: date
    rows: tuple[RowFilter, ...] = ()
    masks: dict[Name, Mask] = Field(default_factory=dict)

    @property
    def approval(self) -> Approval:
        """The approval that the rules know."""
        return Approval(self.items, self.start, self.end, self.rows, tuple(self.masks.items()))
