"""`govbus account …`: departments, accounts and roles, from the console of whoever runs the control plane.

The console stands above the table of permissions, since it holds the database's password; the separation of
duties binds it all the same, and each act is recorded as the console's.
"""

import secrets
from typing import Annotated

import typer

from services.cli import account_token, account_view
from services.cli.account_console import console, named, told
from services.cli.control import open_control
from services.cli.output import Form, Format, Json, emit_json, note, table, wants_json
from services.control.accounts.hashing import Hasher
from services.control.accounts.people import Department, Person
from services.control.accounts.roles import Role
from services.control.catalogue.entry import Contact, Contacts
from services.control.signing_in.local import LocalLogins
from services.control.store.accounts import departments, passwords, persons, roles
from services.control.store.accounts.identities import is_linked
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id

app = typer.Typer(help="Departments, accounts, roles and tokens.", no_args_is_help=True)
app.add_typer(account_token.app, name="token")

Login = Annotated[str, typer.Argument(help="The login name.")]
Reason = Annotated[str, typer.Option("--why", help="Why, for the record; no personal data.")]


@app.callback()
def account() -> None:
    """Departments, accounts, roles and tokens."""


@app.command("department")
def department_command(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As definitions name it, such as police.")],
    zh: Annotated[str, typer.Option(help="Its name in Chinese.")],
    en: Annotated[str, typer.Option(help="Its name in English.")],
    credit_code: Annotated[str, typer.Option(help="Its unified social credit code.")],
    head: Annotated[str, typer.Option(help='第一责任人: "NAME TELEPHONE".')],
    deputy: Annotated[str, typer.Option(help='分管负责人: "NAME TELEPHONE".')],
    clerk: Annotated[str, typer.Option(help='专人: "NAME TELEPHONE".')],
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Add a department with its three named persons, or replace what is known of it."""
    contacts = Contacts(_contact(head), _contact(deputy), _contact(clerk))
    wanted = Department(id_, zh, en, credit_code, contacts)
    with open_control() as database, told(), database.begin() as connection:
        if departments.department_of(connection, id_) is None:
            departments.add_department(connection, wanted, console())
        else:
            departments.edit_department(connection, wanted, console())
    account_view.show_departments([wanted], wants_json(as_json, output))


@app.command("departments")
def departments_command(as_json: Json = False, output: Form = Format.TABLE) -> None:
    """List the departments with their three named persons."""
    with open_control() as database, database.reading() as connection:
        found = departments.departments(connection)
    account_view.show_departments(found, wants_json(as_json, output))


@app.command("add")
def add_command(
    login: Login,
    name: Annotated[str, typer.Option(help="The person's name.")],
    department: Annotated[str, typer.Option(help="The id of the department.")],
    role: Annotated[list[Role] | None, typer.Option(help="A role; repeatable within one duty.")] = None,
    email: Annotated[str, typer.Option(help="Where notices go.")] = "",
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Add a local account. Its first password is printed once, and must be changed before anything else."""
    order = console()
    made = Person(new_id(order.now), login, name, department, email=email)
    with open_control() as database, told(), database.begin() as connection:
        persons.add_person(connection, made, order)
        for each in role or []:
            roles.give_role(connection, made.id, each, order)
        password = _logins(database).reset(connection, made.id, order)
        added = persons.lock_person(connection, made.id)
    _show_password(added, password, wants_json(as_json, output))


@app.command("list")
def list_command(
    department: Annotated[str | None, typer.Option(help="Only this department's.")] = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List accounts with their roles."""
    with open_control() as database, database.reading() as connection:
        found = persons.people(connection, department)
    account_view.show_people(found, wants_json(as_json, output))


@app.command("disable")
def disable_command(
    login: Login, why: Reason = "", as_json: Json = False, output: Form = Format.TABLE
) -> None:
    """Switch an account off at once, with its sessions and tokens."""
    with open_control() as database, told(), database.begin() as connection:
        id_ = named(connection, login).id
        persons.disable(connection, id_, console(why))
        found = persons.lock_person(connection, id_)
    account_view.show_people([found], wants_json(as_json, output))


@app.command("enable")
def enable_command(
    login: Login, why: Reason = "", as_json: Json = False, output: Form = Format.TABLE
) -> None:
    """Switch an account on again; sessions and tokens that it had stay closed."""
    with open_control() as database, told(), database.begin() as connection:
        id_ = named(connection, login).id
        persons.enable(connection, id_, console(why))
        found = persons.lock_person(connection, id_)
    account_view.show_people([found], wants_json(as_json, output))


@app.command("reset-password")
def reset_command(login: Login, why: Reason = "", as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Give an account a new first password, printed once; its sessions end and its lockout is lifted."""
    with open_control() as database, told(), database.begin() as connection:
        found = named(connection, login)
        password = _logins(database).reset(connection, found.id, console(why))
        changed = persons.lock_person(connection, found.id)
    _show_password(changed, password, wants_json(as_json, output))


@app.command("role")
def role_command(
    login: Login,
    give: Annotated[list[Role] | None, typer.Option(help="A role to give; repeatable.")] = None,
    take: Annotated[list[Role] | None, typer.Option(help="A role to take; repeatable.")] = None,
    oversee: Annotated[
        list[str] | None, typer.Option(help="A department that an overseer may look at; * is all.")
    ] = None,
    why: Reason = "",
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Take and give roles, in this order; nobody may have two duties (exit code 4)."""
    if not (give or take or oversee):
        raise typer.BadParameter("give --give, --take or --oversee")
    order = console(why)
    with open_control() as database, told(), database.begin() as connection:
        id_ = named(connection, login).id
        for each in take or []:
            roles.take_role(connection, id_, each, order)
        for each in give or []:
            roles.give_role(connection, id_, each, order)
        if oversee:
            roles.set_oversight(connection, id_, oversee, order)
        found = persons.lock_person(connection, id_)
        without = bool(give) and not passwords.hashes(connection, id_) and not is_linked(connection, id_)
    account_view.show_people([found], wants_json(as_json, output))
    if without:
        note(f"The account has no password: `govbus account reset-password {login}` makes one.")


@app.command("permissions")
def permissions_command(as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Print the one table of permissions, in Chinese and English; needs nothing that runs."""
    account_view.show_permissions(wants_json(as_json, output))


def _logins(database: ControlDatabase) -> LocalLogins:
    return LocalLogins(database, Hasher(), secrets.token_bytes)


def _contact(text: str) -> Contact:
    name, _, phone = text.strip().rpartition(" ")
    return Contact(name.strip(), phone)


def _show_password(person: Person, password: str, as_json: bool) -> None:
    if as_json:
        emit_json(account_view.person_row(person) | {"password": password})
        return
    account_view.show_people([person], False)
    table("First password", ["login", "password"], [[person.login, password]])
    note("It is shown this once and kept nowhere. It must be changed at the first login.")
