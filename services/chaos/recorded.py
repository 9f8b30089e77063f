"""Reads what the bus wrote as it is compared: under which key, from which change, by which chain; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from services.chaos.oracle import Form
from services.chaos.sequences import Item, content, origin
from services.ledger.blocks import Chain
from services.ledger.decode import Decoder, Undecodable
from topics.event import KafkaRecord, TopicName
from topics.names import GATE_GROUP

_SENSELESS: Final[Mapping[str, Any]] = {"undecodable": True}


class Recorded(NamedTuple):
    """One record of an output topic."""

    key: str
    item: Item
    chain: Chain


@dataclass(slots=True)
class Reading:
    """Turns records into what is compared; takes the canonical topic in its order."""

    decoder: Decoder
    raw: TopicName
    canonical_topic: TopicName
    fanout_group: str
    _last: dict[str, tuple[int, Chain]] = field(default_factory=dict)
    """Canonical key → raw place and chain of its newest record, to which a tombstone belongs."""

    def canonical(self, record: KafkaRecord) -> Recorded:
        """A record of the canonical topic."""
        named, value = self.decoder.key(record) or {}, self._value(record)
        key = f"{named['identity']}|{named['record_id']}"
        if value is _SENSELESS:
            return Recorded(key, Item(0, content(record.value)), Chain(GATE_GROUP, self.raw, -1))
        if value is None:
            place, chain = self._last.get(key, (0, Chain(GATE_GROUP, self.raw, -1)))
            return Recorded(key, Item(place | Form.TOMBSTONE, content(record.partition)), chain)
        partition, offset = value["raw_partition"], value["raw_offset"]
        chain = Chain(GATE_GROUP, TopicName(value["raw_topic"]), partition)
        self._last[key] = origin(partition, offset, Form.STATE), chain
        form = Form.LAST if value["operation"] == "delete" else Form.STATE
        previous = None if value["previous"] is None else value["previous"]["household_district"]
        said = content(
            record.partition,
            value["operation"],
            value["commit"],
            value["previous_known"],
            previous,
            tuple(value["marks"]),
            _items(value["state"]),
        )
        return Recorded(key, Item(origin(partition, offset, form), said), chain)

    def quarantined(self, record: KafkaRecord) -> Recorded:
        """A record of the provider's quarantine."""
        value = self.decoder.value(record) or {}
        row = self.decoder.decode(value["key"])["id"]
        item = Item(
            origin(value["partition"], value["offset"], Form.STATE), content(value["reason"], value["value"])
        )
        return Recorded(f"row {row}", item, Chain(GATE_GROUP, TopicName(value["topic"]), value["partition"]))

    def delivered(self, record: KafkaRecord) -> Recorded:
        """A record of a grant's topic."""
        headers = {name: value.decode() for name, value in record.headers}
        _, partition, offset = headers["ce_id"].rsplit("/", 2)
        grant, _, _ = headers["govbus_grant"].rpartition("@")
        commit = int(headers["govbus_position"].split(".")[2])
        _, _, operation = headers["ce_type"].rpartition(".")
        form = Form.TOMBSTONE if record.value is None else Form.STATE
        shown = _items(self._value(record)) or ()
        said = content(record.partition, grant, operation, commit, shown)
        key = str((self.decoder.key(record) or {})["pseudonym"])
        chain = Chain(self.fanout_group, self.canonical_topic, record.partition)
        return Recorded(key, Item(origin(int(partition), int(offset), form), said), chain)

    def _value(self, record: KafkaRecord) -> Mapping[str, Any] | None:
        try:
            return self.decoder.value(record)
        except Undecodable:
            return _SENSELESS


def _items(record: Mapping[str, Any] | None) -> tuple[tuple[str, object], ...] | None:
    return None if record is None else tuple(sorted(record.items()))
