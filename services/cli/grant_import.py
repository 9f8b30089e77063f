"""`govbus grant import`: makes cases of the grants that definitions declared, once."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from services.cli import bus
from services.cli.case_opened import Folder, the_desk
from services.cli.control import open_control
from services.cli.grant_running import Running, told
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.control.docket.filed import Filed
from services.control.provisioning.importing import Import, Imported, ImportOvertaken, ImportRefused
from services.control.store.ids import new_id
from services.control.suspension.kafka_bus import KafkaBus

_COLUMNS = ("number", "grant", "consumer", "resource", "state")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("import")(import_command)


def import_command(
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with each case, with your name.")],
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Make a case of each grant in force, once; from then on cases decide, and `apply` refuses grant files.

    Interrupted, run it again. The policy packs that cases are bound to must be adopted before.
    """
    if not reason.strip():
        raise CommandFailed(ExitCode.USAGE, "the reason is missing", "--reason", "say why in --reason")
    running, desk = Running.open(), the_desk(definitions)
    with open_control() as database:
        policy = KafkaBus(running.access, running.access.admin(), running.settings)
        order = Import(
            database, desk, policy, new_id, bus.console_account(), reason.strip(), datetime.now(UTC)
        )
        imported = told(lambda: _imported(order))
    shape = _shape(imported)
    if wants_json(as_json, output):
        emit_json(shape)
        return
    if imported.repeated:
        typer.echo("cases decide about grants already; nothing was done")
    table("Imported", _COLUMNS, [[case[name] for name in _COLUMNS] for case in shape["cases"]])
    typer.echo("From now on take the folder grants/ out of the definitions: `govbus apply` refuses it.")


def _imported(order: Import) -> Imported:
    try:
        return order.run()
    except ImportRefused as error:
        first, *others = error.problems
        remedy = "\n".join([first.remedy, *(f"{each.what}: {each.remedy}" for each in others)])
        raise CommandFailed(ExitCode.REFUSED, first.what, "nothing was imported", remedy) from error
    except ImportOvertaken as error:
        raise CommandFailed(ExitCode.REFUSED, str(error), "", "give the same order again") from error


def _shape(imported: Imported) -> dict[str, Any]:
    return {
        "policy_version": imported.policy_version,
        "repeated": imported.repeated,
        "cases": [_case(each) for each in imported.cases],
    }


def _case(filed: Filed) -> dict[str, Any]:
    case = filed.case
    return {
        "case": case.opening.id,
        "number": filed.number,
        "grant": case.opening.grant,
        "consumer": case.opening.applicant,
        "resource": case.application.resource,
        "state": case.state.value,
    }
