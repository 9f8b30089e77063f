"""What the doctor looks at: one stack, what is declared for it, and clients that give up soon."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, NoReturn

import requests
from confluent_kafka.admin import AdminClient

from producers.connect_client import ConnectClient, RetryPolicy
from producers.connect_errors import ConnectorNotFound
from services.control.access import Access, CaptureSource
from services.control.connectors import captured
from services.control.definitions import Definitions
from services.control.retention.floor import unknown
from services.control.rights import DOCTOR
from services.doctor.capture import Captured
from services.stack.api import ComponentStatus, Stack, State
from services.stack.probes import loopback_session
from services.stack.users import KafkaUsers
from topics.event import ProviderId

_RETRIES: Final = RetryPolicy(attempts=2, first_seconds=0.1, longest_seconds=0.2)
HTTP_TIMEOUT_S: Final = 3.0


@dataclass(frozen=True)
class Patient:
    """One stack at one moment; what checks share is asked once.

    Args:
        stack: the embedded stack, running or not.
        access: how apply reaches it; only its addresses, and what it reads besides Kafka, are used.
        definitions: what is declared; None where that cannot be read.
        statuses: how each process is; empty where that cannot be told.
        definitions_error: what is wrong with the definitions.
        status_error: why the processes' states cannot be told.
    """

    stack: Stack
    access: Access
    definitions: Definitions | None
    statuses: tuple[ComponentStatus, ...]
    definitions_error: str = ""
    status_error: str = ""
    states: Mapping[str, State] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "states", {status.name: status.state for status in self.statuses})

    @property
    def kafka_config(self) -> dict[str, Any]:
        """The login of a user who may look at everything, read little and change nothing."""
        return self.stack.kafka_config(DOCTOR)

    @cached_property
    def admin(self) -> AdminClient:
        """An admin client of that user."""
        return AdminClient(self.kafka_config)

    @cached_property
    def looking(self) -> Access:
        """What apply compares with, through that user; whatever would change something is refused here."""
        return replace(
            self.access,
            kafka_config=lambda _user: self.kafka_config,
            ensure_user=_refused,
            withdraw_user=_refused,
            lock_user=_refused,
            renew_user=_refused,
            settle_user=_refused,
            known_users=lambda: KafkaUsers(self.admin, self.stack.context.secrets).known(),
            master_secret=_refused,
            audit_floor=unknown,
        )

    @cached_property
    def connect(self) -> ConnectClient:
        """Connect's REST client."""
        return ConnectClient(
            self.stack.endpoints().connect_url,
            *self.stack.connect_auth(),
            session=loopback_session(),
            retries=_RETRIES,
        )

    @cached_property
    def connector_configs(self) -> Mapping[str, Mapping[str, str]]:
        """Every connector's stored configuration.

        Raises:
            ConnectError: Connect does not answer.
        """
        found = {}
        for name in self.connect.names():
            try:
                found[name] = self.connect.config(name)
            except ConnectorNotFound:
                continue
        return found

    @cached_property
    def captures(self) -> tuple[Captured, ...]:
        """The providers whose databases are declared to be captured."""
        return tuple(
            Captured(provider, has_secrets=source is not None) for provider, source in self.sources.items()
        )

    @cached_property
    def sources(self) -> Mapping[ProviderId, CaptureSource | None]:
        """Provider → its database as the capture role reaches it; None where no login is set."""
        if self.definitions is None:
            return {}
        return {
            provider.id: None if provider.database is None else self.access.capture_source(provider.database)
            for provider in self.definitions.providers.values()
            if captured(provider.id, self.definitions.resources.values())
        }

    def json(self, url: str, auth: tuple[str, str] | None = None) -> object:
        """What an address of the stack answers.

        Raises:
            requests.RequestException: no answer, or not a good one.
        """
        with loopback_session(auth) as session:
            answer = session.get(url, timeout=HTTP_TIMEOUT_S)
            answer.raise_for_status()
            return answer.json()


def _refused(what: object) -> NoReturn:
    raise PermissionError(f"the doctor only looks: it was asked for {what}")


def unreachable(error: Exception) -> str:
    """Why an HTTP address gave nothing, without what it said."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    return type(error).__name__
