"""`govbus policy adopt | show | simulate`: which packs new cases are bound to, what others would do."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from services.cli.acting import As, acting
from services.cli.control import open_control
from services.cli.output import (
    CommandFailed,
    ExitCode,
    Form,
    Format,
    Json,
    emit_json,
    one_of,
    table,
    wants_json,
)
from services.control.accounts.actions import Action
from services.control.clocks.calendar import civil_day
from services.control.clocks.merge import CorrectPacks, merge
from services.control.clocks.pack import Pack
from services.control.clocks.pack_file import PacksInvalid, load_packs
from services.control.docket.bound import Bound, bound
from services.control.docket.filed import Filed
from services.control.docket.simulating import Late, replayed
from services.control.store.cases.policies import Adopted, adopt, adopted
from services.control.store.cases.reading import each_case
from services.control.store.clocks.calendars import read_calendar
from services.control.store.clocks.packs import read_packs
from services.control.store.outbox import Act, Fact, append

app = typer.Typer(help="The policy packs that cases are bound to.", no_args_is_help=True)

Folder = Annotated[
    Path | None, typer.Option("--packs", help="A folder with policy packs instead of those in the database.")
]
_MANY = 500


@app.callback()
def policy() -> None:
    """The policy packs that cases are bound to."""


@app.command("adopt")
def adopt_command(
    pack: Annotated[list[str], typer.Argument(help="Packs, at most one of each level.")],
    reason: Annotated[str, typer.Option(help="Why these.")],
    who: As,
    dispute_level: Annotated[
        list[str] | None,
        typer.Option(help="A department that rules on disputes, the lowest level first; may be given again."),
    ] = None,
    folder: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Bind the cases that are opened from now on to these packs; those that are open keep theirs."""
    now = datetime.now(UTC)
    with open_control() as database, database.begin() as connection:
        by = acting(connection, who, Action.POLICY_CHANGE_PACKS)
        made = _merged(_chosen(connection, folder, pack), now, tuple(dispute_level or ()))
        done = adopt(connection, made, by.id, now, reason)
        facts: dict[str, Fact] = {"number": done.number, "for": by.id}
        append(connection, Act(by.console, "policy.adopt", "case-policy", done.digest, now, facts=facts))
    _tell(done, wants_json(as_json, output))


@app.command("show")
def show_command(as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Show the policy that new cases are bound to (exit code 1 where there is none yet)."""
    with open_control() as database, database.reading() as connection:
        found = adopted(connection)
    if found is None:
        raise CommandFailed(
            ExitCode.NEGATIVE, "no policy is adopted yet", "", "`govbus policy adopt` binds cases"
        )
    _tell(found, wants_json(as_json, output))


@app.command("simulate")
def simulate_command(
    pack: Annotated[list[str], typer.Argument(help="Packs; each stands in for the one of its level.")],
    folder: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Replay all cases under other packs, and list the duties that are late under them."""
    now = datetime.now(UTC)
    with open_control() as database, database.reading() as connection:
        packs = _chosen(connection, folder, pack)
        count, late = _replayed(connection, packs, now)
    rows = [asdict(each) for each in late]
    fresh = sum(not each.was_late for each in late)
    if wants_json(as_json, output):
        emit_json(
            {"packs": [each.id for each in packs], "cases": count, "late_only_then": fresh, "late": rows}
        )
    else:
        names = ("case", "provider", "stage", "due_on", "was_due_on", "was_late", "open")
        table(f"Late of {count} cases", names, [[row[name] for name in names] for row in rows])


def _replayed(connection: Connection, packs: list[Pack], now: datetime) -> tuple[int, list[Late]]:
    calendar, today = read_calendar(connection), civil_day(now)
    late: list[Late] = []
    count = 0
    for _, found in replayed(_all(connection), packs, calendar, today):
        late += found
        count += 1
    return count, late


def _all(connection: Connection) -> Iterator[Filed]:
    after = 0
    while some := list(each_case(connection, after, _MANY)):
        yield from (filed for _, filed in some)
        after = some[-1][0].number


def _chosen(connection: Connection, folder: Path | None, names: list[str]) -> list[Pack]:
    known = _packs(connection, folder)
    for name in names:
        one_of(name, known, "pack", "PACK")
    return [known[name] for name in dict.fromkeys(names)]


def _packs(connection: Connection, folder: Path | None) -> Mapping[str, Pack]:
    if folder is None:
        return read_packs(connection)
    try:
        return load_packs(folder)
    except PacksInvalid as error:
        first, *others = error.errors
        remedy = "\n".join(["correct the pack", *map(str, others)])
        raise CommandFailed(ExitCode.USAGE, str(first), "--packs", remedy) from error


def _merged(packs: list[Pack], now: datetime, dispute_levels: tuple[str, ...]) -> Bound:
    try:
        return bound(merge(packs, civil_day(now)), dispute_levels)
    except CorrectPacks as error:
        raise CommandFailed(ExitCode.USAGE, error.what, error.where, error.remedy) from error


def _tell(found: Adopted, as_json: bool) -> None:
    rules = found.policy.rules({})
    shape = {
        "number": found.number,
        "digest": found.digest,
        "adopted_at": found.at.isoformat(),
        "adopted_by": found.by,
        "reason": found.reason,
        "packs": [asdict(each) for each in found.policy.packs],
        "rules": asdict(rules),
    }
    if as_json:
        emit_json(shape)
        return
    rows = [[each.level, each.id, each.version, each.standing] for each in found.policy.packs]
    table(f"Policy {found.number}", ("level", "pack", "version", "standing"), rows)
    table("Rules", ("rule", "value"), [[name, value] for name, value in asdict(rules).items()])
