"""Chooses the transport of the data path: librdkafka's C API where it proves itself, else confluent-kafka."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, Producer

from services.processor.clients import ConfluentSender, ConfluentSource, Sender, Source
from topics.engine import native

_log = logging.getLogger(__name__)

VARIABLE: Final = "GOVBUS_TRANSPORT"
NATIVE: Final = "native"
CONFLUENT: Final = "confluent"

Settings = Mapping[str, Any]


class UnknownTransport(Exception):  # noqa: N818 - the operator corrects a setting
    """The environment asks for a transport that does not exist, or for one that does not work here."""


@dataclass(frozen=True, slots=True)
class KafkaTransport:
    """How records come in and go out."""

    name: str
    make_sender: Callable[[Settings], Sender]
    make_source: Callable[[Settings], Source]


def choose(environ: Mapping[str, str]) -> KafkaTransport:
    """The transport to use: ``GOVBUS_TRANSPORT`` if set, else native if its self-test passes.

    Raises:
        UnknownTransport: see there.
    """
    wanted = environ.get(VARIABLE) or None
    if wanted == CONFLUENT:
        return confluent()
    if wanted not in (None, NATIVE):
        raise UnknownTransport(f"{VARIABLE} is {wanted!r}; it may be {NATIVE} or {CONFLUENT}")
    doubt = doubt_about_native()
    if doubt is None:
        return native_transport()
    if wanted == NATIVE:
        raise UnknownTransport(f"{VARIABLE} is {NATIVE}, but {doubt}")
    _log.warning("records travel through confluent-kafka, which is slower: %s", doubt)
    return confluent()


def confluent() -> KafkaTransport:
    """Through confluent-kafka's own calls."""
    return KafkaTransport(
        CONFLUENT,
        lambda settings: ConfluentSender(Producer(dict(settings))),
        lambda settings: ConfluentSource(Consumer(dict(settings))),
    )


def native_transport() -> KafkaTransport:
    """Through librdkafka's C API.

    Raises:
        ImportError: it was not compiled.
    """
    sender = native.module("services.processor.native_producer").NativeProducer
    source = native.module("services.processor.native_consumer").NativeConsumer
    return KafkaTransport(NATIVE, sender, source)


def doubt_about_native() -> str | None:
    """Why the native transport is not to be used; None after a transaction came back as it was sent."""
    try:
        check = native.module("services.processor.native_check")
        check.self_test(native_transport())
    except (ImportError, KafkaException, OSError) as error:
        return f"{type(error).__name__}: {error}"
    except Exception as error:  # noqa: BLE001 - any doubt is one
        return f"the self-test failed with {type(error).__name__}: {error}"
    return None
