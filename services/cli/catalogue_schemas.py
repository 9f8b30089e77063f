"""`govbus catalogue schemas`: what became of the schema of an entry's topics, from version to version."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.control.catalogue.entry import ResourceCode, read_code
from services.control.catalogue.schema_steps import Step, read
from services.control.catalogue.text import printable
from services.control.store import snapshots
from services.control.store.snapshots import Document, Kind, Snapshot

_COLUMNS: Final = ("resource", "from", "to", "where", "what", "before", "now", "readers of the old version")


def schemas_command(
    code: Annotated[str, typer.Argument(help="A resource code, such as 3013205/000001.")],
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Show how the schemas of an entry's topics differ by version, and what readers cannot follow.

    By what the control process saw last; the registry is not asked.
    """
    wanted = read_code(code)
    if wanted is None:
        remedy = "write it as 3013205/000001"
        raise CommandFailed(ExitCode.USAGE, f"{code} is no resource code", "CODE", remedy)
    with open_control() as database, database.reading() as connection:
        looked = snapshots.all_of(connection, Kind.RESOURCE)
    found = _under(looked.documents, wanted)
    if not found:
        remedy = (
            "`govbus catalogue compare` shows which entries have a topic, once the control process looked"
        )
        raise CommandFailed(ExitCode.NEGATIVE, f"no topic was seen under {wanted}", "CODE", remedy)
    if wants_json(as_json, output):
        emit_json(_answer(looked, found))
        return
    moment = "never" if looked.as_of is None else looked.as_of.isoformat(timespec="seconds")
    table(f"Schemas under {wanted}, as of {moment}", _COLUMNS, list(_rows(found)))


def _under(documents: Mapping[str, Document], code: ResourceCode) -> dict[str, tuple[Step, ...]]:
    """The steps of each resource under a code, the newest first."""
    return {
        name: read(document.get("schema_steps", ()))[::-1]
        for name, document in documents.items()
        if read_code(str(document.get("code", ""))) == code
    }


def _answer(looked: Snapshot, found: Mapping[str, tuple[Step, ...]]) -> dict[str, Any]:
    return {
        "as_of": None if looked.as_of is None else looked.as_of.isoformat(),
        "resources": [
            {"resource": name, "steps": [each.document() for each in steps]} for name, steps in found.items()
        ],
    }


def _rows(found: Mapping[str, tuple[Step, ...]]) -> Iterator[tuple[str, ...]]:
    for name, steps in found.items():
        for step in steps:
            for each in step.changes:
                can = "cannot follow" if step.breaking(each) else "can follow"
                cells = (name, step.before, step.after, each.path, each.what.value, each.was, each.now, can)
                # A description may be anything, and a terminal obeys control characters.
                yield tuple(map(printable, cells))
