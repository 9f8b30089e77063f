"""What is reported: the record without a name, what of it is disputed, the statement and what proves it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.control.cases.words import Problem
from topics.disputes import Contested, contested_problems
from topics.event import ProviderId, SourcePosition

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_SHORTEST_STATEMENT: Final = 4
MOST_EVIDENCE: Final = 20
LARGEST_FILE: Final = 5 * 1024 * 1024
"""So many bytes of an attachment are kept at most; of a larger one its digest alone."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An attachment, by its digest; its bytes stand in a table of files, where only the parties read."""

    sha256: str
    size: int
    title: str
    """What it is, in words; like the statement it is for the parties only."""


@dataclass(frozen=True, slots=True)
class Reported:
    """The version of a record that is reported; nothing of it names anybody."""

    provider: ProviderId
    contested: Contested
    at: str
    """The coordinate of the version in the canonical topic, where the provider looks it up."""
    position: SourcePosition


def report_problems(statement: str, evidence: tuple[Evidence, ...], reported: Reported) -> Iterator[Problem]:
    """Yield everything that keeps a report from being taken (requirement A9-01)."""
    if len(statement.strip()) < _SHORTEST_STATEMENT:
        remedy = "say briefly what is wrong, and what would be right"
        yield Problem("STATEMENT_MISSING", "statement", "it is not said what is wrong", remedy)
    if not evidence:
        remedy = "attach what shows it: a document, a photograph, an extract"
        yield Problem("EVIDENCE_MISSING", "evidence", "nothing proves the report", remedy)
    yield from evidence_problems(evidence)
    for what in contested_problems(reported.contested):
        yield Problem("RECORD_MALFORMED", "record", what, "report the record by its coordinate again")


def evidence_problems(evidence: tuple[Evidence, ...]) -> Iterator[Problem]:
    """Yield what is wrong with attachments."""
    digests = [each.sha256 for each in evidence]
    if len(digests) > MOST_EVIDENCE:
        what = f"{len(digests)} attachments are more than {MOST_EVIDENCE}"
        yield Problem("EVIDENCE_TOO_MUCH", "evidence", what, "attach what proves it and no more")
    if not all(_DIGEST.fullmatch(digest) for digest in digests) or any(each.size <= 0 for each in evidence):
        remedy = "give the SHA-256 of the file and its size in bytes"
        yield Problem("EVIDENCE_MALFORMED", "evidence", "an attachment has no digest or no size", remedy)
    if len(set(digests)) != len(digests):
        yield Problem("EVIDENCE_DOUBLED", "evidence", "an attachment is named twice", "name it once")
