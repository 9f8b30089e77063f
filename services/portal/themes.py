"""Light, dark, or as the reader's system has it: kept in a cookie, so that no page flashes."""

from enum import StrEnum
from typing import Final

from fastapi import Request

COOKIE: Final = "govbus_theme"


class Theme(StrEnum):
    """How a page looks."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


def theme_of(request: Request) -> Theme:
    """What the reader chose."""
    try:
        return Theme(request.cookies.get(COOKIE, ""))
    except ValueError:
        return Theme.AUTO
