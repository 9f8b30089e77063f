"""Reads the topic ``policy`` from near its end on, and goes on: every instance for itself."""

import asyncio
import hashlib
import io
import logging
from collections.abc import Callable
from typing import Any, Final

import fastavro
from confluent_kafka import Consumer
from pydantic import ValidationError

from schemas.load import control_schema
from services.processor.errors import WaitAndRetry
from services.processor.followed_topic import FollowedTopic
from services.processor.schema_source import SchemaSource
from topics.names import POLICY
from topics.policy import Policy
from topics.wire import NotFramed, split

_log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.05
_AT_ONCE: Final = 8
_LOOK_BACK: Final = 4
"""In offsets: two versions, each with the mark of its transaction."""


class PolicyUnreadable(Exception):  # noqa: N818 - the runner stops deciding until a readable version follows
    """A policy record that is not what ``apply`` writes."""


class PolicyReader:
    """The newest valid policy, and whether the topic was read to its end; fails closed.

    A record that cannot be read blocks the processor (it may withdraw a grant) until a higher version comes.

    Nobody needs older versions, so reading begins near the end, as far back as it takes to see one follow
    the one before it. That leads to what the whole topic does (docs/adr/0061-policy-from-the-tail.md).
    """

    def __init__(self, make_consumer: Callable[[], Consumer], schemas: SchemaSource) -> None:
        self._topic = FollowedTopic(POLICY, make_consumer, _AT_ONCE, _LOOK_BACK)
        self._schemas = schemas
        self._risen = False
        """Whether a version followed the one before it; what stands before both says nothing newer."""
        self.newest: Policy | None = None
        self.problem: str | None = "the policy topic is not read to its end yet"
        self.blocked: str | None = None
        """Why nothing may be decided though there is a policy; None where all is well."""

    @property
    def caught_up(self) -> bool:
        """Whether every record that counts was read and judged, up to the end."""
        return self._topic.caught_up and (self._topic.whole or self._risen)

    def read_again(self) -> None:
        """Be caught up only when the end that the topic has from now on was read."""
        self._topic.read_again()

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(POLL_SECONDS)

    async def step(self) -> None:
        """Take what has arrived and judge it in order."""
        self.problem = await self._topic.poll() or self.problem
        while self._topic.unread:
            try:
                await self._judge(self._topic.unread[0])
            except WaitAndRetry as error:
                self.problem = str(error)
                return
            self._topic.unread.popleft()
        if self._topic.caught_up and not self.caught_up:
            self._topic.look_further_back()
            self.newest = self.blocked = None
        if self.caught_up:
            self.problem = None if self.newest else "the policy topic is empty: nothing may be decided"

    async def close(self) -> None:
        """Let the consumer go."""
        await self._topic.close()

    def accept(self, policy: Policy) -> None:
        """Take a higher version; refuse a lower one, and another content under a known number.

        Raises:
            PolicyUnreadable: the same number with another content.
        """
        if self.newest is not None and policy.version == self.newest.version:
            if policy.digest() != self.newest.digest():
                raise PolicyUnreadable(
                    f"policy version {policy.version} appears twice with different content"
                )
            return
        if self.newest is not None and policy.version < self.newest.version:
            _log.error("policy version %d refused: %d is known", policy.version, self.newest.version)
            return
        if self.newest is not None and policy.version == self.newest.version + 1:
            self._risen = True
        self.newest, self.blocked = policy, None

    async def _judge(self, value: bytes) -> None:
        try:
            self.accept(await self._decode(value))
        except PolicyUnreadable as error:
            self.blocked = str(error)
            _log.error("a policy record is refused: %s", error)

    async def _decode(self, value: bytes) -> Policy:
        try:
            schema_id, body = split(value)
        except NotFramed as error:
            raise PolicyUnreadable(f"policy record: {error}") from error
        schemas = await self._schemas.resolve([schema_id])
        if schema_id not in schemas:
            raise PolicyUnreadable(f"policy record: the registry knows no schema {schema_id}")
        return read_policy(body, schemas[schema_id])


def read_policy(body: bytes, writer_schema: Any) -> Policy:
    """Decode the Avro bytes of a policy record and check its digest and number.

    Raises:
        PolicyUnreadable: any of it does not hold.
    """
    try:
        record: Any = fastavro.schemaless_reader(
            io.BytesIO(body),
            fastavro.parse_schema(writer_schema),
            fastavro.parse_schema(control_schema("PolicyVersion")),
        )
        policy = Policy.model_validate_json(record["document"])
    except ValidationError as error:
        raise PolicyUnreadable(f"policy document: {error.error_count()} errors") from error
    except Exception as error:
        raise PolicyUnreadable(f"policy record: {type(error).__name__}") from error
    if hashlib.sha256(record["document"].encode()).hexdigest() != record["digest"]:
        raise PolicyUnreadable(f"policy version {policy.version}: the digest does not fit the document")
    if record["version"] != policy.version:
        raise PolicyUnreadable(f"policy version {policy.version} is announced as {record['version']}")
    return policy
