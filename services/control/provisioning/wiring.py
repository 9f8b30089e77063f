"""Puts the worker together over an embedded stack, for the process that lets it turn and for commands."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from services.control.desk.desk import Desk
from services.control.provisioning.kafka_bus import KafkaGrantBus
from services.control.provisioning.repairing import Drift
from services.control.provisioning.retrying import Patience
from services.control.provisioning.worker import ProvisioningWorker
from services.control.settings import ApplySettings, CredentialSettings
from services.control.stack_access import access_of
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.suspension.finish import now_ms
from services.stack.api import Stack
from services.stack.settings import StackSettings

Say = Callable[[str], None]


def grant_bus(settings: StackSettings, say: Say, confirmed: Collection[str] = ()) -> KafkaGrantBus:
    """The running bus of a stack; nothing is asked of it yet.

    Args:
        settings: where the stack is.
        say: is told how it goes on.
        confirmed: grants whose epoch may remove more than the guard allows.
    """
    access = access_of(Stack(settings))
    return KafkaGrantBus(access, ApplySettings.from_environment(), now_ms, say, confirmed)


def worker(
    settings: StackSettings,
    database: ControlDatabase,
    desk: Desk,
    say: Say,
    confirmed: Collection[str] = (),
    patience: Patience | None = None,
) -> ProvisioningWorker:
    """The worker of a stack. A process calls ``stop`` in one loop and ``provide`` in another, or ``turn``."""
    bus = grant_bus(settings, say, confirmed)
    days = CredentialSettings.from_environment().days
    return ProvisioningWorker(database, desk, bus, _now, new_id, say, patience or Patience(), days)


def drift(settings: StackSettings, database: ControlDatabase, desk: Desk, say: Say, who: str) -> Drift:
    """What compares the stack's bus with the cases, on the order of somebody."""
    return Drift(database, desk, grant_bus(settings, say), _now, who)


def _now() -> datetime:
    return datetime.now(UTC)
