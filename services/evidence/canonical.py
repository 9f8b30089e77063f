"""One text for each value: JSON with sorted names, no spaces, plain UTF-8, so that a digest means one value.

Only objects, lists, texts, whole numbers, truth values and null occur in evidence, for which this is what
RFC 8785 asks for, except that names are sorted by code point.
"""

import json
from typing import Any, NoReturn


class NotCanonical(ValueError):  # noqa: N818 - the caller names the fault
    """The bytes are no JSON object, or not the one text that stands for it."""


def encode(value: Any) -> bytes:
    """The one text of a value.

    Raises:
        TypeError: it holds something that evidence does not know, such as bytes or a fraction.
    """
    _check(value)
    return _text(value)


def decode(text: bytes) -> dict[str, Any]:
    """The object that a canonical text stands for.

    Raises:
        NotCanonical: it is no JSON object, or could be written in another way.
    """
    try:
        value = json.loads(text, parse_float=_refuse, parse_constant=_refuse)
        same = isinstance(value, dict) and _text(value) == text
    except ValueError as error:
        raise NotCanonical(str(error)) from error
    except RecursionError as error:
        raise NotCanonical("nested too deeply") from error
    if not same:
        raise NotCanonical("not the canonical text of a JSON object")
    found: dict[str, Any] = value
    return found


def _text(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _refuse(text: str) -> NoReturn:
    raise NotCanonical(f"{text} is no whole number")


def _check(value: Any) -> None:
    if value is None or isinstance(value, str | int):
        return
    if isinstance(value, list | tuple):
        for inner in value:
            _check(inner)
    elif isinstance(value, dict) and all(isinstance(name, str) for name in value):
        for inner in value.values():
            _check(inner)
    else:
        raise TypeError(f"evidence holds no {type(value).__name__}")
