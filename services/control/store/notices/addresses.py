"""Where else a department is told: its mailboxes and endpoints, with the versions of their secrets.

Each change is an act for the ledger, which names the department and the id of the address, never itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from services.control.notices.endpoint import endpoint_of
from services.control.notices.letter import is_mailbox
from services.control.notices.signature import SecretVersions
from services.control.notices.words import Language
from services.control.store import outbox
from services.control.store.notices.tables import NOTICE_ADDRESSES, Way

OVERLAP: Final = timedelta(days=7)
"""For so long the secret before stays valid after a rotation."""
_NAMES: Final = tuple(column.name for column in NOTICE_ADDRESSES.c)


class AddressFault(StrEnum):
    """What is wrong with an address."""

    NO_MAILBOX = "NO_MAILBOX"
    NO_ENDPOINT = "NO_ENDPOINT"
    KNOWN_ALREADY = "KNOWN_ALREADY"


class CorrectAddress(ValueError):  # noqa: N818 - named after what its catcher must do
    """The address is none, or is there already; the text says what to do."""

    def __init__(self, fault: AddressFault, what: str) -> None:
        super().__init__(what)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """One mailbox or endpoint of a department."""

    id: int
    department: str
    way: Way
    target: str
    language: Language
    active: bool
    secrets: SecretVersions


def add(
    connection: Connection,
    department: str,
    way: Way,
    target: str,
    language: Language,
    *,
    who: str,
    now: datetime,
    plain: bool = False,
    recorder: str = "",
) -> KnownAddress:
    """Add an address, or switch it on again; its first secret is version 1, and then the next one.

    ``recorder`` is who enters it for ``who``, such as a login at a shell.

    Raises:
        CorrectAddress: it is no mailbox, or no https address of an endpoint (http where ``plain`` allows it).
    """
    _check(way, target, plain=plain)
    row = {
        "department": department,
        "way": way.value,
        "target": target,
        "language": language.value,
        "active": True,
        "secret_version": 1,
        "added_at": now,
    }
    again = {
        "active": True,
        "language": language.value,
        # What was valid when it was switched off is valid no more.
        "secret_version": NOTICE_ADDRESSES.c.secret_version + 1,
        "previous_until": None,
    }
    statement = insert(NOTICE_ADDRESSES).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["department", "way", "target"],
        set_=again,
        where=~NOTICE_ADDRESSES.c.active,
    )
    found = connection.execute(statement.returning(*NOTICE_ADDRESSES.c)).first()
    if found is None:
        what = f"{department} has this address already; change it or use another"
        raise CorrectAddress(AddressFault.KNOWN_ALREADY, what)
    _act(connection, "notice.address_added", found, who, now, recorder)
    return address_of(found)


def switch_off(connection: Connection, id_: int, *, who: str, now: datetime, recorder: str = "") -> bool:
    """Send nothing there any more; return whether it was on."""
    statement = (
        update(NOTICE_ADDRESSES)
        .where(NOTICE_ADDRESSES.c.id == id_, NOTICE_ADDRESSES.c.active)
        .values(active=False)
    )
    found = connection.execute(statement.returning(*NOTICE_ADDRESSES.c)).first()
    if found is not None:
        _act(connection, "notice.address_removed", found, who, now, recorder)
    return found is not None


def rotate(
    connection: Connection,
    id_: int,
    *,
    who: str,
    now: datetime,
    overlap: timedelta = OVERLAP,
    recorder: str = "",
) -> KnownAddress | None:
    """Give an endpoint a new secret; the one before stays valid for a while. None where there is none."""
    wanted = select(NOTICE_ADDRESSES).where(
        NOTICE_ADDRESSES.c.id == id_,
        NOTICE_ADDRESSES.c.active,
        NOTICE_ADDRESSES.c.way == Way.WEBHOOK.value,
    )
    before = connection.execute(wanted.with_for_update()).first()
    if before is None:
        return None
    rotated = address_of(before).secrets.rotated(now, overlap)
    statement = (
        update(NOTICE_ADDRESSES)
        .where(NOTICE_ADDRESSES.c.id == id_)
        .values(secret_version=rotated.current, previous_until=rotated.previous_until)
    )
    found = connection.execute(statement.returning(*NOTICE_ADDRESSES.c)).one()
    _act(connection, "notice.secret_rotated", found, who, now, recorder)
    return address_of(found)


def of_department(connection: Connection, department: str) -> list[KnownAddress]:
    """The addresses of a department, oldest first."""
    wanted = select(NOTICE_ADDRESSES).where(NOTICE_ADDRESSES.c.department == department)
    return [address_of(row) for row in connection.execute(wanted.order_by(NOTICE_ADDRESSES.c.id))]


def of_account(connection: Connection, account: str, mailbox: str, now: datetime) -> int | None:
    """The number of an account's own mailbox, for what its owner must hear; None where it has no mailbox.

    It stands under a name that no department has, so nothing that departments are told goes there. It is the
    account's e-mail address, whose entry was an act for the ledger already.
    """
    if not is_mailbox(mailbox):
        return None
    row = {
        "department": f"account:{account}",
        "way": Way.EMAIL.value,
        "target": mailbox,
        "language": Language.ZH.value,
        "active": True,
        "secret_version": 1,
        "added_at": now,
    }
    statement = insert(NOTICE_ADDRESSES).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["department", "way", "target"], set_={"active": True}
    )
    return int(connection.execute(statement.returning(NOTICE_ADDRESSES.c.id)).scalar_one())


def one(connection: Connection, id_: int) -> KnownAddress | None:
    """One address, switched off or not; None where there is none."""
    row = connection.execute(select(NOTICE_ADDRESSES).where(NOTICE_ADDRESSES.c.id == id_)).first()
    return None if row is None else address_of(row)


def _check(way: Way, target: str, *, plain: bool) -> None:
    if way is Way.EMAIL and not is_mailbox(target):
        what = "this is no mailbox: give name@host, without quotes or comments"
        raise CorrectAddress(AddressFault.NO_MAILBOX, what)
    if way is Way.WEBHOOK and endpoint_of(target, plain=plain) is None:
        what = "this is no endpoint: give https://host/path, without user or fragment"
        raise CorrectAddress(AddressFault.NO_ENDPOINT, what)


def _act(connection: Connection, what: str, row: Row[Any], who: str, now: datetime, recorder: str) -> None:
    account, told = outbox.answering(who, recorder)
    facts = {"department": row.department, "way": row.way, "secret_version": row.secret_version, **told}
    act = outbox.Act(account, what, "notice_address", str(row.id), now, facts=facts)
    outbox.append(connection, act)


def address_of(row: Row[Any], prefix: str = "") -> KnownAddress:
    """The address that a row holds, in columns whose names begin with a prefix."""
    held = {name: row._mapping[f"{prefix}{name}"] for name in _NAMES}
    return KnownAddress(
        held["id"],
        held["department"],
        Way(held["way"]),
        held["target"],
        Language(held["language"]),
        held["active"],
        SecretVersions(held["secret_version"], held["previous_until"]),
    )
