"""Counts failed logins and calls, so that all instances of the control plane count together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.control.accounts.lockout import (
    OF_ADDRESSES,
    OF_NAMES,
    Failures,
    LockoutRules,
    failed,
    given_back,
    wait,
)
from services.control.accounts.random_text import digest
from services.control.accounts.token_bucket import Rate, Taken, take
from services.control.store.accounts.tables import BUCKETS, FAILURES

_NOTHING: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Counter:
    """What failures are counted for."""

    key: bytes
    rules: LockoutRules


def of_name(login: str) -> Counter:
    """The counter of a login name, whether anybody has it or not."""
    return Counter(digest(f"name:{login}"), OF_NAMES)


def of_address(address: str) -> Counter:
    """The counter of a network address."""
    return Counter(digest(f"address:{address}"), OF_ADDRESSES)


def begin_try(connection: Connection, counters: Sequence[Counter], now: datetime) -> timedelta:
    """Count a try as failed before it is made; where it must wait, count nothing and say how long."""
    kept = _locked(connection, counters)
    longest = max((wait(kept[each.key], now, each.rules) for each in counters), default=_NOTHING)
    if longest == _NOTHING:
        for each in counters:
            _write(connection, each.key, failed(kept[each.key], now, each.rules))
    return longest


def was_right(connection: Connection, name: Counter, address: Counter | None) -> None:
    """The try was right: the name's failures are forgotten, the address only gets this one back."""
    kept = _locked(connection, [each for each in (name, address) if each is not None])
    _write(connection, name.key, Failures())
    if address is not None:
        _write(connection, address.key, given_back(kept[address.key]))


def unlock(connection: Connection, login: str) -> None:
    """Forget the failures of a login name."""
    connection.execute(delete(FAILURES).where(FAILURES.c.key == of_name(login).key))


def allow(connection: Connection, key: str, now: datetime, rate: Rate, calls: int = 1) -> timedelta:
    """Take calls out of the bucket of a key; returns how long to wait where it is empty, zero where not."""
    hashed = digest(f"rate:{key}")
    fresh = insert(BUCKETS).values(key=hashed, full_at=now).on_conflict_do_nothing()
    connection.execute(fresh)
    wanted = select(BUCKETS.c.full_at).where(BUCKETS.c.key == hashed).with_for_update()
    taken = take(connection.execute(wanted).scalar_one(), now, rate, calls)
    if not isinstance(taken, Taken):
        return taken.wait
    connection.execute(update(BUCKETS).where(BUCKETS.c.key == hashed).values(full_at=taken.full_at))
    return _NOTHING


def forget(connection: Connection, now: datetime, limit: int = 1_000) -> int:
    """Delete counters that count for nothing any more, so many of each kind at most; returns how many.

    Strangers can add one with every name that they try; one that somebody is just using stays.
    """
    longest = max(OF_NAMES.forget, OF_ADDRESSES.forget)
    old = or_(FAILURES.c.last.is_(None), FAILURES.c.last < now - longest)
    removed = 0
    for table, over in ((FAILURES, old), (BUCKETS, BUCKETS.c.full_at < now)):
        some = select(table.c.key).where(over).limit(limit).with_for_update(skip_locked=True)
        removed += connection.execute(delete(table).where(table.c.key.in_(some.scalar_subquery()))).rowcount
    return removed


def _locked(connection: Connection, counters: Iterable[Counter]) -> Mapping[bytes, Failures]:
    """What is kept of these counters, locked in one order, so that nobody waits for each other."""
    keys = sorted(each.key for each in counters)
    if not keys:
        return {}
    fresh = insert(FAILURES).values([{"key": key, "count": 0} for key in keys])
    connection.execute(fresh.on_conflict_do_nothing())
    wanted = select(FAILURES).where(FAILURES.c.key.in_(keys)).order_by(FAILURES.c.key).with_for_update()
    return {row.key: Failures(row._mapping["count"], row.last) for row in connection.execute(wanted)}


def _write(connection: Connection, key: bytes, failures: Failures) -> None:
    values = {"count": failures.count, "last": failures.last}
    connection.execute(update(FAILURES).where(FAILURES.c.key == key).values(values))
