"""How far a case was carried out, as the policy says it: proof that a database is as new as the bus; pure."""

import hashlib
import json

from services.control.cases.case import Case
from services.control.docket.written import event_document
from topics.policy import CaseMark


def mark_of(case: Case, event: int) -> CaseMark:
    """The mark of a case's event.

    Raises:
        IndexError: it has no such event.
    """
    document = event_document(case.events[event - 1])
    text = json.dumps([case.opening.id, document], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return CaseMark(event=event, digest=hashlib.sha256(text.encode()).hexdigest())


def is_known(case: Case | None, mark: CaseMark) -> bool:
    """Whether a case has the event that the bus was brought to, and the same one.

    If not, the database was restored from before that event, or is none of this bus.
    """
    return case is not None and mark.event <= len(case.events) and mark_of(case, mark.event) == mark
