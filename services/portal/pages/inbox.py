"""The inbox of a department: what it was told, and who of it has read what."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.security.asking import asker_of
from services.api.security.cookies import parts_of
from services.api.uses import notices
from services.portal.forms import Form, go, own_path, text, texts
from services.portal.languages import tongue_of
from services.portal.lists import address_of, page_number
from services.portal.rendering import page
from services.portal.uses.notices import text_for

router = APIRouter(include_in_schema=False)
_PER_PAGE: Final = 30


@router.get("/inbox")
def inbox_page(request: Request) -> Response:
    """Notices, the newest first."""
    parts, principal, here = parts_of(request), asker_of(request).principal, address_of(request)
    before, only_unread = page_number(here.get("before")), here.get("unread") == "yes"
    received = notices.inbox(parts, principal, before=before, limit=_PER_PAGE, unread=only_unread)
    tongue = tongue_of(request)
    return page(
        request,
        "inbox.html",
        received=[(each, text_for(each.happened, tongue)) for each in received],
        following=received[-1].id if len(received) == _PER_PAGE else None,
        unread=notices.unread(parts, principal),
    )


@router.post("/inbox/read")
def mark_read(request: Request, form: Form) -> Response:
    """Note that this person has read some notices."""
    ids = [number for each in texts(form, "notice") if (number := page_number(each)) is not None]
    notices.read(parts_of(request), asker_of(request).principal, ids)
    return go(own_path(text(form, "back"), "/inbox"))
