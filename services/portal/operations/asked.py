"""Who asks for a page of operation, and of whom that person may see anything."""

from typing import Final

from fastapi import Request

from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.uses.reach import visible_to
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal
from services.control.store.parties import Parties

PAGE: Final = 50
DEEPEST: Final = 2_000
"""The last page that is counted to: who looks for more, filters."""


def seeing(request: Request, action: Action) -> tuple[Principal, Parties | None]:
    """Who asks, and of which parties that person sees objects; None where of all.

    Raises:
        AnswerProblem: nobody is logged in, or that person may look at nobody's.
    """
    principal = principal_of(request)
    return principal, visible_to(parts_of(request), principal, action)


def page_asked(request: Request) -> int:
    """Which page of a list is asked for, from 1 on; what is no number means the first."""
    text = request.query_params.get("after", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return min(max(number, 1), DEEPEST)


def asked(request: Request, name: str) -> str | None:
    """A filter of a list; None where it is empty, too long, or holds what no database keeps."""
    value = request.query_params.get(name, "").strip()
    return value if 0 < len(value) <= 200 and "\0" not in value else None
