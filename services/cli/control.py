"""Opens the control plane's database for a command: the stack's own, or one that the environment names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from services.cli.output import CommandFailed, ExitCode
from services.control.process.address import As, stack_address
from services.control.store.database import PASSWORD_VARIABLE, URL_VARIABLE, Address, ControlDatabase
from services.control.store.errors import StoreError
from services.control.store.migrate import Standing, current, require_current
from services.control.store.prepare import Prepared, prepare
from services.stack.api import Stack
from services.stack.settings import StackSettings


def control_database(stack: Stack, role: As = As.APPLICATION) -> ControlDatabase:
    """The database of a stack, unless the environment names another; nothing is asked of it yet.

    Args:
        stack: whose database.
        role: as whom; an address of the environment brings its own user.

    Raises:
        CommandFailed: there is no such stack, and the environment names no database.
        RestorePassword: the address holds a password.
    """
    own = stack_address(stack, role)
    address = Address.from_environment(own)
    if address.password_file == own.password_file and not own.password_file.exists():
        what = f"there is no database of the control plane in {stack.settings.home}"
        remedy = f"`govbus up` makes it; or set {URL_VARIABLE} and {PASSWORD_VARIABLE} to one of your own"
        raise CommandFailed(ExitCode.UNAVAILABLE, what, "", remedy)
    return ControlDatabase(address)


@contextmanager
def open_control() -> Iterator[ControlDatabase]:
    """The database of the environment's stack, its tables as the program expects them.

    Raises:
        CommandFailed: there is none.
        StoreError: it does not serve, or its tables are older or newer than the program.
    """
    database = control_database(Stack(StackSettings.from_environment(os.environ)))
    try:
        require_current(database)
        yield database
    finally:
        database.close()


def prepare_control(stack: Stack, now: datetime) -> Prepared:
    """Migrate the control plane's tables and fill in what the project brings along; idempotent.

    Raises:
        CommandFailed: the stack has no database.
        StoreError: it does not serve, or a newer program has migrated it.
    """
    database = control_database(stack, As.OWNER)
    try:
        return prepare(database, now)
    finally:
        database.close()


def tables_standing(stack: Stack) -> str:
    """What is wrong with the control plane's tables; empty where nothing is, or where there are none yet."""
    try:
        database = control_database(stack)
    except (CommandFailed, StoreError):
        return ""
    try:
        schema = current(database)
    except StoreError as error:
        return str(error)
    finally:
        database.close()
    match schema.standing:
        case Standing.BEHIND if schema.found is not None:
            return f"the control plane's tables are behind ({schema.found}): `govbus database migrate`"
        case Standing.NEWER:
            return f"the control plane's tables are newer ({schema.found}) than this govbus"
        case _:
            return ""
