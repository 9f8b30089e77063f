"""What holds grants now, as pages show it beside them: which order, since when, by whom and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request

from services.api.security.cookies import parts_of
from services.control.suspension.journal import JournalUnreadable
from services.portal.operations.shown import login_of
from topics.grants.hold import HoldScope


@dataclass(frozen=True, slots=True)
class Stopped:
    """One suspension that holds a grant now."""

    id: str
    scope: HoldScope
    name: str
    reason: str
    since: datetime
    by: str
    """The login of who ordered it; empty where the journal does not know it any more."""


def stops_of(request: Request, documents: Iterable[Mapping[str, Any]]) -> dict[str, Stopped]:
    """The suspensions that the snapshots of these grants name, by their ids."""
    named = {each["id"]: each for document in documents for each in document.get("stops", ())}
    return {
        id_: Stopped(
            id_,
            HoldScope(each["scope"]),
            each["name"],
            each["reason"],
            datetime.fromisoformat(each["since"]),
            _by(request, id_),
        )
        for id_, each in named.items()
    }


def _by(request: Request, id_: str) -> str:
    try:
        work = parts_of(request).switch.find(id_)
    except (JournalUnreadable, OSError):
        return ""
    return "" if work is None else login_of(request, work.order.by)
