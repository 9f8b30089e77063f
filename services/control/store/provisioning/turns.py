"""Whose turn it is to change the bus: one worker at a time for what stops delivery, one for what gives it."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Final

from sqlalchemy import func, select

from services.control.store.database import ControlDatabase

_LOCK: Final = 4_207_007
"""Of PostgreSQL's advisory locks those of the lanes; tasks of ``ControlDatabase.alone`` have their own."""


class Lane(IntEnum):
    """What does not wait for one another: a long back-fill must not hold up a suspension."""

    STOPPING = 1
    PROVIDING = 2


@contextmanager
def turn(database: ControlDatabase, lane: Lane) -> Iterator[bool]:
    """Whether the lane is free; it is then ours until the end of the block.

    The lock belongs to a session without a transaction, so that hours of copying hold no row. If that session
    breaks, another worker may begin beside this one: policy and copiers are fenced, so that does no harm.
    """
    with database.session() as connection:
        taken = connection.execute(select(func.pg_try_advisory_lock(_LOCK, int(lane)))).scalar_one()
        try:
            yield bool(taken)
        finally:
            if taken:
                connection.execute(select(func.pg_advisory_unlock(_LOCK, int(lane))))
