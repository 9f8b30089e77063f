"""Opens the control plane's database for a command: the stack's own, or the one that the environment names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from services.cli.output import CommandFailed, ExitCode
from services.control.store.database import PASSWORD_VARIABLE, URL_VARIABLE, Address, ControlDatabase
from services.control.store.migrate import require_current
from services.stack.api import Stack
from services.stack.postgres import CONTROL, CONTROL_SECRET
from services.stack.settings import StackSettings


def control_database(stack: Stack) -> ControlDatabase:
    """The database of a stack, unless the environment names another; nothing is asked of it yet.

    Raises:
        CommandFailed: there is no such stack, and the environment names no database.
        RestorePassword: the address holds a password.
    """
    endpoints, secret = stack.endpoints(), stack.context.secrets.path(CONTROL_SECRET)
    own = Address.at(endpoints.postgres_host, endpoints.postgres_port, CONTROL, CONTROL, secret)
    address = Address.from_environment(own)
    if address.password_file == secret and not secret.exists():
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
