"""`govbus catalogue import | search | list | show | step`: the catalogue in the control plane's database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection

from services.cli.acting import As, AsOrNobody, acting
from services.cli.bus import console_account
from services.cli.catalogue_input import (
    ConditionLevels,
    DenialLevels,
    File,
    NoBasis,
    Speech,
    moving,
    read_file,
    rules_of,
)
from services.cli.catalogue_parties import credit_code_of, strangers_to
from services.cli.catalogue_store_view import (
    imported_answer,
    listed_answer,
    print_imported,
    print_listed,
    print_shown,
    print_taken,
    shown_answer,
    taken_answer,
)
from services.cli.catalogue_view import print_checked
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, wants_json
from services.control.accounts.actions import Action as Permitted
from services.control.accounts.decision import Whose
from services.control.catalogue.entry import Entry, ResourceCode, read_code
from services.control.catalogue.importing import Rejected
from services.control.catalogue.lifecycle import Action, Actor, Refused, Role, State
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.vocabulary import (
    BasisLevel,
    Cycle,
    Language,
    Library,
    OpenType,
    ResourceClass,
)
from services.control.store.accounts.departments import ids_of
from services.control.store.catalogue.accepting import rules_now
from services.control.store.catalogue.dossiers import Stored, by_code
from services.control.store.catalogue.listing import MOST, Cursor, Facet, Question, count, facets, page
from services.control.store.catalogue.loading import Clash, Loaded, Loading, NotLoaded, load
from services.control.store.catalogue.steps import ASKED, Asked, take_step
from services.control.store.database import ControlDatabase, take_back
from services.control.store.ids import new_id
from topics.resource import ShareType

Why = Annotated[str, typer.Option("--why", help="The reason, which is kept with the step.")]
Code = Annotated[str, typer.Argument(help="A resource code, such as 3013205/000001.")]
Published = Annotated[bool, typer.Option("--published", help="Only what is published.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=MOST, help="Entries of one page.")]
After = Annotated[str | None, typer.Option("--after", help="Go on after this cursor of the page before.")]
_STEPS: Final = ", ".join(each.value for each in ASKED)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked of entries: by which account, when, why; since when it is so, under which filing."""

    login: str
    now: datetime
    why: str
    changed_on: date | None
    filing: str


def register(app: typer.Typer) -> None:
    """Add the commands to `govbus catalogue`."""
    commands: Mapping[str, Callable[..., None]] = {
        "import": import_command,
        "search": search_command,
        "list": list_command,
        "show": show_command,
        "step": step_command,
    }
    for name, command in commands.items():
        app.command(name)(command)


def import_command(
    file: File,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do all of it, say what came of it, and take it back.")
    ] = False,
    why: Why = "",
    who: AsOrNobody = None,
    denial_basis: DenialLevels = None,
    condition_basis: ConditionLevels = None,
    condition_without_basis: NoBasis = False,
    language: Speech = Language.EN,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Take a catalogue's file into the store whole, as drafts, or nothing of it (exit code 1).

    New codes become drafts, drafts get the new content, what is published or withdrawn gets a new draft
    beside it. What is under review stands against the import. Entries that the file does not name stay.
    With --as they are all of that account's department; without it the machine's user brings the drafts of
    all departments, and each department submits its own.
    """
    rules = _rules(denial_basis, condition_basis, condition_without_basis)
    read, source = read_file(file, rules)
    done: Loaded | NotLoaded | None = None
    if not isinstance(read, Rejected):
        loading = Loading(console_account(), _now(), why or f"import of {file.name}", rules, new_id)
        done = _loaded(read.entries, loading, dry_run, who)
    if wants_json(as_json, output):
        emit_json(imported_answer(file, read, done, dry_run))
    elif done is None:
        print_checked(read, source, language)
    else:
        print_imported(done, dry_run, language)
    if not isinstance(done, Loaded):
        raise typer.Exit(ExitCode.NEGATIVE)


def search_command(
    words: Annotated[
        list[str], typer.Argument(help="Words, parts of them, or pinyin initials; all must fit.")
    ],
    published: Published = False,
    limit: Limit = 50,
    after: After = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Find entries by words of name, items, provider, summary and code, best matches first."""
    _answer_list(Question(" ".join(words), {}, published), limit, after, wants_json(as_json, output))


def list_command(
    published: Published = False,
    state: Annotated[list[State] | None, typer.Option(help="State of the newest version.")] = None,
    provider: Annotated[list[str] | None, typer.Option(help="Credit code of the provider.")] = None,
    share_type: Annotated[list[ShareType] | None, typer.Option()] = None,
    open_type: Annotated[list[OpenType] | None, typer.Option()] = None,
    resource_class: Annotated[list[ResourceClass] | None, typer.Option("--class")] = None,
    library: Annotated[list[Library] | None, typer.Option()] = None,
    update_cycle: Annotated[list[Cycle] | None, typer.Option()] = None,
    limit: Limit = 50,
    after: After = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List entries by code; each option may be given several times, and any of its values fits."""
    chosen: dict[Facet, list[Any] | None] = {
        Facet.STATE: state,
        Facet.PROVIDER: provider,
        Facet.SHARE_TYPE: share_type,
        Facet.OPEN_TYPE: open_type,
        Facet.RESOURCE_CLASS: resource_class,
        Facet.LIBRARY: library,
        Facet.UPDATE_CYCLE: update_cycle,
    }
    given = {facet: frozenset(map(str, values)) for facet, values in chosen.items() if values}
    _answer_list(Question("", given, published), limit, after, wants_json(as_json, output))


def show_command(code: Code, as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Show an entry: what it says, its versions, and each step with who, when and why."""
    wanted = _code(code)
    with open_control() as database, database.reading() as connection:
        stored = _found(connection, wanted)
    if wants_json(as_json, output):
        emit_json(shown_answer(stored))
    else:
        print_shown(stored)


def step_command(
    action: Annotated[Action, typer.Argument(help=f"One of: {_STEPS}.")],
    codes: Annotated[list[str], typer.Argument(metavar="CODE...", help="Resource codes.")],
    who: As,
    changed_on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="With revise: when the law or the function changed."),
    ] = None,
    filing: Annotated[
        str, typer.Option("--filing", help="With register of a revision: the number of its filing.")
    ] = "",
    why: Why = "",
    denial_basis: DenialLevels = None,
    condition_basis: ConditionLevels = None,
    condition_without_basis: NoBasis = False,
    language: Speech = Language.EN,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Take entries a step further in their life, all of them or none (exit code 4 if a rule refuses one)."""
    if action not in ASKED:
        raise CommandFailed(ExitCode.USAGE, f"{action.value} is no step", "ACTION", f"use one of: {_STEPS}")
    rules = _rules(denial_basis, condition_basis, condition_without_basis)
    wanted = list(dict.fromkeys(map(_code, codes)))
    changed = None if changed_on is None else changed_on.date()
    with open_control() as database:
        taken = _taken(database, wanted, action, _Wish(who, _now(), why, changed, filing), rules)
    refused = any(isinstance(each, Refused) for each in taken.values())
    if wants_json(as_json, output):
        emit_json(taken_answer(action, taken, done=not refused))
    else:
        print_taken(action, taken, language)
    if refused:
        raise typer.Exit(ExitCode.REFUSED)


def _rules(
    denial: list[BasisLevel] | None, condition: list[BasisLevel] | None, without_basis: bool
) -> CatalogueRules:
    """What the options name; without them what the adopted policy accepts. Filings are its own to ask for."""
    with open_control() as database, database.reading() as connection:
        accepted = rules_now(connection)
    if denial or condition or without_basis:
        named = rules_of(denial, condition, without_basis)
        return replace(named, revisions_filed=accepted.revisions_filed)
    return accepted


def _loaded(
    entries: tuple[Entry, ...], loading: Loading, dry_run: bool, login: str | None
) -> Loaded | NotLoaded:
    with open_control() as database, moving("entry") as moved, database.begin() as connection:
        strangers: tuple[Clash, ...] = ()
        if login is not None:
            who = acting(connection, login, Permitted.CATALOGUE_IMPORT)
            loading = replace(loading, person=who.id, recorder=who.console)
            strangers = tuple(strangers_to(entries, credit_code_of(connection, who)))
        done = NotLoaded(strangers) if strangers else load(connection, entries, loading, moved)
        if dry_run or isinstance(done, NotLoaded):
            take_back(connection)
    return done


def _taken(
    database: ControlDatabase, codes: list[ResourceCode], action: Action, wish: _Wish, rules: CatalogueRules
) -> dict[ResourceCode, Stored | Refused]:
    """What became of each entry; where one is refused, none has moved."""
    taken: dict[ResourceCode, Stored | Refused] = {}
    with database.begin() as connection:
        for code in codes:
            stored = _found(connection, code)
            taken[code] = take_step(
                connection, stored, action, _asked(connection, stored, action, wish), rules
            )
        if any(isinstance(each, Refused) for each in taken.values()):
            take_back(connection)
    return taken


def _asked(connection: Connection, stored: Stored, action: Action, wish: _Wish) -> Asked:
    """The step as the life cycle knows it, by an account that may take it.

    Raises:
        CommandFailed: there is no such account, or it may not.
    """
    code = stored.dossier.department
    whose = Whose(provider=ids_of(connection, [code]).get(code))
    who = acting(connection, wish.login, Permitted(f"catalogue.{action.value}"), whose)
    actor = Actor(who.id, Role(who.role.value), credit_code_of(connection, who))
    return Asked(actor, wish.now, wish.why, wish.changed_on, who.console, wish.filing)


def _answer_list(question: Question, limit: int, after: str | None, as_json: bool) -> None:
    cursor = None if after is None else Cursor(after)
    with open_control() as database, database.reading() as connection:
        found, total = page(connection, question, limit, cursor), count(connection, question)
        counted = facets(connection, question)
    if as_json:
        emit_json(listed_answer(found, total, counted))
    else:
        print_listed(found, total, counted)


def _found(connection: Connection, code: ResourceCode) -> Stored:
    stored = by_code(connection, code)
    if stored is None:
        remedy = "`govbus catalogue search WORDS` finds entries by their names"
        raise CommandFailed(ExitCode.NEGATIVE, f"there is no entry {code}", "CODE", remedy)
    return stored


def _code(text: str) -> ResourceCode:
    code = read_code(text)
    if code is None:
        remedy = "write it as 3013205/000001"
        raise CommandFailed(ExitCode.USAGE, f"{text} is no resource code", "CODE", remedy)
    return code


def _now() -> datetime:
    return datetime.now(UTC)
