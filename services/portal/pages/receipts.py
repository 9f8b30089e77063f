"""Receipts: the form that asks for one, those that were asked for, and one of them with its file."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.routes.receipts import LARGEST_PARTITION, receipt_file
from services.api.security.asking import principal_of, require
from services.api.security.cookies import parts_of
from services.api.uses import receipts
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.cases.words import Problem
from services.control.evidence.ordering import RAW, State, Subject, may_fetch, sees_everything
from services.ledger.coordinates import NotACoordinate, parse_coordinate
from services.portal.forms import Form, go, text, ticked, upload, values
from services.portal.lists import page_number
from services.portal.operations.asked import PAGE
from services.portal.operations.shown import logins_of
from services.portal.rendering import page, problems_in

router = APIRouter(include_in_schema=False)
_LONGEST_TRUST: Final = 65_536
_WRONG_PLACE: Final = (
    "this is no place of a record",
    "write topic, partition and offset, such as raw.police.public.person:0:17",
)


@router.get("/receipts")
def list_page(request: Request) -> Response:
    """The form, filled in as the address says, and the orders, the newest first."""
    require(request, Action.AUDIT_LOOK, own(principal_of(request)))
    return _list(request, typed=dict(request.query_params))


@router.post("/receipts")
def ask(request: Request, form: Form) -> Response:
    """Ask for a receipt, then look how far it is."""
    parts, principal = parts_of(request), principal_of(request)
    require(request, Action.AUDIT_LOOK, own(principal))
    subject = _subject(form)
    if isinstance(subject, Problem):
        return _list(request, 422, typed=dict(values(form)), problems=[subject])
    try:
        with parts.database.begin() as connection:
            order = receipts.ask(parts, principal, connection, subject, _trust(form))
    except AnswerProblem as error:
        if not error.problems:
            raise
        problems = problems_in(request, error)
        return _list(request, error.code.status, typed=dict(values(form)), problems=problems)
    return go(f"/receipts/{order.number}")


@router.get("/receipts/{number}")
def one_page(request: Request, number: str) -> Response:
    """One of them: how far it is, what it shows, and the file."""
    principal = principal_of(request)
    order = receipts.one(parts_of(request), principal, _number(number))
    return page(
        request,
        "receipts/one.html",
        order=order,
        subject=order.wish.subject,
        waiting=order.state is State.ASKED,
        detail=receipts.told_detail(principal, order),
        may_fetch=order.state is State.MADE and may_fetch(principal, order.wish),
        people=logins_of(request, [order.wish.asked_by]),
    )


@router.get("/receipts/{number}/receipt.tar")
def file(request: Request, number: str) -> Response:
    """The receipt as a file."""
    wanted = _number(number)
    return receipt_file(wanted, receipts.content(parts_of(request), principal_of(request), wanted))


def _list(request: Request, status: int = 200, **more: Any) -> Response:
    principal, before = principal_of(request), page_number(request.query_params.get("before", ""))
    found = receipts.listed(parts_of(request), principal, before, PAGE + 1)
    rows = found[:PAGE]
    shown: dict[str, Any] = {"problems": (), **more}
    return page(
        request,
        "receipts/list.html",
        status,
        rows=rows,
        people=logins_of(request, (each.wish.asked_by for each in rows)),
        following=rows[-1].number if len(found) > PAGE else None,
        everybodys=sees_everything(principal),
        **shown,
    )


def _subject(form: Form) -> Subject | Problem:
    """What the form asks a receipt of: a grant's record where it names a grant, else a raw record."""
    grant, place = text(form, "grant"), text(form, "record")
    if grant and not place:
        partition, offset = page_number(text(form, "partition")), page_number(text(form, "offset"))
        if partition is not None and partition <= LARGEST_PARTITION and offset is not None:
            return Subject(partition, offset, grant=grant[:60])
        return Problem("NO_SUCH_PLACE", "offset", *_WRONG_PLACE)
    try:
        topic, partition, offset = parse_coordinate(place)
    except NotACoordinate:
        return Problem("NO_SUCH_PLACE", "record", *_WRONG_PLACE)
    if grant or not topic.startswith(RAW) or partition > LARGEST_PARTITION:
        return Problem("NO_SUCH_PLACE", "record", *_WRONG_PLACE)
    return Subject(partition, offset, topic=topic, withdrawn=ticked(form, "withdrawn"))


def _trust(form: Form) -> str:
    """The trust file that was chosen; empty where none was."""
    found = upload(form, "trust")
    if found is None:
        return ""
    read = found.file.read(_LONGEST_TRUST + 1)
    # What is too long or no text is no trust file: the rule says so.
    return "-" if len(read) > _LONGEST_TRUST else read.decode("utf-8", "replace")


def _number(text_: str) -> int:
    found = page_number(text_)
    if found is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return found
