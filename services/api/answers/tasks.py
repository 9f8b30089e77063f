"""Tasks as the API answers them."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from services.api.shapes import Answer
from services.api.uses.task import Kind
from services.control.accounts.roles import Role


class TaskAnswer(Answer):
    """One thing that waits for the reader in a role."""

    kind: Kind
    role: Role
    id: UUID | None
    number: int | None
    name: str
    state: str
    department: str
    since: datetime
    due_on: date | None
    provisional: bool
    days_left: int | None = Field(
        description="Working days until the last one, 0 on that day, below it what is overdue."
    )
    count: int | None = Field(description="How many events or claims it is about.")
