"""Reads the topic ``disputes`` whole, once a policy names it, and goes on: every instance for itself."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from confluent_kafka import Consumer

from services.processor.errors import WaitAndRetry
from services.processor.followed_topic import FollowedTopic
from services.processor.policy_reader import POLL_SECONDS
from services.processor.schema_source import SchemaSource
from topics.disputes import DisputeChange, Disputes, Folding, RefuseChange, change_from
from topics.engine.reference import ReferenceCodec, Undecodable, usable_codec
from topics.event import SchemaId
from topics.names import DISPUTES
from topics.wire import NotFramed, split

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 2_000
_BEHIND_SECONDS: Final = 0.005


class DisputesReader:
    """The disputes that are open, and whether the topic was read to its end.

    A change that cannot be read or does not follow leaves the disputes as they were and is told; the next
    one that follows is taken again. Nothing that is delivered waits for it.
    """

    def __init__(self, make_consumer: Callable[[], Consumer], schemas: SchemaSource) -> None:
        self._topic = FollowedTopic(DISPUTES, make_consumer, _AT_ONCE)
        self._schemas = schemas
        self._codecs: dict[SchemaId, ReferenceCodec] = {}
        self._folding = Folding()
        self._wanted = False
        self.newest = Disputes()
        self.problem: str | None = "the topic of disputes is not read to its end yet"
        """Why it is not read to its end; None where it is."""
        self.refused: str | None = None
        """Why the last change was not taken; None where it was."""

    @property
    def caught_up(self) -> bool:
        """Whether every record up to the end was read and judged."""
        return self._topic.caught_up

    def want(self) -> None:
        """Begin to read: there is such a topic."""
        self._wanted = True

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            if self._wanted:
                await self.step()
            behind = self._wanted and not self.caught_up
            await asyncio.sleep(_BEHIND_SECONDS if behind else POLL_SECONDS)

    async def step(self) -> None:
        """Take what has arrived, in order."""
        self.problem = await self._topic.poll() or self.problem
        await self._take_all()
        if self._folding.number != self.newest.number:
            self.newest = self._folding.disputes()
        if self.caught_up:
            self.problem = None

    async def close(self) -> None:
        """Let the consumer go."""
        await self._topic.close()

    async def _take_all(self) -> None:
        while self._topic.unread:
            try:
                self._folding.take(await self._decode(self._topic.unread[0]))
                self.refused = None
            except WaitAndRetry as error:
                self.problem = str(error)
                return
            except RefuseChange as error:
                self.refused = str(error)
                _log.error("a change of the disputes is not taken: %s", error)
            self._topic.unread.popleft()

    async def _decode(self, value: bytes) -> DisputeChange:
        try:
            schema_id, body = split(value)
            return change_from((await self._codec(schema_id)).decode(body))
        except (NotFramed, Undecodable) as error:
            raise RefuseChange(f"a record of the disputes: {error}") from error

    async def _codec(self, schema_id: SchemaId) -> ReferenceCodec:
        if schema_id not in self._codecs:
            schema = (await self._schemas.resolve([schema_id])).get(schema_id)
            codec = None if schema is None else usable_codec(schema)
            if codec is None:
                raise RefuseChange(f"the registry knows no usable schema {schema_id} of a change")
            self._codecs[schema_id] = codec
        return self._codecs[schema_id]
