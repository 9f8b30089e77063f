"""`govbus conflicts decide`: the authority's ruling on an item, given and carried out from the shell.

It is the same order as on a page: kept in the database, carried out by whoever has the turn, the control
process or this command.
"""

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from services.cli.acting import Acting, As, acting
from services.cli.control import open_control
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
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.cases.words import Problem
from services.control.definitions import Definitions
from services.control.ownership.decided import DecidedRuling, Given, Stage
from services.control.ownership.ruling import claimed_item
from services.control.ruled_definitions import known_of
from services.control.ruling_order import Affected, RulingOrder, affected_by
from services.control.rulings.wiring import ruling_order, ruling_worker
from services.control.store.database import ControlDatabase
from services.control.store.rulings import orders
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
    who: As,
    basis: Annotated[str, typer.Option(help="Document and article.")],
    why: Annotated[str, typer.Option("--why", help="The reasons; they stand in the ledger.")],
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """As the authority: decide who owns an item; the gate applies it, and no later apply undoes it."""
    declared = load_declared(definitions)
    about = (ResourceId(claimant), column)
    with open_control() as database:
        by = ruler(database, declared, about[0], who)
        running = Running.open()
        order = ruling_order(running.access, running.settings, declared)
        given = _given(declared, about, decision, (basis.strip(), why.strip()), by)
        found = told(lambda: _decided(database, order, given))
    _answer(found, as_json=wants_json(as_json, output))


def ruler(database: ControlDatabase, declared: Definitions, claimant: ResourceId, login: str) -> Acting:
    """The account that rules, never one of the claimant's department.

    Raises:
        CommandFailed: there is no such account, or it may not.
    """
    resource = declared.resources.get(claimant)
    whose = Whose(provider=None if resource is None else resource.provider)
    with database.reading() as connection:
        return acting(connection, login, Action.CLAIM_DECIDE, whose)


def _given(
    declared: Definitions,
    about: tuple[ResourceId, str],
    decision: Decision,
    said_of_it: tuple[str, str],
    by: Acting,
) -> Given:
    """The ruling, with basis and reasons, on what the claimant's definition says of the column."""
    claimed = claimed_item(*about, known_of(declared))
    basis, why = said_of_it
    return Given(
        id=fresh_id("o"),
        claimant=about[0],
        column=about[1],
        owner=ResourceId("") if claimed is None else claimed[1].resource,
        item="" if claimed is None else claimed[1].item,
        decision=decision,
        basis=basis,
        text=why,
        by=by.id,
        department=by.person.department,
        at=datetime.now(UTC),
        recorder=by.console,
    )


def _decided(database: ControlDatabase, order: RulingOrder, given: Given) -> Answer | tuple[Problem, ...]:
    """What it came to; whatever is against it is said before anything is kept."""
    affected = affected_by(given, order.definitions, order.bus.policy())
    return _kept(database, order, given) if isinstance(affected, Affected) else affected


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
