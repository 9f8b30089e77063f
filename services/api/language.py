"""In which language an answer is written: what the reader says first of Chinese and English, else Chinese."""

from typing import Final

from services.control.catalogue.vocabulary import Language

_KNOWN: Final = {"zh": Language.ZH, "en": Language.EN}


def language_of(accept_language: str | None) -> Language:
    """The language of a header ``Accept-Language``; of equal weight the one that is named first."""
    best, weight = Language.ZH, 0.0
    for part in (accept_language or "").split(","):
        tag, _, parameter = part.strip().partition(";")
        known = _KNOWN.get(tag.strip().lower().partition("-")[0])
        said = _weight(parameter)
        if known is not None and said > weight:
            best, weight = known, said
    return best


def tag_of(language: Language) -> str:
    """How a language is called in headers."""
    return "zh-CN" if language is Language.ZH else "en"


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
