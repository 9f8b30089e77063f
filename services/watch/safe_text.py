"""Makes a line out of a stack trace that may be shown and logged: no secret and nobody's data in it."""

import re
from typing import Final

from producers.redaction import HIDDEN, redact_text

_LONGEST: Final = 240
# A value of a record may stand in a trace: numbers of persons and organisations, telephone numbers.
_LONG_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z./])(?=[0-9A-Z]*[0-9]{4})[0-9A-Z]{8,}(?![0-9A-Za-z])")
# The traces of Kafka, Debezium and PostgreSQL are English: what is not, is somebody's name or address.
_OTHER_SCRIPT: Final = re.compile(r"[^\x00-\x7f]+")
# PostgreSQL's details: Key (id_number)=(…).
_KEY_VALUES: Final = re.compile(r"\)=\([^)]*\)")


def first_line(trace: str | None) -> str:
    """The first line of a trace with secrets and values of records hidden; empty without a trace."""
    lines = (trace or "").strip().splitlines()
    return safe_line(lines[0]) if lines else ""


def summary(trace: str | None) -> str:
    """The first line of a trace and, where it names one, the cause at its root."""
    causes = [line for line in (trace or "").splitlines() if line.startswith("Caused by: ")]
    first = first_line(trace)
    return f"{first} ({safe_line(causes[-1])})" if causes else first


def safe_line(text: str) -> str:
    """One line with secrets and values of records hidden, and not too long."""
    line = " ".join(redact_text(text).split())
    for values in (_KEY_VALUES, _LONG_NUMBER, _OTHER_SCRIPT):
        line = values.sub(HIDDEN if values is not _KEY_VALUES else f")=({HIDDEN})", line)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
