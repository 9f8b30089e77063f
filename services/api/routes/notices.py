"""``/api/v1/notices``: what the reader's department was told."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from services.api.cursors import cursor_at, place_of
from services.api.forms import LARGEST, Cursor, Form, Limit
from services.api.problems import asked_language
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import notices
from services.control.catalogue import vocabulary
from services.control.notices.text import text_of
from services.control.notices.words import Audience, Kind, Language
from services.control.store.notices.inbox import MOST, Received

router = APIRouter(prefix="/notices", tags=["notices"])


class NoticeAnswer(Answer):
    """A notice, in the language of the answer."""

    id: int
    kind: Kind
    audience: Audience
    happened_at: datetime
    subject: str
    what_to_do: str
    link: str
    read_at: datetime | None


class UnreadAnswer(Answer):
    """How many notices the reader has not read."""

    unread: int


class ReadForm(Form):
    """The notices that were read."""

    ids: Annotated[tuple[Annotated[int, Field(ge=1, le=LARGEST)], ...], Field(max_length=1000)]


class ReadAnswer(Answer):
    """How many of them were new."""

    read: int


@router.get("")
def list_notices(
    request: Request, unread: bool = False, cursor: Cursor = None, limit: Limit = 50
) -> Page[NoticeAnswer]:
    """List what the reader's department was told, the newest first."""
    place = place_of(cursor, [int], "notices", unread)
    parts, principal = parts_of(request), principal_of(request)
    count = min(limit, MOST - 1)
    before = None if place is None else int(place[0])
    found = notices.inbox(parts, principal, before=before, limit=count + 1, unread=unread)
    more = cursor_at([found[count - 1].id], "notices", unread) if len(found) > count else None
    language = Language.ZH if asked_language(request) is vocabulary.Language.ZH else Language.EN
    items = [_notice(each, language, parts.settings.origin) for each in found[:count]]
    return Page(items=items, next=more)


@router.get("/unread")
def count_unread(request: Request) -> UnreadAnswer:
    """Count what the reader has not read."""
    return UnreadAnswer(unread=notices.unread(parts_of(request), principal_of(request)))


@router.post("/read")
def mark_read(request: Request, form: ReadForm) -> ReadAnswer:
    """Note that the reader has read these; those of other departments are left out."""
    return ReadAnswer(read=notices.read(parts_of(request), principal_of(request), form.ids))


def _notice(received: Received, language: Language, origin: str) -> NoticeAnswer:
    said = text_of(received.happened, language, origin)
    return NoticeAnswer(
        id=received.id,
        kind=received.happened.kind,
        audience=received.audience,
        happened_at=received.happened.at,
        subject=said.subject,
        what_to_do=said.what_to_do,
        link=said.link,
        read_at=received.read_at,
    )
