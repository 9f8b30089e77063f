"""The body of a webhook: what happened, as JSON of the shape docs/notices/webhook.schema.json; pure."""

import json
from typing import Any

from services.control.notices.event import Happened
from services.control.notices.shown import shown
from services.control.notices.text import link_of, text_of
from services.control.notices.words import Audience, Language


def body_of(happened: Happened, notice: str, audience: Audience, portal: str) -> bytes:
    """The body, as the bytes that are signed.

    Args:
        happened: what is told.
        notice: the id of the notice; the same at each attempt, so that a receiver can tell repetitions.
        audience: as what the department is told.
        portal: the address of the portal.
    """
    said: dict[str, Any] = {
        "id": notice,
        "kind": happened.kind,
        "at": happened.at.isoformat(),
        "audience": audience,
        "facts": {slot: shown(slot, fact) for slot, fact in sorted(happened.facts.items())},
        "link": link_of(happened, portal),
        "text": {language: _text(happened, language, portal) for language in Language},
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _text(happened: Happened, language: Language, portal: str) -> dict[str, str]:
    text = text_of(happened, language, portal)
    return {"subject": text.subject, "what_to_do": text.what_to_do}
