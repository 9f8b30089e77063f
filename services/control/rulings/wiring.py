"""Puts the worker of rulings together over an embedded stack, for the control process and for a command."""

from collections.abc import Callable
from datetime import UTC, datetime

from services.control.access import Access
from services.control.definitions import Definitions
from services.control.ruling_order import RulingOrder
from services.control.rulings.kafka_bus import KafkaRulingBus
from services.control.rulings.worker import RulingWorker
from services.control.settings import ApplySettings
from services.control.store.database import ControlDatabase
from services.control.suspension.finish import now_ms


def ruling_order(access: Access, settings: ApplySettings, definitions: Definitions) -> RulingOrder:
    """What carries one ruling out; nothing is asked of the bus yet."""
    return RulingOrder(KafkaRulingBus(access, access.admin(), settings), definitions, now_ms)


def ruling_worker(database: ControlDatabase, order: RulingOrder, say: Callable[[str], None]) -> RulingWorker:
    """What carries those out that the database owes."""
    return RulingWorker(database, order, _now, say)


def _now() -> datetime:
    return datetime.now(UTC)
