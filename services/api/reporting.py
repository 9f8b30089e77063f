"""What goes wrong in the background is written to the log, where nobody's request could be told of it."""

import logging
from typing import Final

from services.api.security.wrapping import where

_log: Final = logging.getLogger("govbus.operations")


def report(what: str, error: Exception) -> None:
    """Into the log, without the error's text, which may hold anything."""
    _log.error("%s: %s at %s", what, type(error).__name__, where(error))
