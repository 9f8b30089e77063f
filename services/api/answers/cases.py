"""Cases as the API answers them."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from services.api.shapes import Answer, Document
from services.control.cases.context import Context, RevealedItem
from services.control.cases.words import Action, State
from services.control.catalogue.vocabulary import Grade
from services.control.docket.filed import Filed
from services.control.docket.written import event_document


class CaseLineAnswer(Answer):
    """A case as a list shows it."""

    id: UUID
    number: int
    state: State
    version: int
    consumer: str
    provider: str
    resource: str
    entry_code: str
    opened_at: datetime
    moved_at: datetime
    ends_on: date | None
    due_on: date | None
    due_for: str | None
    due_from: str | None
    due_provisional: bool | None
    open_complaints: int


class StepAnswer(Answer):
    """A provisioning step."""

    step: str
    progress: str
    attempts: int
    fault: str | None
    reason: str


class CaseAnswer(Answer):
    """A case with everything that is known of it."""

    case: UUID
    number: int
    state: State
    version: int
    consumer: str
    provider: str
    entry_code: str
    grant: str
    policy: str
    level: int
    suspended_by: str | None
    open_complaints: int
    application: Document
    approval: Document | None
    refusal: Document | None
    ends_on: date | None
    steps: list[StepAnswer]
    events: list[Document]
    allowed: list[Action] = Field(description="What the reader can ask for now.")


class ActedAnswer(Answer):
    """A case after an action."""

    case: UUID
    number: int
    state: State
    version: int
    repeated: bool = Field(description="It took place when the key was used first.")


class RevealedAnswer(Answer):
    """An item as a department has it, or would have it."""

    resource: str
    name: str
    titles: Document
    sensitive: bool
    mask: str | None


class HeldAnswer(Answer):
    """A case of the same applicant under which it holds data already."""

    case: str
    resource: str
    scenario: str
    items: list[RevealedAnswer]
    until: date


class GradedAnswer(Answer):
    """An item that is applied for, and what its grade asks of the decision."""

    name: str
    grade: Grade | None
    masked_only: bool = Field(
        description="It goes out masked, unless the decision says under `whole` why the duty needs it whole."
    )
    checked_first: bool = Field(description="The authority checks the application before it is decided.")


class ContextAnswer(Answer):
    """What an approver must know before deciding."""

    scenario: str
    basis: Document
    mode: str
    batch_justification: str
    start: date
    end: date
    items: list[RevealedAnswer]
    held: list[HeldAnswer]
    unknown: list[str]
    combination: list[RevealedAnswer]
    added: list[RevealedAnswer]
    joined_by_number: bool
    graded: list[GradedAnswer] = Field(
        description="What the policy packs ask for because of grades; empty where they ask for nothing."
    )


def case_answer(filed: Filed, allowed: tuple[Action, ...]) -> CaseAnswer:
    """A case for whoever may look at it."""
    case, kept = filed.case, filed.folded
    return CaseAnswer(
        case=UUID(case.opening.id),
        number=filed.number,
        state=case.state,
        version=filed.version,
        consumer=case.opening.applicant,
        provider=case.opening.provider,
        entry_code=filed.entry_code,
        grant=case.opening.grant,
        policy=filed.digest,
        level=case.level,
        suspended_by=None if case.suspended_by is None else case.suspended_by.value,
        open_complaints=case.open_complaints,
        application=kept["application"],
        approval=kept["approval"],
        refusal=kept["refusal"],
        ends_on=kept["ends_on"],
        steps=[StepAnswer.model_validate(each) for each in case.steps],
        events=[_event(event_document(event)) for event in case.events],
        allowed=list(allowed),
    )


def acted_answer(filed: Filed, repeated: bool) -> ActedAnswer:
    """A case after an action."""
    case = filed.case
    return ActedAnswer(
        case=UUID(case.opening.id),
        number=filed.number,
        state=case.state,
        version=filed.version,
        repeated=repeated,
    )


def _event(document: dict[str, Any]) -> Document:
    return {name: value for name, value in document.items() if name != "form"}


def context_answer(context: Context) -> ContextAnswer:
    """What an approver must know."""
    together = context.combination
    return ContextAnswer(
        scenario=context.scenario,
        basis=asdict(context.basis),
        mode=context.mode.value,
        batch_justification=context.batch_justification,
        start=context.start,
        end=context.end,
        items=_items(context.items),
        held=[
            HeldAnswer(
                case=each.case,
                resource=each.resource,
                scenario=each.scenario,
                items=_items(each.items),
                until=each.until,
            )
            for each in context.held
        ],
        unknown=list(context.unknown),
        combination=_items(together.items),
        added=_items(together.added),
        joined_by_number=together.joined_by_number,
        graded=[GradedAnswer.model_validate(each) for each in context.graded],
    )


def _items(items: Iterable[RevealedItem]) -> list[RevealedAnswer]:
    return [
        RevealedAnswer(
            resource=each.resource,
            name=each.name,
            titles=each.titles.model_dump(),
            sensitive=each.sensitive,
            mask=each.mask,
        )
        for each in items
    ]
