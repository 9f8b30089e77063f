"""The bus of an embedded stack, opened with the logins of auditor and operator; and its master secrets."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from schemas.registry import RegistryCredentials, SchemaRegistry
from services.ledger.bus import Bus
from services.ledger.lookup import Lookup
from services.ledger.reader import KafkaTopicReader, TopicReader
from services.ledger.two_logins import TwoLogins
from services.ledger.writer import KafkaRecordWriter
from services.stack.api import Stack
from services.stack.errors import StackError
from topics.disputes import DisputeKeyMissing, dispute_key
from topics.event import OutputRecord

AUDITOR: Final = "ledger"
OPERATOR: Final = "operator"


@contextmanager
def open_bus_of(stack: Stack, name: str, timeout_s: float) -> Iterator[Bus]:
    """Connect to a stack's bus for one piece of work; everything is closed at the end.

    Args:
        stack: whose bus.
        name: of whoever asks, for the broker's own lists.
        timeout_s: how long one question may take.

    Raises:
        StackError: a secret or a setting is missing.
    """
    user, password = stack.registry_auth(AUDITOR)
    registry = SchemaRegistry(RegistryCredentials(stack.endpoints().registry_url, user, password))
    with open_reader(stack, name, timeout_s) as reader:
        yield Bus(Lookup(reader, registry, dispute_keys(stack)), _Operator(stack, timeout_s))


@contextmanager
def open_reader(stack: Stack, name: str, timeout_s: float = 30.0) -> Iterator[TopicReader]:
    """Read as the auditor, and quarantine and claims as the operator, who alone may read them.

    Raises:
        StackError: the secret of one of the two is missing.
    """
    with (
        KafkaTopicReader(stack.kafka_config(AUDITOR), f"{AUDITOR}.{name}", timeout_s) as auditor,
        KafkaTopicReader(stack.kafka_config(OPERATOR), f"{OPERATOR}.{name}", timeout_s) as operator,
    ):
        yield TwoLogins(auditor, operator)


def dispute_keys(stack: Stack) -> Callable[[int], bytes]:
    """The keys of disputes, for who may read the stack's master secrets; asked for where one is needed."""

    def key_of(version: int) -> bytes:
        try:
            return dispute_key(master_secret(stack, version), version)
        except StackError as error:
            raise DisputeKeyMissing(f"version {version} of the master secret is not here") from error

    return key_of


def master_secrets(stack: Stack, lookup: Lookup) -> Mapping[int, bytes]:
    """The master secrets that the fan-out has too: of the versions that the newest policy uses."""
    policies = lookup.policies
    newest = policies[max(policies)] if policies else None
    versions = {entry.key_version for entry in newest.grants.values()} if newest else set()
    return {version: master_secret(stack, version) for version in versions or {1}}


def master_secret(stack: Stack, version: int) -> bytes:
    """One version of it.

    Raises:
        StackError: it is not there.
    """
    return stack.secret(f"master-v{version}").encode()


@dataclass(frozen=True, slots=True)
class _Operator:
    """Reads the operator's secret only when something is written."""

    stack: Stack
    timeout_s: float

    def write(self, records: Sequence[OutputRecord]) -> list[int]:
        config = self.stack.kafka_config(OPERATOR)
        return KafkaRecordWriter(config, f"{OPERATOR}.{uuid.uuid4().hex}", self.timeout_s).write(records)
