"""What a sink is: the copy of one grant in a table of its department's database, kept in step by Connect."""

from typing import Annotated

from pydantic import Field

from topics.event import GrantId
from topics.resource import Declared, Name

_PLAIN = r"[a-z_][a-z0-9_]{0,62}"


class Sink(Declared):
    """The copy of one grant; it exists while the grant does.

    Args:
        grant: whose records are copied.
        database: name of the connection secret set of the department's database.
        table: target, as ``schema.table``.
        evolves: whether the sink may make the table and add columns that may be null; otherwise the
            department does.
    """

    grant: GrantId
    database: Name
    table: Annotated[str, Field(pattern=rf"^{_PLAIN}\.{_PLAIN}$")]
    evolves: bool = False

    @property
    def schema_name(self) -> str:
        """The schema of the target."""
        return self.table.split(".")[0]

    @property
    def table_name(self) -> str:
        """The target's name without its schema."""
        return self.table.split(".")[1]
