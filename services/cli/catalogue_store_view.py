"""What the commands on the stored catalogue answer: as JSON's own types, and as tables for people."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from services.cli.catalogue_view import problem_answer
from services.cli.output import note, table
from services.control.catalogue.cells import entry_cells, item_cells
from services.control.catalogue.entry import Entry, ResourceCode
from services.control.catalogue.fields import ITEM_FIELDS, label
from services.control.catalogue.importing import Imported, Rejected
from services.control.catalogue.lifecycle import Action, Refused, Step
from services.control.catalogue.text import printable
from services.control.catalogue.vocabulary import Language, word
from services.control.store.catalogue.dossiers import Stored
from services.control.store.catalogue.heads import shown
from services.control.store.catalogue.listing import Count, Facet, Listed, Page
from services.control.store.catalogue.loading import Clash, Loaded, NotLoaded, Outcome
from services.control.store.catalogue.wording import STATES, clash_in_words, refusal_in_words
from topics.resource import ShareType

_SHOWN: Final = 200
_MOST_COUNTS: Final = 8
Taken = Mapping[ResourceCode, Stored | Refused]


def imported_answer(
    file: Path, read: Imported | Rejected, done: Loaded | NotLoaded | None, dry_run: bool
) -> dict[str, Any]:
    """The answer of `import`."""
    outcomes = done.outcomes if isinstance(done, Loaded) else {}
    clashes = done.clashes if isinstance(done, NotLoaded) else ()
    return {
        "file": str(file),
        "dry_run": dry_run,
        "imported": isinstance(done, Loaded) and not dry_run,
        "entries": read.entries if isinstance(read, Rejected) else len(read.entries),
        "rows": read.rows,
        "outcomes": {each.value: outcomes.get(each, 0) for each in Outcome},
        "problems": [problem_answer(each) for each in (read.found if isinstance(read, Rejected) else ())],
        "clashes": [_clash(each) for each in clashes],
    }


def print_imported(done: Loaded | NotLoaded, dry_run: bool, language: Language) -> None:
    """Tell a person what was written, or what stands against it."""
    if isinstance(done, Loaded):
        title = "This would be written" if dry_run else "Written"
        table(title, tuple(Outcome), [tuple(done.outcomes.get(each, 0) for each in Outcome)])
        return
    rows = [
        (each.number, each.code, each.name, *clash_in_words(each.against, each.other, language))
        for each in done.clashes[:_SHOWN]
    ]
    title = f"{len(done.clashes)} entries cannot be taken; nothing was written"
    table(title, ("entry", "code", "name", "problem", "what to do"), _printable(rows))
    if len(done.clashes) > _SHOWN:
        note(f"{len(done.clashes) - _SHOWN} more are not shown; --json gives all")


def listed_answer(found: Page, total: int, counted: Mapping[Facet, Sequence[Count]]) -> dict[str, Any]:
    """The answer of `list` and `search`."""
    return {
        "total": total,
        "entries": [_listed(each) for each in found.entries],
        "next": found.following,
        "facets": {
            facet.name.lower(): [
                {"value": each.value, "name": each.name or None, "count": each.count} for each in counts
            ]
            for facet, counts in counted.items()
        },
    }


def print_listed(found: Page, total: int, counted: Mapping[Facet, Sequence[Count]]) -> None:
    """Show a person one page of entries, and by what they could be narrowed."""
    rows = [
        (
            each.code,
            each.name,
            each.provider,
            word(ShareType(each.share_type)),
            STATES[each.state][Language.ZH],
            each.item_count,
        )
        for each in found.entries
    ]
    columns = ("code", "name", "provider", "share type", "state", "items")
    table(f"{len(found.entries)} of {total} entries", columns, _printable(rows))
    for facet, counts in counted.items():
        said = [f"{each.name or each.value} {each.count}" for each in counts[:_MOST_COUNTS]]
        more = f" and {len(counts) - _MOST_COUNTS} more" if len(counts) > _MOST_COUNTS else ""
        if said:
            note(printable(f"{facet.name.lower()}: {', '.join(said)}{more}"))
    if found.following is not None:
        note(f"go on with --after {found.following}")


def shown_answer(stored: Stored) -> dict[str, Any]:
    """The answer of `show`."""
    dossier, version = stored.dossier, shown(stored.dossier)
    return {
        "id": str(stored.id),
        "lock_version": stored.lock_version,
        "department": dossier.department,
        "shown": version.number,
        "published": None if dossier.published is None else dossier.published.number,
        "versions": [
            {
                "number": each.number,
                "state": each.state.value,
                "filing": each.filing,
                **_said(each.entry),
            }
            for each in dossier.versions
        ],
        "steps": [_step(each) for each in dossier.steps],
    }


def print_shown(stored: Stored) -> None:
    """Show a person an entry."""
    dossier, version = stored.dossier, shown(stored.dossier)
    cells = [(label(each), text) for each, text in entry_cells(version.entry).items() if text]
    state = STATES[version.state][Language.ZH]
    table(f"Version {version.number} {state}", ("field", "value"), _printable(cells))
    items = [tuple(item_cells(each).values()) for each in version.entry.items]
    table("Items", tuple(label(each) for each in ITEM_FIELDS), _printable(items))
    steps = [
        (
            each.when.isoformat(timespec="seconds"),
            each.version,
            each.action.value,
            each.after.value,
            each.who.person,
            each.who.role.value,
            each.why,
        )
        for each in dossier.steps
    ]
    columns = ("when", "version", "step", "became", "who", "as", "why")
    table("Steps", columns, _printable(steps))


def taken_answer(action: Action, taken: Taken, *, done: bool) -> dict[str, Any]:
    """The answer of `step`."""
    return {
        "action": action.value,
        "done": done,
        "entries": [_taken(code, each, done) for code, each in taken.items()],
    }


def print_taken(action: Action, taken: Taken, language: Language) -> None:
    """Tell a person what became of each entry."""
    refused = [each for each in taken.values() if isinstance(each, Refused)]
    rows = []
    for code, each in taken.items():
        if isinstance(each, Refused):
            what, remedy = refusal_in_words(each.refusal, each.state, language)
            rows.append((str(code), what, remedy))
            rows += [("", found.what(language), found.remedy(language)) for found in each.problems]
        elif not refused:
            rows.append((str(code), STATES[each.dossier.versions[-1].state][language], ""))
    title = f"{action.value}: refused, nothing has changed" if refused else action.value
    table(title, ("code", "became" if not refused else "problem", "what to do"), _printable(rows))


def _clash(clash: Clash) -> dict[str, Any]:
    said = {each: clash_in_words(clash.against, clash.other, each) for each in Language}
    return {
        "number": clash.number,
        "code": clash.code,
        "name": clash.name,
        "against": clash.against.value,
        "other": clash.other,
        "problem": {each.value: what for each, (what, _) in said.items()},
        "remedy": {each.value: remedy for each, (_, remedy) in said.items()},
    }


def _listed(entry: Listed) -> dict[str, Any]:
    return {
        name: _plain(getattr(entry, name)) for name in Listed.__dataclass_fields__ if name != "lock_version"
    }


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return value if value is None or isinstance(value, str | int) else _text(value)


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _said(entry: Entry) -> dict[str, Any]:
    return {
        "entry": {each.value: text for each, text in entry_cells(entry).items()},
        "items": [{each.value: text for each, text in item_cells(item).items()} for item in entry.items],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "version": step.version,
        "action": step.action.value,
        "before": None if step.before is None else step.before.value,
        "after": step.after.value,
        "person": step.who.person,
        "role": step.who.role.value,
        "department": step.who.department,
        "when": step.when.isoformat(),
        "why": step.why,
        "changed_on": None if step.changed_on is None else step.changed_on.isoformat(),
    }


def _taken(code: ResourceCode, each: Stored | Refused, done: bool) -> dict[str, Any]:
    if isinstance(each, Refused):
        said = {of: refusal_in_words(each.refusal, each.state, of) for of in Language}
        return {
            "code": str(code),
            "state": each.state.value,
            "refusal": each.refusal.value,
            "problem": {of.value: what for of, (what, _) in said.items()},
            "remedy": {of.value: remedy for of, (_, remedy) in said.items()},
            "rules": sorted({found.rule.value for found in each.problems}),
        }
    state = each.dossier.versions[-1].state.value if done else None
    return {"code": str(code), "state": state, "refusal": None, "problem": None, "remedy": None, "rules": []}


def _printable(rows: Sequence[Sequence[Any]]) -> list[tuple[str, ...]]:
    """Cells that no terminal obeys: what departments write may be anything."""
    return [tuple("" if cell is None else printable(str(cell)) for cell in row) for row in rows]
