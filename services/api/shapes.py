"""What all answers have in common, and a page of a list."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Item = TypeVar("Item")
Document = dict[str, Any]


class Answer(BaseModel):
    """A body of an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class Page(Answer, Generic[Item]):
    """Some of a list; ``next`` is the cursor of the page that follows, null on the last one."""

    items: list[Item]
    next: str | None = None


class ProblemItem(Answer):
    """One thing to correct."""

    code: str
    field: str
    what: str
    remedy: str


class ProblemAnswer(BaseModel):
    """A problem by RFC 9457; further members say more, such as ``reason`` or ``meanwhile``."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request: str
    problems: list[ProblemItem]
