"""`govbus catalogue retire`, and what is done with an announced end of a version: list, postpone, cancel."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError
from sqlalchemy import Connection

from services.cli.acting import As, acting
from services.cli.case_opened import Folder, declared
from services.cli.control import open_control
from services.cli.output import (
    CommandFailed,
    ExitCode,
    Form,
    Format,
    Json,
    emit_json,
    plain,
    table,
    wants_json,
)
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.catalogue.vocabulary import Language
from services.control.clocks.calendar import civil_day
from services.control.definitions import Definitions
from services.control.desk.catalogued import PublishedEntries, StoredCalendars
from services.control.desk.retiring import Refused as RefusedPlan
from services.control.desk.retiring import Retiring
from services.control.retirements.plan import By, Retirement, Wish
from services.control.retirements.settings import PREFIX, RetirementSettings
from services.control.retirements.wording import in_words
from services.control.retirements.words import State
from services.control.store.retirements.reading import by_id, listed, of_resources
from topics.event import ResourceId

Old = Annotated[
    str, typer.Argument(metavar="OLD", help="The version that ends, such as population.person.v1.")
]
On = Annotated[
    datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="The first day without the old version.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is shown to everybody and kept.")]
_COLUMNS: Final = ("old", "new", "state", "parallel_from", "retires_on", "why")
Done = Retirement | RefusedPlan


def register(app: typer.Typer) -> None:
    """Add the commands to `govbus catalogue`."""
    commands: Mapping[str, Callable[..., None]] = {
        "retire": retire_command,
        "retirements": list_command,
        "postpone-retirement": postpone_command,
        "cancel-retirement": cancel_command,
    }
    for name, command in commands.items():
        app.command(name)(command)


def retire_command(
    old: Old,
    new: Annotated[str, typer.Option("--by", help="The newer version that follows it.")],
    on: On,
    reason: Reason,
    who: As,
    begin: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="The first day with both versions; today if not."),
    ] = None,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Announce that a version ends: everybody who has it is told, and on the day its cases end."""
    known = declared(definitions)
    resource = known.resources.get(ResourceId(old))
    if resource is None:
        raise CommandFailed(ExitCode.USAGE, f"{old} is not declared", "OLD", "`govbus plan` shows what is")
    days, now = _working_days(), datetime.now(UTC)
    wish = Wish(resource.id, ResourceId(new), begin.date() if begin else civil_day(now), on.date(), reason)
    with open_control() as database, database.begin() as connection:
        by = _by(connection, who, resource.provider, now)
        done = _retiring(known).plan(connection, wish, resource.provider, days, by)
    _answer(done, as_json=wants_json(as_json, output))


def list_command(
    state: Annotated[State | None, typer.Option(help="Only those that stand there.")] = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List which versions end when, and by which one each is followed, the newest first."""
    with open_control() as database, database.reading() as connection:
        found = listed(connection, state)
    if wants_json(as_json, output):
        emit_json({"items": [_row(each) for each in found]})
    else:
        _print(found)


def postpone_command(
    old: Old,
    on: On,
    reason: Reason,
    who: As,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Let a version end later; a day is never brought forward: cancel, and announce anew."""
    retiring = _retiring(declared(definitions))
    _changed(
        old,
        who,
        lambda connection, found, by: retiring.postpone(connection, found, on.date(), reason, by),
        as_json=wants_json(as_json, output),
    )


def cancel_command(
    old: Old,
    reason: Reason,
    who: As,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Let a version stay after all."""
    retiring = _retiring(declared(definitions))
    _changed(
        old,
        who,
        lambda connection, found, by: retiring.cancel(connection, found, reason, by),
        as_json=wants_json(as_json, output),
    )


def _changed(
    old: str, login: str, change: Callable[[Connection, Retirement, By], Done], *, as_json: bool
) -> None:
    with open_control() as database, database.begin() as connection:
        found = _standing(connection, ResourceId(old))
        done = change(connection, found, _by(connection, login, found.provider, datetime.now(UTC)))
    _answer(done, as_json=as_json)


def _standing(connection: Connection, old: ResourceId) -> Retirement:
    """The retirement of a version, which nobody else changes meanwhile.

    Raises:
        CommandFailed: there is none.
    """
    known = of_resources(connection, [old]).get(old)
    found = None if known is None else by_id(connection, known.id, lock=True)
    if found is None:
        remedy = "`govbus catalogue retirements` lists them"
        raise CommandFailed(ExitCode.NEGATIVE, f"{old} is not to be retired", "OLD", remedy)
    return found


def _by(connection: Connection, login: str, provider: str, now: datetime) -> By:
    """Which account decides it, and who enters it.

    Raises:
        CommandFailed: there is no such account, or it may not.
    """
    who = acting(connection, login, Action.CATALOGUE_RETIRE, Whose(provider=provider))
    return By(who.console, who.role.value, who.person.department, now, who.id)


def _retiring(known: Definitions) -> Retiring:
    return Retiring(PublishedEntries(known), StoredCalendars())


def _working_days() -> int:
    try:
        return RetirementSettings.from_environment().working_days
    except ValidationError as error:
        what = f"{PREFIX}WORKING_DAYS is no number of working days"
        raise CommandFailed(ExitCode.USAGE, what, "", "set it to a whole number from 1") from error


def _answer(done: Done, *, as_json: bool) -> None:
    if isinstance(done, Retirement):
        if as_json:
            emit_json({"retirement": _row(done), "problems": []})
        else:
            _print([done])
        return
    problems = [in_words(each, Language.EN) for each in done]
    if as_json:
        emit_json({"retirement": None, "problems": plain(problems)})
    else:
        rows = [[each.code, each.field, each.what, each.remedy] for each in problems]
        table("Refused", ["code", "field", "what", "what to do"], rows)
    raise typer.Exit(ExitCode.REFUSED)


def _print(found: Sequence[Retirement]) -> None:
    rows = [[_row(each)[name] for name in _COLUMNS] for each in found]
    table("Versions that end", _COLUMNS, rows)


def _row(found: Retirement) -> dict[str, Any]:
    """One retirement of docs/cli/catalogue-retire.schema.json."""
    row: dict[str, Any] = plain(found)
    return row | {"announced_at": found.announced_at.isoformat()}
