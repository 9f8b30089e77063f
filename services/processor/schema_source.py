"""Resolves the schema ids of a batch without stopping the event loop; knows absent from unavailable."""

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, Final, Protocol

from schemas.registry import RegistryRefused, RegistryUnavailable, SchemaNotFound
from services.processor.errors import WaitAndRetry
from topics.event import SchemaId

_ABSENT_FOR_SECONDS: Final = 5.0
_MOST_ABSENT: Final = 10_000
"""Remembered as absent; what would be more is asked for again."""
_SIDE_BY_SIDE: Final = 8
_PATIENCE_SECONDS: Final = 2.0
"""Well under the lease of an instance, whose loop turns again only after it."""


class Registry(Protocol):
    """What is needed of ``schemas.registry.SchemaRegistry``."""

    def schema(self, schema_id: SchemaId) -> dict[str, Any]:
        """The schema of that id."""
        ...


class SchemaSource:
    """Schemas by id: kept for ever when found, not asked for again within seconds when unknown.

    Ids are asked for side by side, and nobody waits for longer than ``patience_s``. What was asked and not
    answered by then is not asked twice: its answer counts when it comes.
    """

    def __init__(
        self,
        registry: Registry,
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = _PATIENCE_SECONDS,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._patience_s = patience_s
        self._found: dict[SchemaId, Any] = {}
        self._absent_until: dict[SchemaId, float] = {}
        """Oldest first."""
        self._asking: dict[SchemaId, Future[Any]] = {}
        self._pool = ThreadPoolExecutor(_SIDE_BY_SIDE, "schemas")

    def unknown(self, ids: Iterable[SchemaId]) -> frozenset[SchemaId]:
        """Those of the ids that the registry would have to be asked for."""
        now = self._clock()
        return frozenset(
            each for each in ids if each not in self._found and now >= self._absent_until.get(each, now)
        )

    async def resolve(self, ids: Iterable[SchemaId]) -> dict[SchemaId, Any]:
        """A parsed schema per id; an id that the registry does not know is absent.

        Raises:
            WaitAndRetry: the registry does not answer or refuses us; nothing can be said about the ids.
        """
        wanted = frozenset(ids)
        unknown = self.unknown(wanted)
        if unknown:
            await self._look_up(unknown)
        return {schema_id: self._found[schema_id] for schema_id in wanted if schema_id in self._found}

    async def _look_up(self, ids: Iterable[SchemaId]) -> None:
        for schema_id in sorted(ids):
            if schema_id not in self._asking:
                self._asking[schema_id] = self._pool.submit(self._registry.schema, schema_id)
        asked = {schema_id: self._asking[schema_id] for schema_id in ids}
        await asyncio.to_thread(wait, asked.values(), self._patience_s)
        problem = ""
        for schema_id, future in asked.items():
            if future.done() or future.cancel():
                del self._asking[schema_id]
            problem = problem or self._take(schema_id, future)
        if problem:
            raise WaitAndRetry(f"schema registry: {problem}")

    def _take(self, schema_id: SchemaId, future: "Future[Any]") -> str:
        """Keep the answer; says why there is none."""
        try:
            self._found[schema_id] = future.result(0)
        except SchemaNotFound:
            self._note_absent(schema_id)
        except (RegistryUnavailable, RegistryRefused) as error:
            return str(error)
        except (TimeoutError, CancelledError):
            return f"no answer for {self._patience_s:g} s"
        return ""

    def _note_absent(self, schema_id: SchemaId) -> None:
        now = self._clock()
        self._absent_until.pop(schema_id, None)
        self._absent_until[schema_id] = now + _ABSENT_FOR_SECONDS
        for oldest, until in list(islice(self._absent_until.items(), 2)):
            # Two out for each one in: what is over goes, and there are never more than so many.
            if until <= now or len(self._absent_until) > _MOST_ABSENT:
                del self._absent_until[oldest]
