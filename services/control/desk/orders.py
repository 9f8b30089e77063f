"""What is asked of the desk and what it answers: orders with a key, and answers that can be given again."""

from dataclasses import dataclass
from datetime import datetime

from services.control.cases.case import Event
from services.control.cases.words import Action, Actor, Problem, State
from services.control.docket.filed import Filed


@dataclass(frozen=True, slots=True)
class Order:
    """Who asks for something, when, and by which key; the same key asks for the same thing again."""

    key: str
    """The idempotency key, chosen by whoever asks."""
    actor: Actor
    now: datetime
    seen: int | None = None
    """The version of the case that the actor decided on; None to take it as it stands."""
    recorder: str = ""
    """The account that enters what the actor decided elsewhere, where they are two; it is kept and told."""

    @property
    def account(self) -> str:
        """Who stands in the ledger as the one who did it."""
        return self.recorder or self.actor.person


@dataclass(frozen=True, slots=True)
class Done:
    """The action took place, with everything that followed from it by itself."""

    filed: Filed
    """The case as it stood then."""
    repeated: bool = False
    """It took place when the key was used first, and not again now."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The action did not take place, and nothing has changed."""

    case: str
    number: int
    version: int
    action: Action
    state: State
    problems: tuple[Problem, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Others acted on the case since the version that the actor saw; nothing has changed."""

    case: str
    number: int
    seen: int
    version: int
    state: State
    meanwhile: tuple[Event, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class NotOpened:
    """No case was opened: what keeps it from being one."""

    problems: tuple[Problem, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key was used before for something else; nothing has changed."""

    key: str


@dataclass(frozen=True, slots=True)
class NoSuchCase:
    """There is no case of this id."""

    case: str


Answer = Done | Declined | Overtaken | KeyReused | NoSuchCase
OpeningAnswer = Done | NotOpened | KeyReused
