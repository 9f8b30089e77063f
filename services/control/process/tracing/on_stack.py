"""What the loops of the trace ask of an embedded stack, and with which login."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from services.control.process.collecting.view import KafkaView
from services.control.rights import TRACE
from services.ledger.counts import Place
from services.ledger.on_stack import master_secret
from services.ledger.reader import KafkaTopicReader
from services.stack.api import Stack
from topics.names import TRACE_GROUP
from topics.policy import Policy
from topics.trace import trace_key

_TIMEOUT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class StackTrace:
    """See ``services.control.process.tracing.indexing.Source``; used by one thread."""

    stack: Stack
    reader: KafkaTopicReader
    policy: Callable[[], Policy | None]

    def key(self, version: int) -> bytes:
        """The key of the trace of a version of the master secret."""
        return key_of(self.stack)(version)

    def first_version(self) -> int:
        """The newest version that the policy uses: it is kept as long as a grant's keys need it."""
        policy = self.policy()
        versions = [entry.key_version for entry in policy.grants.values()] if policy else []
        return max(versions, default=1)


@dataclass(slots=True)
class StackGroups:
    """See ``services.control.process.tracing.acquiring.Groups``; used by one thread."""

    config: Mapping[str, Any] = field(repr=False)
    """The login of the control process."""
    policy: Callable[[], Policy | None]
    _view: KafkaView = field(init=False)

    def __post_init__(self) -> None:
        self._view = KafkaView(self.config)

    def committed(self, wanted: Callable[[str], bool]) -> Mapping[str, Mapping[Place, int]]:
        """Group → partition → the offset that it reads next."""
        return self._view.committed(wanted)


@contextmanager
def open_trace(stack: Stack, policy: Callable[[], Policy | None]) -> Iterator[StackTrace]:
    """What the index is made of, read with the login that may read nothing else."""
    with KafkaTopicReader(stack.kafka_config(TRACE), TRACE_GROUP, _TIMEOUT_S) as reader:
        yield StackTrace(stack, reader, policy)


def key_of(stack: Stack) -> Callable[[int], bytes]:
    """The keys of the trace, for who may read the stack's master secrets."""
    return lambda version: trace_key(master_secret(stack, version), version)
