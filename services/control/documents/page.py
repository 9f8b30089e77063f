"""A document as one HTML page for print, which needs nothing beside itself."""

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from services.control.catalogue.vocabulary import Language
from services.control.documents.content import Document
from services.control.documents.wording import Phrase, say

LANGUAGE_TAGS: Final = {Language.ZH: "zh-CN", Language.EN: "en"}
STYLE: Final = """
@page { size: A4; margin: 20mm; }
body { font-family: "Noto Serif CJK SC", "SimSun", serif; color: #000; background: #fff; line-height: 1.6; }
main { max-width: 170mm; margin: 0 auto; }
h1 { text-align: center; font-size: 1.6rem; }
table { width: 100%; border-collapse: collapse; page-break-inside: auto; }
tr { page-break-inside: avoid; }
th, td { border: 1px solid #000; padding: 4px 8px; text-align: left; vertical-align: top; }
th { width: 30%; font-weight: normal; background: #f2f2f2; }
td p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.signatures { margin-top: 2rem; }
.signatures td { height: 3rem; }
footer { max-width: 170mm; margin: 2rem auto 0; font-size: 0.75rem; overflow-wrap: anywhere; }
"""
_SIGNED: Final = (Phrase.SIGNATURE, Phrase.SEAL, Phrase.DATE)


def page_of(document: Document) -> str:
    """The page; every fact is escaped, and it names no script, picture, font file or other address."""
    language = document.language
    return _template().render(
        document=document,
        lang=LANGUAGE_TAGS[language],
        style=Markup(STYLE),  # noqa: S704 - a constant of this module
        signatures=[say(phrase, language) for phrase in _SIGNED],
        digest_label=say(Phrase.DIGEST, language),
        recognised=say(Phrase.RECOGNISED, language, case=document.case, event=document.event),
    )


def style_source() -> str:
    """How a content security policy allows the page's style and no other: for ``style-src``."""
    digest = hashlib.sha256(STYLE.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _template() -> Template:
    text = (resources.files("services.control.documents") / "templates" / "document.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)
