"""What the running bus said when somebody looked last: asking for it never waits, and never for a record."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fastapi import FastAPI, Request


@dataclass(frozen=True, slots=True)
class Stops:
    """Events of a provider that are stopped and of which nothing was made yet."""

    count: int
    since: datetime
    """When the oldest of them came."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An item that a department publishes though another owns it; ``resource`` is the owner's."""

    claimant: str
    resource: str
    item: str
    differing: int
    """How many claims said something else than the owner did at that time."""
    since: datetime


class Lately(Protocol):
    """What was read of the bus; what is old is read anew in the background."""

    def stopped(self, providers: Collection[str]) -> Mapping[str, Stops]:
        """Of those providers that have such events, as far as their quarantine was read."""
        ...

    def claimed(self) -> Sequence[Claimed]:
        """The items that two departments publish."""
        ...


class Unseen:
    """Nobody has looked, or there is no bus."""

    def stopped(self, _providers: Collection[str]) -> Mapping[str, Stops]:
        """Of nobody."""
        return {}

    def claimed(self) -> Sequence[Claimed]:
        """None."""
        return ()


def connect(app: FastAPI, found: Lately) -> None:
    """Let an app's requests know it."""
    app.state.lately = found


def lately_of(request: Request) -> Lately | None:
    """What this process has read of the bus; None where it has none."""
    found: Lately | None = getattr(request.app.state, "lately", None)
    return found
