"""What is remembered of an order: a digest of what was asked, and the answer in a form that is kept."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from services.control.cases.application import Application
from services.control.cases.case import Given
from services.control.cases.words import Action, Problem
from services.control.desk.orders import Declined, Done, NoSuchCase, Order, Overtaken
from services.control.docket.written import application_document, approval_document


def content_digest(order: Order, case: UUID, action: Action, given: Given, round_: int | None) -> str:
    """SHA-256 of all that an order asks for; the time and the entry of the catalogue are no part of it."""
    application = None if given.application is None else application_document(given.application)
    approval = None if given.approval is None else approval_document(given.approval)
    said = (
        given.text,
        given.refusal_reason,
        given.acceptable_if,
        given.stop_reason,
        given.step,
        given.undone,
    )
    # Only where it is given: orders that were kept before it was known keep their digests.
    more: list[Any] = [] if given.more_time is None else [asdict(given.more_time)]
    more += [{"whole": given.whole}] if given.whole else []
    return _digest([*_who(order), str(case), action.value, application, approval, said, round_, *more])


def opening_digest(order: Order, application: Application) -> str:
    """SHA-256 of who opens a case with what."""
    return _digest([*_who(order), "open", application_document(application)])


def kept_answer(answer: Done | Declined | Overtaken | NoSuchCase) -> dict[str, Any]:
    """An answer in short: the events that it is about are kept with the case."""
    match answer:
        case Done(filed):
            return {"outcome": "done", "case": filed.case.opening.id, "version": filed.version}
        case Declined():
            told = {"action": answer.action.value, "problems": problems_written(answer.problems)}
            return {"outcome": "declined", "case": answer.case, "version": answer.version, **told}
        case Overtaken():
            versions = {"seen": answer.seen, "version": answer.version}
            return {"outcome": "overtaken", "case": answer.case, **versions}
        case NoSuchCase(case):
            return {"outcome": "none", "case": case}


def problems_written(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Problems in the form that is kept."""
    return [asdict(each) for each in problems]


def problems_of(kept: Iterable[Mapping[str, str]]) -> tuple[Problem, ...]:
    """Problems as they were said."""
    return tuple(Problem(**each) for each in kept)


def _who(order: Order) -> list[Any]:
    return [asdict(order.actor), order.recorder, order.seen]


def _digest(content: list[Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
