"""`govbus conflicts decide`: the authority's ruling on an item, given and carried out from the shell.

Where there is a control plane it is the same order as on a page: kept in the database, carried out by whoever
has the turn, the control process or this command. Without one the bus alone keeps it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from services.cli import bus
from services.cli.control import control_database
from services.cli.grant_running import Running, fresh_id, said, told
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
from services.cli.plan import Folder, load_declared
from services.control.cases.words import Problem
from services.control.ownership.decided import DecidedRuling, Given, Stage
from services.control.ownership.ruling import claimed_item
from services.control.ruled_definitions import known_of
from services.control.ruling_order import Affected, RulingOrder, Written, affected_by, standing_ruling
from services.control.rulings.wiring import ruling_order, ruling_worker
from services.control.rulings.worker import since
from services.control.store.database import ControlDatabase
from services.control.store.migrate import current, require_current
from services.control.store.rulings import orders
from services.stack.api import Stack
from services.stack.settings import StackSettings
from topics.event import ResourceId
from topics.ownership import Decision, ItemRuling

_LONGEST_WAIT_S: Final = 60.0
_LOOK_S: Final = 0.2
_AGAIN: Final = "it is carried on by itself; the same order given again says how far it is"
Answer = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command to `govbus conflicts`."""
    app.command("decide")(decide_command)


def decide_command(
    claimant: Annotated[str, typer.Argument(help="The claimant's resource.")],
    column: Annotated[str, typer.Argument(help="The column in which it publishes the item.")],
    decision: Annotated[Decision, typer.Option(help="Confirm the declared owner, or hand the item over.")],
    department: Annotated[str, typer.Option(help="The authority that decides; never a party.")],
    basis: Annotated[str, typer.Option(help="Document and article.")],
    why: Annotated[str, typer.Option("--why", help="The reasons; they stand in the ledger.")],
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """As the authority: decide who owns an item; the gate applies it, and no later apply undoes it."""
    declared = load_declared(definitions)
    running = Running.open()
    order = ruling_order(running.access, running.settings, declared)
    claimed = claimed_item(ResourceId(claimant), column, known_of(declared))
    given = Given(
        id=fresh_id("o"),
        claimant=ResourceId(claimant),
        column=column,
        owner=ResourceId("") if claimed is None else claimed[1].resource,
        item="" if claimed is None else claimed[1].item,
        decision=decision,
        basis=basis.strip(),
        text=why.strip(),
        by=bus.console_account(),
        department=department,
        at=datetime.now(UTC),
    )
    found = told(lambda: _decided(order, given))
    _answer(found, as_json=wants_json(as_json, output))


def _decided(order: RulingOrder, given: Given) -> Answer | tuple[Problem, ...]:
    """What it came to; whatever is against it is said before anything is kept."""
    affected = affected_by(given, order.definitions, order.bus.policy())
    if not isinstance(affected, Affected):
        return affected
    with _control_plane() as database:
        return _alone(order, given) if database is None else _kept(database, order, given)


@contextmanager
def _control_plane() -> Iterator[ControlDatabase | None]:
    """The control plane's database; None where none was ever made.

    Raises:
        StoreError: it does not serve, or its tables are older or newer than the program.
    """
    stack = Stack(StackSettings.from_environment())
    try:
        database = control_database(stack)
    except CommandFailed:
        yield None
        return
    try:
        if current(database).found is None:
            yield None
        else:
            require_current(database)
            yield database
    finally:
        database.close()


def _kept(database: ControlDatabase, order: RulingOrder, given: Given) -> Answer:
    """Give it as a page does, and carry it out unless the control process is at it."""
    with database.begin() as connection:
        kept, again = orders.give(connection, given)
    said(f"ruling {kept.given.id}: it is recorded")
    worker = ruling_worker(database, order, said)
    deadline = time.monotonic() + _LONGEST_WAIT_S
    while True:
        worked = worker.turn()
        with database.reading() as connection:
            kept = orders.by_number(connection, kept.number)
        if kept.is_over or kept.attempts or time.monotonic() > deadline:
            return _of_kept(order, kept, again=again)
        if not worked:
            time.sleep(_LOOK_S)


def _of_kept(order: RulingOrder, kept: DecidedRuling, *, again: bool) -> Answer:
    if kept.version is None or kept.stage is Stage.OVERTAKEN:
        what = f"ruling {kept.given.id} is recorded and not carried out: {kept.note or kept.stage.value}"
        raise CommandFailed(ExitCode.PENDING, what, "", _AGAIN)
    ruling = kept.given.item_ruling.model_copy(update={"since_version": kept.version})
    affected = Affected({}, {}, kept.losing)
    shown = _shown(order, ruling, affected, again=again, in_force=kept.in_force_at)
    return {**shown, "resources": list(kept.resources), "providers": _providers(order, kept.resources)}


def _alone(order: RulingOrder, given: Given) -> Answer | tuple[Problem, ...]:
    """Carry it out without a database; the same order finds what it did before."""
    standing = standing_ruling(given, order.bus.policy())
    if standing is not None:
        decided_at = datetime.fromtimestamp(standing.decided_ms / 1000, UTC)
        given = replace(given, id=standing.id, at=decided_at)
    found = order.write(given)
    if not isinstance(found, Written):
        return found
    answers = order.answers(found.ruling.since_version)
    in_force = None if answers.silent else since(answers, datetime.now(UTC))
    return _shown(order, found.ruling, found.affected, again=standing is not None, in_force=in_force)


def _shown(
    order: RulingOrder, ruling: ItemRuling, affected: Affected, *, again: bool, in_force: datetime | None
) -> Answer:
    """The shape that docs/cli/conflicts-decide.schema.json describes."""
    return {
        "ruling": ruling.model_dump(mode="json"),
        "resources": sorted(affected.resources),
        "losing": list(affected.losing),
        "providers": _providers(order, tuple(affected.resources)),
        "policy_version": ruling.since_version,
        "in_force_ms": None if in_force is None else int(in_force.timestamp() * 1000),
        "again": again,
    }


def _providers(order: RulingOrder, resources: tuple[ResourceId, ...]) -> list[str]:
    found = (order.definitions.resources.get(each) for each in resources)
    return sorted({each.provider for each in found if each is not None})


def _answer(found: Answer | tuple[Problem, ...], *, as_json: bool) -> None:
    if isinstance(found, dict):
        if as_json:
            emit_json({"decided": found, "problems": []})
        else:
            _print_decided(found)
        if found["in_force_ms"] is None:
            raise typer.Exit(ExitCode.PENDING)
        return
    if as_json:
        emit_json({"decided": None, "problems": plain(found)})
    else:
        rows = [[each.code, each.field, each.what, each.remedy] for each in found]
        table("Refused", ["code", "field", "what", "what to do"], rows)
    raise typer.Exit(ExitCode.REFUSED)


def _print_decided(found: Answer) -> None:
    ruling = found["ruling"]
    typer.echo(f"ruling {ruling['id']}: {ruling['decision']} {ruling['item']} of {ruling['owner']}")
    typer.echo(f"policy version {found['policy_version']}")
    if found["in_force_ms"] is None:
        typer.echo(f"not every instance of the gate has answered yet: {_AGAIN}")
    for grant in found["losing"]:
        typer.echo(f"grant {grant} shows the item of the old owner: it will be empty there")
    for provider in found["providers"]:
        typer.echo(f"records that do not change stay as they are; `govbus apply --recapture {provider}`")
