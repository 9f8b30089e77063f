"""One line of the doctor's report: what was checked, how it is, what was seen, what mends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How a check came out, from best to worst."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line; ``remedy`` is a command or SQL that can be run as it stands, or empty where all is well."""

    check: str
    level: Level
    seen: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All lines in their order, and how many seconds they took."""

    findings: tuple[Finding, ...]
    seconds: float

    @property
    def healthy(self) -> bool:
        """Whether nothing failed."""
        return not self.of(Level.FAILURE)

    def of(self, level: Level) -> list[Finding]:
        """The lines of one level."""
        return [finding for finding in self.findings if finding.level is level]

    def as_json(self) -> dict[str, Any]:
        """The shape that docs/cli/doctor.schema.json describes."""
        return {
            "healthy": self.healthy,
            "failures": len(self.of(Level.FAILURE)),
            "warnings": len(self.of(Level.WARNING)),
            "seconds": round(self.seconds, 2),
            "findings": [
                {"check": each.check, "level": each.level.value, "seen": each.seen, "remedy": each.remedy}
                for each in self.findings
            ],
        }


def ok(check: str, seen: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, seen)


def note(check: str, seen: str, remedy: str = "") -> Finding:
    """Worth knowing."""
    return Finding(check, Level.NOTE, seen, remedy)


def warning(check: str, seen: str, remedy: str = "") -> Finding:
    """It works now and may not for long, or something declared is not done yet."""
    return Finding(check, Level.WARNING, seen, remedy)


def failure(check: str, seen: str, remedy: str = "") -> Finding:
    """It does not work, or it cannot be told whether it does."""
    return Finding(check, Level.FAILURE, seen, remedy)


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first few names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
