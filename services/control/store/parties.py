"""Which objects somebody sees in a list: those in which one of these departments is a party."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_


@dataclass(frozen=True, slots=True)
class Parties:
    """Departments by what they are to an object: who uses or asks, and who provides."""

    consumers: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()

    def among(self, consumer: ColumnElement[Any], provider: ColumnElement[Any]) -> ColumnElement[bool]:
        """The condition on the two columns of a table; without any department nothing is seen."""
        return or_(consumer.in_(sorted(self.consumers)), provider.in_(sorted(self.providers)))
