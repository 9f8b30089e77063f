"""Resolves the schema ids of a batch without stopping the event loop; knows absent from unavailable."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from schemas.registry import RegistryRefused, RegistryUnavailable, SchemaNotFound
from services.processor.errors import WaitAndRetry
from topics.event import SchemaId

_ABSENT_FOR_SECONDS: Final = 5.0


class Registry(Protocol):
    """What is needed of ``schemas.registry.SchemaRegistry``."""

    def schema(self, schema_id: SchemaId) -> dict[str, Any]:
        """The schema of that id."""
        ...


class SchemaSource:
    """Schemas by id: kept for ever when found, not asked for again within seconds when unknown."""

    def __init__(self, registry: Registry, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._found: dict[SchemaId, Any] = {}
        self._absent_until: dict[SchemaId, float] = {}

    async def resolve(self, ids: Iterable[SchemaId]) -> dict[SchemaId, Any]:
        """A parsed schema per id; an id that the registry does not know is absent.

        Raises:
            WaitAndRetry: the registry does not answer or refuses us; nothing can be said about the ids.
        """
        wanted = frozenset(ids)
        for schema_id in sorted(wanted - self._found.keys()):
            if self._clock() >= self._absent_until.get(schema_id, 0.0):
                await self._look_up(schema_id)
        return {schema_id: self._found[schema_id] for schema_id in wanted if schema_id in self._found}

    async def _look_up(self, schema_id: SchemaId) -> None:
        try:
            self._found[schema_id] = await asyncio.to_thread(self._registry.schema, schema_id)
        except SchemaNotFound:
            self._absent_until[schema_id] = self._clock() + _ABSENT_FOR_SECONDS
        except (RegistryUnavailable, RegistryRefused) as error:
            raise WaitAndRetry(f"schema registry: {error}") from error
