"""The doors to the bus of a stack: logins of the auditor, the operator and the writer of policy."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI

from producers.connect_client import ConnectClient, RetryPolicy
from producers.connector import ConnectEnvironment
from schemas.registry import RegistryCredentials, SchemaRegistry
from services.api.parts import Parts
from services.api.running import BusUnavailable
from services.control.access import Access
from services.control.settings import ApplySettings
from services.control.suspension.machine import machine_on
from services.ledger.bus import Bus
from services.ledger.lookup import Lookup
from services.ledger.reader import KafkaTopicReader
from services.ledger.two_logins import TwoLogins
from services.ledger.writer import KafkaRecordWriter
from services.portal.operations.doors import connect, operations
from services.stack.api import Stack
from services.stack.errors import StackError
from topics.event import OutputRecord

_AUDITOR: Final = "ledger"
_OPERATOR: Final = "operator"
_TIMEOUT_S: Final = 20.0


def connect_stack(app: FastAPI, parts: Parts, stack: Stack) -> None:
    """Let an app's pages use the doors to a stack; nothing is asked of it yet."""
    door = BusDoor(stack)
    machine = machine_on(door.access(), ApplySettings.from_environment())
    connect(app, operations(parts, door.open, machine, parts.random(4).hex()))


@dataclass(frozen=True, slots=True)
class BusDoor:
    """Opens the bus for one piece of work."""

    stack: Stack

    @contextmanager
    def open(self) -> Iterator[Bus]:
        """Readers of both logins and the operator's writer; everything is closed at the end.

        Raises:
            BusUnavailable: a login of the stack is missing.
        """
        try:
            registry = SchemaRegistry(self._registry(_AUDITOR))
            auditor, operator = (self.stack.kafka_config(each) for each in (_AUDITOR, _OPERATOR))
        except StackError as error:
            raise BusUnavailable(type(error).__name__) from error
        with (
            KafkaTopicReader(auditor, f"{_AUDITOR}.portal", _TIMEOUT_S) as as_auditor,
            KafkaTopicReader(operator, f"{_OPERATOR}.portal", _TIMEOUT_S) as as_operator,
        ):
            yield Bus(Lookup(TwoLogins(as_auditor, as_operator), registry), _Operator(self.stack))

    def access(self) -> Access:
        """What a suspension and a resumption need; users and captures are none of their business."""
        endpoints = self.stack.endpoints()

        def refuse(name: str) -> str:
            raise PermissionError(f"the portal makes and withdraws no login: {name}")

        def withdraw(name: str) -> None:
            refuse(name)

        return Access(
            home=self.stack.settings.home,
            bootstrap=endpoints.departments_bootstrap,
            registry_url=endpoints.registry_url,
            kafka_config=self.stack.kafka_config,
            registry_credentials=self._registry,
            ensure_user=refuse,
            withdraw_user=withdraw,
            known_users=set,
            capture_source=lambda _name: None,
            connect=lambda: ConnectClient(
                endpoints.connect_url, *self.stack.connect_auth(), retries=RetryPolicy(attempts=3)
            ),
            connect_environment=ConnectEnvironment(
                str(self.stack.context.layout.connect_secrets), endpoints.kafka_bootstrap
            ),
            master_secret=lambda version: self.stack.secret(f"master-v{version}").encode(),
        )

    def _registry(self, user: str) -> RegistryCredentials:
        return RegistryCredentials(self.stack.endpoints().registry_url, *self.stack.registry_auth(user))


@dataclass(frozen=True, slots=True)
class _Operator:
    """Reads the operator's secret only when something is written."""

    stack: Stack

    def write(self, records: Sequence[OutputRecord]) -> list[int]:
        config = self.stack.kafka_config(_OPERATOR)
        return KafkaRecordWriter(config, f"{_OPERATOR}.{uuid.uuid4().hex}", _TIMEOUT_S).write(records)
