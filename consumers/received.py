"""A record as it is handed to a department's handler."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from topics.delivery import Delivery, DeliveryOrder, milliseconds
from topics.event import GrantId, KafkaRecord, Operation, PolicyNumber, SourcePosition

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Received:
    """One delivered record, decoded. Its printed form shows neither key nor value: both may name a person."""

    key: dict[str, Any] = field(repr=False)
    """``{"pseudonym": …}``, or ``{"identity": …, "record_id": …}`` where the grant shows them anyway."""
    value: dict[str, Any] | None = field(repr=False)
    """The items of the grant; None where the record was deleted or has left the grant's scope."""
    delivery: Delivery
    source: KafkaRecord = field(repr=False)

    @property
    def operation(self) -> Operation:
        """``DELETE`` exactly where there is no value."""
        return Operation.DELETE if self.value is None else self.delivery.operation

    @property
    def order(self) -> DeliveryOrder:
        """What is compared per key; the greater one is newer."""
        return self.delivery.order

    @property
    def position(self) -> SourcePosition:
        """Where the change stands in its source."""
        return self.delivery.position

    @property
    def grant(self) -> GrantId:
        """The grant under which it was delivered."""
        return self.delivery.grant

    @property
    def generation(self) -> int:
        """The grant's generation; it rises when the whole volume is delivered again."""
        return self.delivery.grant_generation

    @property
    def policy_version(self) -> PolicyNumber:
        """The policy version that decided the delivery."""
        return self.delivery.policy_version

    @property
    def marks(self) -> tuple[str, ...]:
        """Names of the quality rules that marked the record."""
        return self.delivery.marks

    @property
    def disputed(self) -> tuple[str, ...]:
        """Items that are reported as wrong and not corrected yet; ``*`` stands for the whole record."""
        return self.delivery.disputed

    @property
    def source_time(self) -> datetime:
        """When the source committed the change, in UTC."""
        return _EPOCH + timedelta(milliseconds=milliseconds(self.delivery.ce_time))

    @property
    def change_id(self) -> str:
        """The original change's id (``ce_id``), to name in questions to the provider."""
        return self.delivery.ce_id

    @property
    def coordinates(self) -> str:
        """``topic:partition:offset`` of the delivered record."""
        return self.source.coordinates


Handler = Callable[[Received], None]
