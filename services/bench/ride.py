"""What every bench has at hand: the stack, the policy, the processes of the bus, and where to say things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.bench.topics_io import TopicsIo
from services.stack.api import Stack
from topics.policy import Policy

Say = Callable[[str], None]


class Machinery(Protocol):
    """What the command line does for a bench: the parts of the bus that a bench must not import."""

    def apply(self, grants: int | None = None, per_group: int = 100) -> None:
        """Carry out the bench's definitions; ``grants`` asks for so many on one resource, in groups."""
        ...

    def policy(self) -> Policy:
        """The newest policy."""
        ...

    def start_gate(self, settings: Mapping[str, str] | None = None, instance: int = 0) -> int:
        """Start an instance of the gate; return its process id."""
        ...

    def start_fanout(self, group: str, settings: Mapping[str, str] | None = None, instance: int = 0) -> int:
        """Start an instance of one group's fan-out; return its process id."""
        ...

    def status_url(self, name: str) -> str:
        """Where a process of the bus tells its counts."""
        ...

    def stop(self, name: str) -> None:
        """Stop a process of the bus, e.g. ``gate.0`` or ``fanout.default.0``."""
        ...


@dataclass(frozen=True, slots=True)
class Ride:
    """One stack of the bench's own, with everything applied."""

    stack: Stack
    machinery: Machinery
    say: Say
    quick: bool
    seed: int = 1

    @property
    def io(self) -> TopicsIo:
        """The bench's own access to Kafka."""
        return TopicsIo(self.stack.kafka_config("admin"))

    @property
    def cache(self) -> Path:
        """Where comparators are built, once for all runs."""
        return self.stack.settings.cache

    @property
    def folder(self) -> Path:
        """Where descriptions and logs of this run are kept until the stack is deleted."""
        return self.stack.context.layout.run

    def pid(self, component: str) -> int:
        """The process id of a part of the stack."""
        found = next(status.pid for status in self.stack.status() if status.name == component)
        if found is None:
            raise LookupError(f"{component} does not run")
        return found

    def log(self, component: str) -> Path:
        """The log of a part of the stack."""
        return self.stack.context.layout.log(component)

    def master_secret(self) -> bytes:
        """The master secret from which keys of grants are derived."""
        return self.stack.secret("master-v1").encode()
