"""Kafka's client quotas, which librdkafka's admin client does not offer: two requests of the Kafka protocol.

The requests are AlterClientQuotas (49) and DescribeClientQuotas (48) in version 0 (KIP-546), sent through
aiokafka's client, which knows how to log in.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from aiokafka.client import AIOKafkaClient  # type: ignore[import-untyped,unused-ignore]
from aiokafka.protocol.admin import DescribeClientQuotasRequest  # type: ignore[import-untyped,unused-ignore]
from aiokafka.protocol.api import Request, RequestStruct, Response  # type: ignore[import-untyped,unused-ignore]
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String  # type: ignore[import-untyped,unused-ignore]

from services.control.state import Quota

_FETCH: Final = "consumer_byte_rate"
_PRODUCE: Final = "producer_byte_rate"
_ANY_NAME: Final = 2
_TEXT: Final = String("utf-8")
_ENTITY: Final = Array(("entity_type", _TEXT), ("entity_name", _TEXT))


class QuotaRefused(Exception):  # noqa: N818 - says what happened to the request
    """The broker did not take a quota; the message says why."""


class _AlterResponse(Response):  # type: ignore[misc]
    API_KEY = 49
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", _TEXT), ("entity", _ENTITY))),
    )


class _AlterStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = _AlterResponse
    SCHEMA = Schema(
        (
            "entries",
            Array(
                ("entity", _ENTITY),
                ("ops", Array(("key", _TEXT), ("value", Float64), ("remove", Boolean))),
            ),
        ),
        ("validate_only", Boolean),
    )


_AlterStructs: TypeAlias = _AlterStruct


class _AlterRequest(Request[_AlterStructs]):  # type: ignore[misc]
    API_KEY = 49

    def __init__(self, quotas: Mapping[str, Quota]) -> None:
        self._quotas = quotas

    def build(self, request_struct_class: type[_AlterStruct]) -> _AlterStruct:
        return request_struct_class([_entry(user, quota) for user, quota in self._quotas.items()], False)


def _entry(user: str, quota: Quota) -> tuple[Any, ...]:
    operations = [(_FETCH, float(quota.fetch_bytes), False), (_PRODUCE, float(quota.produce_bytes), False)]
    return [("user", user)], operations


def read_quotas(kafka_config: Mapping[str, Any]) -> dict[str, Quota]:
    """The quotas of every user that has both of ours, as the broker applies them.

    Raises:
        QuotaRefused: the broker refused the question.
    """
    answer = asyncio.run(_send(kafka_config, DescribeClientQuotasRequest([("user", _ANY_NAME, None)], True)))
    if answer.error_code:
        raise QuotaRefused(f"quotas cannot be read: {answer.error_message or answer.error_code}")
    found = {}
    for entity, values in answer.entries:
        rates = dict(values)
        if _FETCH in rates and _PRODUCE in rates:
            found[str(entity[0][1])] = Quota(int(rates[_FETCH]), int(rates[_PRODUCE]))
    return found


def set_quotas(kafka_config: Mapping[str, Any], quotas: Mapping[str, Quota]) -> None:
    """Set the users' quotas.

    Raises:
        QuotaRefused: the broker did not take one.
    """
    answer = asyncio.run(_send(kafka_config, _AlterRequest(quotas)))
    for code, message, entity in answer.entries:
        if code:
            raise QuotaRefused(f"quota of {entity[0][1]}: {message or code}")


async def _send(config: Mapping[str, Any], request: Request[Any]) -> Any:
    """Send to the controller's node: on KRaft any broker forwards, the first one known will do."""
    client = AIOKafkaClient(
        bootstrap_servers=config["bootstrap.servers"],
        security_protocol=config["security.protocol"],
        sasl_mechanism=config["sasl.mechanism"],
        sasl_plain_username=config["sasl.username"],
        sasl_plain_password=config["sasl.password"],
        client_id="apply-quotas",
    )
    await client.bootstrap()
    try:
        return await client.send(client.get_random_node(), request)
    finally:
        await client.close()
