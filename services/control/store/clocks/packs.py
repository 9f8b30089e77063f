"""Policy packs in the store: each version as the text that was imported, which never changes again."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from services.control.clocks.pack import Pack
from services.control.clocks.pack_file import parse_pack
from services.control.store.clocks.tables import PACKS
from services.control.store.errors import RaiseVersion
from services.control.store.outbox import Act, answering, append

KIND: Final = "policy-pack"


def read_packs(connection: Connection) -> Mapping[str, Pack]:
    """The newest version of each pack, by id."""
    statement = select(PACKS).ext(distinct_on(PACKS.c.id)).order_by(PACKS.c.id, PACKS.c.version.desc())
    rows = connection.execute(statement).all()
    return MappingProxyType({row.id: _parsed(row.id, row.version, row.content) for row in rows})


def read_pack(connection: Connection, id_: str, version: int) -> Pack | None:
    """One version of a pack, such as a case is bound to."""
    statement = select(PACKS).where(PACKS.c.id == id_, PACKS.c.version == version)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _parsed(row.id, row.version, row.content)


def import_pack(
    connection: Connection, content: str, shown: str, who: str, when: datetime, recorder: str = ""
) -> Pack | None:
    """Take a version of a pack; None where this very text is there already.

    Args:
        connection: in the caller's transaction.
        content: the YAML text.
        shown: how errors shall name it.
        who: the account that imports it.
        when: now.
        recorder: the account that enters it, where that is another one.

    Raises:
        PacksInvalid: with everything that is wrong with the text.
        RaiseVersion: its version is not above the newest one that is there.
    """
    pack = parse_pack(content, shown)
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"pack {pack.id}", 0))))
    statement = select(PACKS.c.version, PACKS.c.content).where(PACKS.c.id == pack.id)
    known = {row.version: row.content for row in connection.execute(statement)}
    if known.get(pack.version) == content:
        return None
    if known and pack.version <= max(known):
        raise RaiseVersion(
            f"{shown}: version {max(known)} of {pack.id} is there already; write version: {max(known) + 1}"
        )
    values = {"id": pack.id, "version": pack.version, "level": pack.level.value, "content": content}
    connection.execute(insert(PACKS), [{**values, "imported_at": when, "imported_by": who}])
    account, facts = answering(who, recorder)
    append(
        connection, Act(account, "policy-pack.import", KIND, f"{pack.id}/{pack.version}", when, facts=facts)
    )
    return pack


@lru_cache(maxsize=256)
def _parsed(id_: str, version: int, content: str) -> Pack:
    return parse_pack(content, f"{id_} version {version}")
