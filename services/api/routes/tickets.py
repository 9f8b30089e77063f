"""``/api/v1/tickets``: problem data, from the report to everybody who received it."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import Field

from services.api.codes import Code
from services.api.cursors import cursor_at, place_of
from services.api.etags import etag_of, seen_in
from services.api.forms import (
    Cursor,
    DepartmentFilter,
    Filter,
    Form,
    IfMatch,
    Key,
    Limit,
    Number,
    Text,
    Word,
)
from services.api.problems import AnswerProblem
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Document, Page
from services.api.uses import tickets
from services.control.clocks.calendar import civil_day
from services.control.store.tickets import refusals, work
from services.control.store.tickets.reading import Wish
from services.control.store.tickets.refusals import Outcome
from services.control.tickets.evidence import MOST_EVIDENCE, Evidence
from services.control.tickets.ticket import Given
from services.control.tickets.words import Action, Duty, RefusalReason, State

router = APIRouter(prefix="/tickets", tags=["tickets"])
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


class EvidenceForm(Form):
    """An attachment by its digest; the file itself stays with whoever has it."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=1, le=2**40)]
    title: Word

    @property
    def evidence(self) -> Evidence:
        """The evidence that the rules know."""
        return Evidence(self.sha256, self.size, self.title)


EvidenceForms = Annotated[tuple[EvidenceForm, ...], Field(max_length=MOST_EVIDENCE)]


class ReportForm(Form):
    """A record that is wrong."""

    at: Annotated[str, Field(max_length=300, description="Its coordinate, `TOPIC:PARTITION:OFFSET`.")]
    items: Annotated[tuple[Word, ...], Field(max_length=200)] = ()
    statement: Text
    evidence: EvidenceForms


class SaidForm(Form):
    """What needs no more than words."""

    action: Literal["dispatch", "return", "accept", "confirm", "uphold", "withdraw"]
    text: Text = ""


class ShownForm(Form):
    """What may come with more evidence."""

    action: Literal["supplement", "escalate"]
    text: Text
    evidence: EvidenceForms = ()


class ReopenedForm(Form):
    """The corrected record is still wrong."""

    action: Literal["reopen"]
    at: Annotated[str, Field(max_length=300)]
    text: Text
    evidence: EvidenceForms = ()


class RefusedForm(Form):
    """Nothing is corrected: why, and what would change that."""

    action: Literal["refuse", "dismiss"]
    reason: RefusalReason
    text: Text
    acceptable_if: Text


ActionForm = Annotated[SaidForm | ShownForm | ReopenedForm | RefusedForm, Field(discriminator="action")]


class TicketLineAnswer(Answer):
    """A ticket as a list shows it."""

    id: UUID
    number: int
    state: State
    version: int
    reporter: str
    provider: str
    resource: str
    record: str
    opened_at: datetime
    moved_at: datetime
    due_on: date | None
    due_for: Duty | None
    due_provisional: bool | None


class RefusalAnswer(Answer):
    """A refusal to correct, and what came of it."""

    number: int
    provider: str
    reporter: str
    resource: str
    refused_at: datetime
    reason: RefusalReason
    outcome: Outcome


class TicketStepAnswer(Answer):
    """A ticket after an action."""

    id: UUID
    number: int
    state: State
    version: int
    again: bool = Field(description="It was carried out when the key was used first.")


@router.get("")
def list_tickets(
    request: Request,
    state: State | None = None,
    resource: Filter = None,
    overdue: bool = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[TicketLineAnswer]:
    """List the tickets that the reader sees, the newest first."""
    question = ("tickets", state, resource, overdue)
    place = place_of(cursor, [int], *question)
    parts = parts_of(request)
    day = civil_day(parts.clock()) if overdue else None
    wish = Wish(state=state, resource=resource, overdue_on=day)
    before = None if place is None else int(place[0])
    found = tickets.all_of(parts, principal_of(request), wish, before, limit + 1)
    more = cursor_at([found[limit - 1].number], *question) if len(found) > limit else None
    return Page(items=[TicketLineAnswer.model_validate(each) for each in found[:limit]], next=more)


@router.get("/refusals")
def list_refusals(
    request: Request,
    provider: DepartmentFilter = None,
    outcome: Outcome | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[RefusalAnswer]:
    """List refusals to correct that the reader sees, the newest first, with what came of each."""
    wish, question = refusals.Wish(provider, outcome), ("refusals", provider, outcome)
    at = place_of(cursor, [str, int, int], *question)
    place = None if at is None else (_moment(at[0]), int(at[1]), int(at[2]))
    found = tickets.refused_ones(parts_of(request), principal_of(request), wish, limit + 1, place)
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        next=None
        if last is None
        else cursor_at([last.refused_at.isoformat(), last.number, last.event], *question),
        items=[
            RefusalAnswer(
                number=each.number,
                provider=each.provider,
                reporter=each.reporter,
                resource=each.resource,
                refused_at=each.refused_at,
                reason=each.reason,
                outcome=each.outcome,
            )
            for each in found[:limit]
        ],
    )


def _moment(text: str) -> datetime:
    """The moment of a cursor, which has its zone.

    Raises:
        AnswerProblem: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise AnswerProblem(Code.CURSOR) from error
    if found.tzinfo is None:
        raise AnswerProblem(Code.CURSOR)
    return found


@router.get("/{number}/evidence/{sha256}", response_class=Response)
def read_evidence(request: Request, number: Number, sha256: Digest) -> Response:
    """Read an attachment of a ticket, as one of its parties; it is recorded."""
    found = tickets.attachment(parts_of(request), principal_of(request), number, sha256)
    return Response(found, media_type="application/octet-stream")


@router.post("", status_code=201)
def report_record(
    request: Request, response: Response, form: ReportForm, key: Key = None
) -> TicketStepAnswer:
    """Report a record as wrong; nothing of it is kept but keyed hashes."""
    evidence = tuple(each.evidence for each in form.evidence)
    report = tickets.Report(form.at, form.items, form.statement, evidence)
    answer = tickets.reported(parts_of(request), principal_of(request), report, key)
    response.headers["location"] = f"/api/v1/tickets/{answer.number}"
    return _told(response, answer)


@router.get("/{number}")
def show_ticket(request: Request, response: Response, number: Number) -> Document:
    """Show a ticket; what the parties wrote is for the parties, and reading it is recorded."""
    found = tickets.shown(parts_of(request), principal_of(request), number)
    response.headers["etag"] = etag_of(found["version"])
    return found


@router.post("/{number}/actions")
def act_on_ticket(
    request: Request,
    response: Response,
    number: Number,
    form: Annotated[ActionForm, Body()],
    key: Key = None,
    if_match: IfMatch = None,
) -> TicketStepAnswer:
    """Take an action on a ticket, on the version that was looked at."""
    at = form.at if isinstance(form, ReopenedForm) else None
    wanted = tickets.Wanted(Action(form.action), _given(form), key, seen_in(if_match), at)
    return _told(response, tickets.acted(parts_of(request), principal_of(request), number, wanted))


def _told(response: Response, answer: work.Answer) -> TicketStepAnswer:
    response.headers["etag"] = etag_of(answer.version)
    return TicketStepAnswer.model_validate(answer)


def _given(form: SaidForm | ShownForm | ReopenedForm | RefusedForm) -> Given:
    match form:
        case RefusedForm():
            return Given(text=form.text, refusal_reason=form.reason, acceptable_if=form.acceptable_if)
        case ShownForm() | ReopenedForm():
            return Given(text=form.text, evidence=tuple(each.evidence for each in form.evidence))
        case SaidForm():
            return Given(text=form.text)
