"""Opens what the commands need of the running stack: readers, the registry, a writer for the operator."""

import getpass
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from schemas.registry import RegistryCredentials, SchemaRegistry
from services.cli.output import CommandFailed, ExitCode
from services.ledger.bus import Bus as Bus
from services.ledger.lookup import Lookup
from services.ledger.reader import KafkaTopicReader, TopicReader
from services.ledger.two_logins import TwoLogins
from services.ledger.writer import KafkaRecordWriter
from services.stack.api import Stack, State
from services.stack.errors import StackError
from services.stack.settings import StackSettings
from topics.disputes import DisputeKeyMissing, dispute_key
from topics.event import OutputRecord

AUDITOR: Final = "ledger"
OPERATOR: Final = "operator"
_NOT_IN_AN_ID: Final = re.compile(r"[^!-~]+")


@contextmanager
def open_bus(timeout_s: float = 30.0) -> Iterator[Bus]:
    """Connect to the stack that the environment names.

    Raises:
        CommandFailed: Kafka or the registry does not run.
        StackError: a secret or a setting is missing.
    """
    stack = Stack(StackSettings.from_environment())
    require(stack, "kafka", "registry")
    user, password = stack.registry_auth(AUDITOR)
    registry = SchemaRegistry(RegistryCredentials(stack.endpoints().registry_url, user, password))
    with open_reader(stack, "cli", timeout_s) as reader:
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
            return dispute_key(stack.secret(f"master-v{version}").encode(), version)
        except StackError as error:
            raise DisputeKeyMissing(f"version {version} of the master secret is not here") from error

    return key_of


@dataclass(frozen=True, slots=True)
class _Operator:
    """Reads the operator's secret only when something is written."""

    stack: Stack
    timeout_s: float

    def write(self, records: Sequence[OutputRecord]) -> list[int]:
        config = self.stack.kafka_config(OPERATOR)
        return KafkaRecordWriter(config, f"{OPERATOR}.{uuid.uuid4().hex}", self.timeout_s).write(records)


def actor() -> str:
    """Who is at the keyboard, for the record; ``--actor`` says otherwise."""
    return getpass.getuser()


def console_account() -> str:
    """Who stands in the ledger for what is ordered at a console: no account, but the login at the machine."""
    return f"console:{_NOT_IN_AN_ID.sub('_', actor())}"


def require(stack: Stack, *parts: str) -> None:
    """Say which of these parts of the stack do not run, before anything is asked of them.

    Raises:
        CommandFailed: one of them does not run.
    """
    states = {status.name: status.state for status in stack.status()}
    down = [part for part in parts if states.get(part) is not State.RUNNING]
    if down:
        verb = "do" if len(down) > 1 else "does"
        raise CommandFailed(
            ExitCode.UNAVAILABLE,
            f"{' and '.join(down)} {verb} not run",
            f"the stack in {stack.settings.home}",
            "start it from its last data with `govbus up`, then ask again",
        )
