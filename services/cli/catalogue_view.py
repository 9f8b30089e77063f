"""What `govbus catalogue` answers: as JSON's own types, and as tables for people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from services.cli.output import note, table
from services.control.catalogue.duties import DoubleCollection
from services.control.catalogue.fields import label
from services.control.catalogue.files import Source
from services.control.catalogue.fulfilment import Judged, fulfilled
from services.control.catalogue.importing import Imported, Rejected
from services.control.catalogue.mounting import Mounted
from services.control.catalogue.table import Found
from services.control.catalogue.text import printable
from services.control.catalogue.vocabulary import Language, word

_SHOWN: Final = 200
_EN: Final = Language.EN


def checked(file: Path, read: Imported | Rejected, source: Source) -> dict[str, Any]:
    """The answer of `check`."""
    found = read.found if isinstance(read, Rejected) else ()
    return {
        "file": str(file),
        "format": source.form,
        "encoding": source.encoding,
        "sheet": source.sheet,
        "other_sheets": source.other_sheets,
        "valid": not found,
        "entries": read.entries if isinstance(read, Rejected) else len(read.entries),
        "rows": read.rows,
        "by_rule": dict(sorted(Counter(each.problem.rule.value for each in found).items())),
        "problems": [problem_answer(each) for each in found],
    }


def problem_answer(found: Found) -> dict[str, Any]:
    """One problem of a file."""
    problem = found.problem
    named = problem.field
    return {
        "rule": problem.rule.value,
        "row": found.row,
        "column": found.column,
        "entry": found.entry or None,
        "field": None if named is None else {"id": named.value, "zh": label(named), "en": label(named, _EN)},
        "value": problem.value,
        "problem": {each.value: problem.what(each) for each in Language},
        "remedy": {each.value: problem.remedy(each) for each in Language},
    }


def print_checked(read: Imported | Rejected, source: Source, language: Language) -> None:
    """Tell a person what is wrong."""
    if source.encoding:
        note(f"read as {source.encoding}")
    if source.other_sheets:
        note(f"read the sheet {source.sheet}; not read: {', '.join(source.other_sheets)}")
    if isinstance(read, Imported):
        table("Nothing is wrong", ("entries", "rows"), [(len(read.entries), read.rows)])
        return
    shown = read.found[:_SHOWN]
    rows = [_told(each, language) for each in shown]
    title = f"{len(read.found)} problems in {read.entries} entries, {read.rows} rows"
    table(title, ("row", "entry", "field", "value", "problem", "what to do", "rule"), rows)
    if len(read.found) > len(shown):
        note(f"{len(read.found) - len(shown)} more are not shown; --json gives all")


def _told(found: Found, language: Language) -> tuple[str, ...]:
    problem, field = found.problem, found.problem.field
    cells = (
        "" if found.row is None else f"{found.row}",
        found.entry,
        "" if field is None else f"{label(field)} {label(field, _EN)}",
        problem.shown,
        problem.what(language),
        problem.remedy(language),
        problem.rule.value,
    )
    # What stands in a file may be anything, and a terminal obeys control characters.
    return tuple(map(printable, cells))


def compared(mounted: Mounted) -> dict[str, Any]:
    """The answer of `compare`."""
    return {
        "agrees": mounted.agrees,
        "matched": [{"code": str(code), "resource": id_} for code, id_ in mounted.matched],
        "without_topic": [
            {"code": None if each.code is None else str(each.code), "name": each.name}
            for each in mounted.without_topic
        ],
        "without_entry": [
            {"resource": each.id, "code": each.code, "topic": each.canonical_topic, "name": each.titles.zh}
            for each in mounted.without_entry
        ],
        "differences": [
            {
                "resource": each.resource,
                "code": str(each.code),
                "what": each.what.value,
                "entry": each.entry,
                "definition": each.definition,
            }
            for each in mounted.differences
        ],
    }


def duties_answer(
    duties: Mapping[str, Sequence[Judged]], doubled: Sequence[DoubleCollection]
) -> dict[str, Any]:
    """The answer of `duties`."""
    return {
        "departments": [
            {
                "department": name,
                "fulfilled": fulfilled(of_department),
                "duties": [_duty(each) for each in of_department],
            }
            for name, of_department in duties.items()
        ],
        "collected_twice": [
            {
                "item": each.item,
                "places": [
                    {"department": at.department, "code": str(at.code), "entry": at.entry, "item": at.item}
                    for at in each.places
                ],
            }
            for each in doubled
        ],
    }


def _duty(each: Judged) -> dict[str, Any]:
    duty = each.duty
    return {
        "code": str(duty.code),
        "entry": duty.entry,
        "item": duty.item,
        "key": duty.key,
        "update_cycle": duty.update_cycle.value if duty.update_cycle else None,
        "fulfilment": each.fulfilment.value,
    }


def print_duties(duties: Mapping[str, Sequence[Judged]], doubled: Sequence[DoubleCollection]) -> None:
    """Tell a person who must collect what, and whether it is there."""
    rows = [(name, *_duty_cells(each)) for name, of_department in duties.items() for each in of_department]
    columns = ("department", "entry", "item", "update cycle", "fulfilment")
    table("What each department must collect", columns, rows)
    twice = [(each.item, at.department, at.entry, at.item) for each in doubled for at in each.places]
    table("What several departments collect", ("item", "department", "entry", "as"), twice)


def _duty_cells(each: Judged) -> tuple[str, str, str, str]:
    cycle = each.duty.update_cycle
    return each.duty.entry, each.duty.item, "" if cycle is None else word(cycle), each.fulfilment.value


def print_compared(mounted: Mounted) -> None:
    """Tell a person where catalogue and definitions differ."""
    table("Matched", ("code", "resource"), [(str(code), id_) for code, id_ in mounted.matched])
    alone = [(str(each.code or ""), each.name) for each in mounted.without_topic]
    table("Entries without a topic", ("code", "name"), alone)
    hidden = [(each.code, each.id, each.titles.zh) for each in mounted.without_entry]
    table("Topics without an entry", ("code", "resource", "name"), hidden)
    rows = [
        (str(each.code), each.resource, each.what.value, each.entry, each.definition)
        for each in mounted.differences
    ]
    table("Differences", ("code", "resource", "what", "entry", "definition"), rows)
