"""The one MetaData of the control plane's tables: how constraints are called, and what columns share."""

import pkgutil
from collections.abc import Iterable
from enum import StrEnum
from importlib import import_module
from typing import Final

from sqlalchemy import CheckConstraint, DateTime, MetaData

from services.control import store

_NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA: Final = MetaData(naming_convention=_NAMES)
"""Every table of the control plane; an area adds its own in ``services/control/store/<area>/tables.py``."""

INSTANT: Final = DateTime(timezone=True)
"""A point in time; sessions read and write UTC."""


def one_of(column: str, values: Iterable[StrEnum]) -> CheckConstraint:
    """A text column holds one of these words; its constraint is called after the column."""
    words = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)


def whole_metadata() -> MetaData:
    """The tables of all areas, wherever they are declared: each area's module is imported."""
    for module in ("outbox", "snapshots"):
        import_module(f"{store.__name__}.{module}")
    for area in pkgutil.iter_modules(store.__path__, f"{store.__name__}."):
        if area.ispkg and any(each.name == "tables" for each in pkgutil.iter_modules(_path(area.name))):
            import_module(f"{area.name}.tables")
    return METADATA


def _path(package: str) -> list[str]:
    return list(import_module(package).__path__)
