"""``/api/v1/evidence/receipts``: proof of one delivery, or of every recipient of a record."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import Field, model_validator

from services.api.cursors import cursor_at, place_of
from services.api.forms import LARGEST, Cursor, Form, Key, Limit, Number
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import receipts
from services.control.accounts.decision import Principal
from services.control.evidence.ordering import Obstacle, Order, State, Subject

router = APIRouter(prefix="/evidence/receipts", tags=["audit"])
LARGEST_PARTITION: Final = 2**31 - 1
TAR: Final = "application/x-tar"


class ReceiptForm(Form):
    """Of what a receipt is wanted: a record of a grant's topic, or a provider's change by its raw place."""

    grant: Annotated[str | None, Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")] = None
    topic: Annotated[str | None, Field(pattern=r"^raw\.[a-z0-9_.]{1,200}$")] = None
    partition: Annotated[int, Field(ge=0, le=LARGEST_PARTITION)]
    offset: Annotated[int, Field(ge=0, le=LARGEST)]
    withdrawn: Annotated[
        bool, Field(description="With a topic: what a correction of the identity withdrew.")
    ] = False
    trust: Annotated[
        str,
        Field(
            max_length=65_536,
            description="The trust file that it is to be verified against; empty for the installation's own.",
        ),
    ] = ""

    @model_validator(mode="after")
    def _of_one_thing(self) -> "ReceiptForm":
        if (self.grant is None) is (self.topic is None):
            raise ValueError("name a grant or a raw topic")
        return self

    @property
    def subject(self) -> Subject:
        """What the receipt is of."""
        withdrawn = self.topic is not None and self.withdrawn
        return Subject(self.partition, self.offset, self.grant, self.topic, withdrawn)


class ReceiptAnswer(Answer):
    """An order for a receipt; the file is fetched once it is ``made``, for thirty days."""

    number: int
    state: State
    grant: str | None
    topic: str | None
    partition: int
    offset: int
    withdrawn: bool
    open: bool = Field(description="Whether the receipt shows all that it rests on, as an auditor's does.")
    asked_at: datetime
    ended_at: datetime | None
    obstacle: Obstacle | None = Field(description="Why it is refused, or what it waits for.")
    detail: str = Field(description="The same in the bus's words, for auditors; else empty.")
    digest: str | None = Field(description="SHA-256 of the receipt, hexadecimal; the ledger names it so.")
    size: int


@router.post("", status_code=201, response_model=ReceiptAnswer)
def ask_for_receipt(request: Request, form: ReceiptForm, key: Key = None) -> Response:
    """Ask for a receipt; it is made within seconds once what it rests on is sealed."""
    parts, principal = parts_of(request), principal_of(request)
    return once(
        parts,
        principal,
        Asked(key, "ask-for-receipt", (form.model_dump(mode="json"),)),
        lambda connection: Made(
            _answer(principal, receipts.ask(parts, principal, connection, form.subject, form.trust)), 201
        ),
    )


@router.get("")
def list_receipts(request: Request, cursor: Cursor = None, limit: Limit = 50) -> Page[ReceiptAnswer]:
    """List the orders of the own department, or of all where the reader may have all; the newest first."""
    place = place_of(cursor, [int], "receipts")
    before = None if place is None else int(place[0])
    principal = principal_of(request)
    found = receipts.listed(parts_of(request), principal, before, limit + 1)
    more = cursor_at([found[limit - 1].number], "receipts") if len(found) > limit else None
    return Page(items=[_answer(principal, each) for each in found[:limit]], next=more)


@router.get("/{number}")
def show_receipt(request: Request, number: Number) -> ReceiptAnswer:
    """Show how far an order is."""
    principal = principal_of(request)
    return _answer(principal, receipts.one(parts_of(request), principal, number))


@router.get("/{number}/receipt.tar", response_class=Response)
def fetch_receipt(request: Request, number: Number) -> Response:
    """Fetch the receipt; `govbus verify`, or the verifier by itself, says what it proves."""
    return receipt_file(number, receipts.content(parts_of(request), principal_of(request), number))


def receipt_file(number: int, content: bytes) -> Response:
    """The receipt as a file."""
    headers = {"content-disposition": f'attachment; filename="receipt-{number}.tar"'}
    return Response(content, headers=headers, media_type=TAR)


def _answer(principal: Principal, order: Order) -> ReceiptAnswer:
    subject = order.wish.subject
    return ReceiptAnswer(
        number=order.number,
        state=order.state,
        grant=subject.grant,
        topic=subject.topic,
        partition=subject.partition,
        offset=subject.offset,
        withdrawn=subject.withdrawn,
        open=order.wish.open,
        asked_at=order.asked_at,
        ended_at=order.ended_at,
        obstacle=order.obstacle,
        detail=receipts.told_detail(principal, order),
        digest=order.digest or None,
        size=order.size,
    )
