"""`govbus conflicts items` and `decide`: items that two departments publish, and the ruling on one."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from schemas.registry import RegistryUnavailable
from services.cli import bus
from services.cli.acting import Acting, As, acting
from services.cli.control import open_control
from services.cli.grant_running import Running, fresh_id, said, told
from services.cli.output import ExitCode, Form, Format, Json, emit_json, plain, table, wants_json
from services.cli.plan import Folder, carried_out, load_declared
from services.cli.policy import without_sample_grants
from services.cli.reveal import Reveal, Why, at_provider, record_reveals
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.apply import Apply
from services.control.cases.words import Problem
from services.control.definitions import Definitions
from services.control.ownership.ruling import Ruling
from services.control.ruling_order import Decided, RulingOrder
from services.control.suspension.finish import now_ms
from services.control.suspension.kafka_bus import KafkaBus
from services.ledger.claims import claimants, read_claims
from services.ledger.item_conflicts import ItemConflict, item_conflicts
from services.ledger.masking import MASKED
from services.stack.api import Stack
from services.stack.settings import StackSettings
from topics.event import ResourceId
from topics.ownership import Decision

_VALUES = ("subject", "claimed", "then", "current")


def register(app: typer.Typer) -> None:
    """Add both commands to `govbus conflicts`."""
    app.command("items")(items_command)
    app.command("decide")(decide_command)


def items_command(
    undecided: Annotated[bool, typer.Option("--undecided", help="Only what nobody has ruled on.")] = False,
    pairs: Annotated[
        int, typer.Option(help="How many differing values to show of each, at most.", min=0)
    ] = 5,
    reveal: Reveal = False,
    why: Why = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List items that two departments publish: who claims them since when, and which values differ.

    Values of two departments stand side by side: no account may see both, so the machine's user looks.
    """
    with bus.open_bus() as opened:
        providers = claimants(opened.lookup.reader)
        if reveal:
            looks = [at_provider(one, f"claims.{one}", "claims") for one in providers]
            record_reveals(opened, looks, None, why)
        views = [view for one in providers for view in read_claims(opened.lookup, one)]
        policies = opened.lookup.policies
    found = item_conflicts(views, policies[max(policies)] if policies else None, pairs)
    rows = [as_row(each, reveal=reveal) for each in found if not (undecided and each.ruling)]
    if wants_json(as_json, output):
        emit_json({"items": rows, "revealed": reveal})
    else:
        _print(rows)


def as_row(conflict: ItemConflict, *, reveal: bool) -> dict[str, Any]:
    """One conflict of docs/cli/conflicts-items.schema.json."""
    row: dict[str, Any] = plain(conflict) | {
        "ruling": None if conflict.ruling is None else conflict.ruling.model_dump(mode="json")
    }
    row["pairs"] = [_pair(pair, reveal=reveal) for pair in row["pairs"]]
    return row


def _pair(pair: dict[str, Any], *, reveal: bool) -> dict[str, Any]:
    shown = {name: pair[name] for name in ("at", "raw", "timestamp_ms", *_VALUES)}
    if reveal:
        return shown
    return shown | {name: MASKED for name in _VALUES if shown[name] is not None}


def _print(rows: list[dict[str, Any]]) -> None:
    columns = ("claimant_resource", "column", "owner", "owner_resource", "item", "claims", "differing")
    table(
        "Items that two departments publish",
        [*columns, "since", "last", "ruling"],
        [
            (
                *(row[name] for name in columns),
                _instant(row["since_ms"]),
                _instant(row["last_ms"]),
                "" if row["ruling"] is None else f"{row['ruling']['decision']} ({row['ruling']['id']})",
            )
            for row in rows
        ],
    )
    table(
        "Values that differ, the newest last",
        ["item", "raw record", "claimed", "owner then", "owner now"],
        [
            (row["item"], pair["raw"], pair["claimed"], pair["then"], pair["current"])
            for row in rows
            for pair in row["pairs"]
        ],
    )


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


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
    by = ruler(declared, ResourceId(claimant), who)
    ruling = Ruling(ResourceId(claimant), column, decision, by.actor, basis.strip(), why.strip())
    running = Running.open()
    if definitions is None:
        declared = without_sample_grants(declared, Stack(StackSettings.from_environment()))

    def apply() -> int:
        said("the ruling stands; what it changes is carried out now")
        applied = carried_out(Apply(running.access, declared, said, running.settings))
        if "registry" in applied.held_back:
            raise RegistryUnavailable("it is decided, and the registry is needed to carry it out")
        return applied.policy_version

    order = RulingOrder(
        KafkaBus(running.access, running.access.admin(), running.settings),
        declared,
        apply,
        now_ms,
        by.console,
    )
    found = told(lambda: order.decide(ruling, fresh_id("o")))
    _answer(found, as_json=wants_json(as_json, output))


def ruler(declared: Definitions, claimant: ResourceId, login: str) -> Acting:
    """The account that rules, never one of the claimant's department.

    Raises:
        CommandFailed: there is no such account, or it may not.
    """
    resource = declared.resources.get(claimant)
    whose = Whose(provider=None if resource is None else resource.provider)
    with open_control() as database, database.reading() as connection:
        return acting(connection, login, Action.CLAIM_DECIDE, whose)


def _answer(found: Decided | tuple[Problem, ...], *, as_json: bool) -> None:
    if isinstance(found, Decided):
        if as_json:
            emit_json({"decided": found.as_json(), "problems": []})
        else:
            _print_decided(found)
        return
    if as_json:
        emit_json({"decided": None, "problems": plain(found)})
    else:
        rows = [[each.code, each.field, each.what, each.remedy] for each in found]
        table("Refused", ["code", "field", "what", "what to do"], rows)
    raise typer.Exit(ExitCode.REFUSED)


def _print_decided(found: Decided) -> None:
    ruling = found.ruling
    typer.echo(f"ruling {ruling.id}: {ruling.decision.value} {ruling.item} of {ruling.owner}")
    typer.echo(f"policy version {found.policy_version}")
    for grant in found.affected.losing:
        typer.echo(f"grant {grant} shows the item of the old owner: it will be empty there")
    for provider in found.as_json()["providers"]:
        typer.echo(f"records that do not change stay as they are; `govbus apply --recapture {provider}`")
