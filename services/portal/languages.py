"""In which language a page speaks: the address says it, else the cookie, else the browser, else Chinese."""

import gettext
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from fastapi import Request

from services.control.catalogue.vocabulary import Language

COOKIE: Final = "govbus_language"
PARAMETER: Final = "lang"
DOMAIN: Final = "govbus"
LOCALES: Final = Path(__file__).with_name("locale")


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language of the portal, with its names in the places that ask for one."""

    language: Language
    """As the rules of the catalogue and of accounts call it."""
    tag: str
    """For browsers."""
    locale: str
    """For Babel and for the folder of its texts."""
    name: str
    """As its speakers call it."""


CHINESE: Final = Tongue(Language.ZH, "zh-CN", "zh_CN", "中文")
ENGLISH: Final = Tongue(Language.EN, "en", "en", "English")
TONGUES: Final = (CHINESE, ENGLISH)


def tongue_of(request: Request) -> Tongue:
    """The language in which a request is answered."""
    wishes: Sequence[str | None] = (
        request.query_params.get(PARAMETER),
        request.cookies.get(COOKIE),
        *_accepted(request.headers.get("accept-language", "")),
    )
    return next((found for each in wishes if (found := _named(each)) is not None), CHINESE)


def asked_for(request: Request) -> Tongue | None:
    """The language that the address asks for, which is kept from then on."""
    return _named(request.query_params.get(PARAMETER))


@cache
def texts_of(tongue: Tongue) -> gettext.NullTranslations:
    """The texts of a language, read from its file once.

    Raises:
        OSError: the file is not there.
    """
    path = LOCALES / tongue.locale / "LC_MESSAGES" / f"{DOMAIN}.po"
    with path.open("rb") as source:
        catalogue = read_po(source, locale=tongue.locale, domain=DOMAIN, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _named(wish: str | None) -> Tongue | None:
    """``zh``, ``zh-CN`` and ``zh_Hans`` all mean Chinese."""
    head = (wish or "").strip().casefold().replace("_", "-").partition("-")[0]
    return next((each for each in TONGUES if head == each.language.value), None)


def _accepted(header: str) -> list[str]:
    """The languages of a browser, what it likes best first."""
    wishes = []
    for place, part in enumerate(header.split(",")):
        name, _, quality = part.partition(";q=")
        try:
            wishes.append((-float(quality or 1), place, name))
        except ValueError:
            continue
    return [name for _, _, name in sorted(wishes)]
