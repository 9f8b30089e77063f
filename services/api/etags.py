"""Versions as ETags, and the version that somebody says to have seen."""

import re
from typing import Final

from services.api.codes import Code
from services.api.problems import AnswerProblem

_FORM: Final = re.compile(r'"(?P<version>[0-9]{1,18})"')
ANY: Final = "*"


def etag_of(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def seen_in(if_match: str | None) -> int | None:
    """The version that was seen; None where it is taken as it stands, which has to be said with ``*``.

    Raises:
        AnswerProblem: it is not said, or it is no ETag of ours.
    """
    if if_match is None:
        raise AnswerProblem(Code.VERSION_MISSING)
    if if_match.strip() == ANY:
        return None
    found = _FORM.fullmatch(if_match.strip().removeprefix("W/"))
    if found is None:
        # No version of ours has such an ETag: whoever saw it saw something else.
        raise AnswerProblem(Code.OVERTAKEN)
    return int(found["version"])


def require_seen(if_match: str | None, version: int) -> None:
    """See that what somebody saw is what is there.

    Raises:
        AnswerProblem: it is not said, or somebody was quicker; the answer names the version that is there.
    """
    seen = seen_in(if_match)
    if seen is not None and seen != version:
        raise AnswerProblem(Code.OVERTAKEN, headers={"etag": etag_of(version)}, seen=seen, version=version)
