"""Departments of accounts as the catalogue knows them: by their credit codes."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from services.cli.acting import Acting
from services.cli.output import CommandFailed, ExitCode
from services.control.catalogue.entry import Entry
from services.control.store.accounts.departments import department_of
from services.control.store.catalogue.loading import Against, Clash


def credit_code_of(connection: Connection, who: Acting) -> str:
    """The credit code of an account's department.

    Raises:
        CommandFailed: the department is not known any more.
    """
    found = department_of(connection, who.person.department)
    if found is None:
        what = f"there is no department {who.person.department}"
        raise CommandFailed(ExitCode.REFUSED, what, "--as", "`govbus account departments` shows them")
    return found.credit_code


def strangers_to(entries: Iterable[Entry], code: str) -> Iterator[Clash]:
    """Entries that are another department's than that of a credit code."""
    for number, entry in enumerate(entries, start=1):
        if entry.provider.credit_code != code:
            other = entry.provider.name
            yield Clash(number, str(entry.code or ""), entry.name, Against.OTHER_DEPARTMENT, other)
