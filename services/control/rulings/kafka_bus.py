"""The running bus as a ruling sees it: the schemas of a resource, beside policy, answers and ledger."""

from dataclasses import dataclass
from typing import Any

from producers.publication import publication_schema
from schemas.registry import SchemaRegistry
from services.control.suspension.kafka_bus import KafkaBus
from topics import names
from topics.canonical import CANONICAL_KEY_SCHEMA, envelope_schema
from topics.event import SchemaId
from topics.resource import DirectPublication, Resource


@dataclass(frozen=True, slots=True)
class KafkaRulingBus(KafkaBus):
    """See ``services.control.ruling_order.RulingBus``."""

    def schema_ids(self, resource: Resource, item_schema: dict[str, Any]) -> tuple[SchemaId, SchemaId]:
        """Register what apply would register for the resource; what is registered already has its id."""
        registry = SchemaRegistry(self.access.registry_credentials("apply"))
        topic = resource.canonical_topic
        if isinstance(resource.source, DirectPublication):
            registry.register(names.value_subject(resource.raw_topic), publication_schema(item_schema))
        key = registry.register(names.key_subject(topic), CANONICAL_KEY_SCHEMA)
        value = envelope_schema(item_schema, resource.scope_items)
        return key, registry.register(names.value_subject(topic), value)
