"""A report as a value: its figures in sum and by department, its canonical text and digest; pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlencode

from services.control.reports.words import FIGURES, Kind, Measure

FORM: Final = 1
LISTED: Final = 2
"""The form of a report that has an appendix."""
Counts = Mapping[str, int]
"""Department → how much of one figure; by its id, or by its name where entries know only that."""


@dataclass(frozen=True, slots=True)
class Scope:
    """On what a report is: ``department`` is empty where it is on all."""

    kind: Kind
    year: int
    department: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure in sum, and by department."""

    measure: Measure
    value: int
    by_department: Counts


class Fulfilled(StrEnum):
    """How a duty of the responsibility list stands."""

    YES = "fulfilled"
    NO = "unfulfilled"


@dataclass(frozen=True, slots=True)
class Line:
    """One row behind a figure, as it stood: whose, what, when, and where it is looked up."""

    department: str
    label: str
    at: str | None
    """The day on which it was due, or when it was seen."""
    path: str
    state: Fulfilled | None = None


@dataclass(frozen=True, slots=True)
class Appendix:
    """The rows behind a figure, those that matter first; ``left_out`` of them are not in it."""

    measure: Measure
    lines: tuple[Line, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What was found at one moment; ``seen`` says of when the looks at the bus are that it rests on."""

    scope: Scope
    as_of: datetime
    figures: tuple[Figure, ...]
    names: Mapping[str, str]
    """Departments by id, as they were called then."""
    seen: Mapping[str, str | None]
    appendix: Appendix | None = None

    @property
    def document(self) -> dict[str, Any]:
        """As it is kept."""
        listed = {} if self.appendix is None else {"form": LISTED, "appendix": _kept(self.appendix)}
        return {
            "form": FORM,
            "kind": self.scope.kind.value,
            "year": self.scope.year,
            "department": self.scope.department,
            "as_of": self.as_of.isoformat(),
            "figures": [
                {
                    "measure": each.measure.value,
                    "value": each.value,
                    "by_department": dict(each.by_department),
                }
                for each in self.figures
            ],
            "names": dict(self.names),
            "seen": dict(self.seen),
            **listed,
        }


@dataclass(frozen=True, slots=True)
class Differs:
    """A figure that comes out otherwise than it stands in a report."""

    measure: str
    department: str
    """Empty for the sum."""
    then: int
    now: int


def made(
    scope: Scope,
    as_of: datetime,
    counts: Mapping[Measure, Counts],
    names: Mapping[str, str],
    seen: Mapping[str, str | None],
    appendix: Appendix | None = None,
) -> Report:
    """The report of these counts: of one department, or of all."""
    figures = []
    for measure in FIGURES[scope.kind]:
        of_all = {name: count for name, count in counts.get(measure, {}).items() if count}
        chosen = {name: count for name, count in of_all.items() if scope.department in ("", name)}
        figures.append(Figure(measure, sum(chosen.values()), dict(sorted(chosen.items()))))
    return Report(scope, as_of, tuple(figures), names, seen, appendix)


def report_from(document: Mapping[str, Any]) -> Report:
    """What ``Report.document`` gave.

    Raises:
        ValueError: it is of a form that this program does not know.
    """
    if document.get("form") not in (FORM, LISTED):
        raise ValueError(f"a report of form {document.get('form')}: install a newer govbus")
    scope = Scope(Kind(document["kind"]), document["year"], document["department"])
    figures = tuple(
        Figure(Measure(each["measure"]), each["value"], each["by_department"]) for each in document["figures"]
    )
    as_of = datetime.fromisoformat(document["as_of"])
    listed = document.get("appendix")
    appendix = None if listed is None else _appendix(listed)
    return Report(scope, as_of, figures, document["names"], document["seen"], appendix)


def digest_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical text: two years later the same report has the same."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differences(then: Report, now: Report) -> list[Differs]:
    """Where a report that is made again differs from what was kept, figure by figure."""
    later = {each.measure: each for each in now.figures}
    return [found for each in then.figures for found in _differs(each, later.get(each.measure))]


def behind(figure: Measure, year: int, department: str = "") -> str:
    """The address of the rows behind a figure: how many there are, or what they add up to, is the figure."""
    asked = {"year": str(year)} | ({"department": department} if department else {})
    return f"/reports/behind/{figure.value}?{urlencode(asked)}"


def departments_of(report: Report) -> list[str]:
    """Every department that any figure names, by its name."""
    found = {name for each in report.figures for name in each.by_department}
    return sorted(found, key=lambda id_: (report.names.get(id_, id_), id_))


def _kept(appendix: Appendix) -> dict[str, Any]:
    """The names of the columns stand once: there may be thousands of lines."""
    return {
        "measure": appendix.measure.value,
        "left_out": appendix.left_out,
        "columns": [each.name for each in fields(Line)],
        "lines": [list(astuple(each)) for each in appendix.lines],
    }


def _appendix(document: Mapping[str, Any]) -> Appendix:
    named = [dict(zip(document["columns"], each, strict=True)) for each in document["lines"]]
    lines = tuple(
        Line(**{**each, "state": None if each["state"] is None else Fulfilled(each["state"])})
        for each in named
    )
    return Appendix(Measure(document["measure"]), lines, document["left_out"])


def _differs(then: Figure, now: Figure | None) -> Iterable[Differs]:
    new = Figure(then.measure, 0, {}) if now is None else now
    if then.value != new.value:
        yield Differs(then.measure.value, "", then.value, new.value)
    for name in sorted({*then.by_department, *new.by_department}):
        before, after = then.by_department.get(name, 0), new.by_department.get(name, 0)
        if before != after:
            yield Differs(then.measure.value, name, before, after)
