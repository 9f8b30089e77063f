"""Keeps secrets out of every message, representation and log line that the ways in produce."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

HIDDEN: Final = "***"
_SECRET_NAME: Final = re.compile(r"password|secret|jaas|credential", re.IGNORECASE)
_SECRET_IN_TEXT: Final = re.compile(
    r"(?P<name>[\w.\-]*(?:password|secret|jaas|credential)[\w.\-]*)(?P<sign>\"?\s*[=:]\s*)"
    r"(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;}\)]+)",
    re.IGNORECASE,
)
# Shorter values occur in ordinary words; hiding them would make messages unreadable and hide nothing.
_SHORTEST_SECRET: Final = 4


def is_secret_name(name: str) -> bool:
    """Whether a setting of that name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def redacted(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the value of each secret setting hidden, references to secret files too."""
    return {name: HIDDEN if is_secret_name(name) else value for name, value in config.items()}


def secret_values(config: Mapping[str, Any]) -> frozenset[str]:
    """The values that must never show up in a text about this configuration."""
    found = {str(value) for name, value in config.items() if value is not None and is_secret_name(name)}
    return frozenset(value for value in found if len(value) >= _SHORTEST_SECRET)


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Hide the given values, and whatever is assigned to a secret setting, in a free text."""
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return _SECRET_IN_TEXT.sub(lambda match: f"{match['name']}{match['sign']}{HIDDEN}", text)
