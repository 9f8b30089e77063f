"""The ledger browser: blocks and acts by topic, partition and time, each with its checkpoint."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.running import BusUnavailable
from services.api.security.asking import principal_of, require
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.evidence.browsing import shown
from services.evidence.entries import DELIVERY, INTAKE, TOPICS
from services.portal.lists import page_number
from services.portal.operations.doors import operations_of
from services.portal.operations.shown import from_ms
from services.portal.rendering import page
from topics.names import LEDGER_PARTITIONS

router = APIRouter(include_in_schema=False)
_PARTITIONS: Final = {INTAKE: LEDGER_PARTITIONS, DELIVERY: LEDGER_PARTITIONS}


@router.get("/ledger")
def ledger_page(request: Request) -> Response:
    """One page of one partition, the newest first; the address says which."""
    require(request, Action.AUDIT_EXPORT, own(principal_of(request)))
    topic = request.query_params.get("topic", INTAKE)
    partition = page_number(request.query_params.get("partition", "")) or 0
    if topic not in TOPICS or partition >= _PARTITIONS.get(topic, 1):
        raise AnswerProblem(Code.NOT_FOUND)
    pages = operations_of(request).ledger
    book = pages.book()
    found = pages.page(f"{topic}:{partition}", page_number(request.query_params.get("before", "")))
    failure = book.failure or found.failure
    if failure and (book.value is None or found.value is None):
        raise BusUnavailable(failure)
    return page(
        request,
        "ledger.html",
        topics=TOPICS,
        topic=topic,
        partition=partition,
        partitions=range(_PARTITIONS.get(topic, 1)),
        book=book.value,
        found=found.value,
        as_of=found.as_of,
        from_ms=from_ms,
        shown=shown,
    )
