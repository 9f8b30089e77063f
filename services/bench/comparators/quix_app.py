"""Comparator (c): Quix Streams doing the same work, exactly once; runs in an environment of its own.

Run as ``python -m services.bench.comparators.quix_app DESCRIPTION``; it ends on SIGTERM.
"""

import sys
from typing import Any

# Installed in this comparator's environment only.
from quixstreams import Application, message_context  # type: ignore[import-not-found]
from quixstreams.kafka import ConnectionConfig  # type: ignore[import-not-found]
from quixstreams.models.serializers import Serializer  # type: ignore[import-not-found]

from services.bench.comparators.work import Out, read_description, worker


class OutSerializer(Serializer):  # type: ignore[misc]
    """Writes the value of an output."""

    def __call__(self, value: Out, ctx: Any) -> bytes | None:  # noqa: ARG002 - called by this name
        """The bytes to write."""
        return value.value


def build_app(description: dict[str, Any]) -> Any:
    """One branch per output topic."""
    kafka = description["kafka"]
    app = Application(
        broker_address=ConnectionConfig(
            bootstrap_servers=kafka["bootstrap.servers"],
            security_protocol="sasl_plaintext",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_username=kafka["sasl.username"],
            sasl_password=kafka["sasl.password"],
        ),
        consumer_group=description["group"],
        auto_offset_reset="earliest",
        auto_create_topics=False,
        processing_guarantee="exactly-once",
        commit_interval=0.5,
        consumer_extra_config={"fetch.wait.max.ms": 20},
        producer_extra_config={
            "transactional.id": description["group"],
            "compression.type": description["compression"],
            "linger.ms": 5,
        },
        loglevel="WARNING",
    )
    decide = worker(description)
    topics = sorted({copy["topic"] for copy in description["copies"]})
    made = {
        name: app.topic(name, value_serializer=OutSerializer(), key_serializer="bytes") for name in topics
    }
    for name in description["inputs"]:
        source = app.topic(name, value_deserializer="bytes", key_deserializer="bytes")
        _branches(app.dataframe(source), name, decide, made)
    return app


def _branches(frame: Any, name: str, decide: Any, topics: dict[str, Any]) -> None:
    def decided(value: bytes, key: bytes, timestamp: int, headers: Any) -> dict[str, Out]:
        context = message_context()
        outs = decide(name, context.partition, context.offset, key, value, timestamp, headers or [])
        return {out.topic: out for out in outs}

    outs = frame.apply(decided, metadata=True)
    for topic, made in topics.items():
        one = outs.filter(lambda found, topic=topic: topic in found)
        one = one.apply(lambda found, topic=topic: found[topic])
        one = one.set_headers(lambda out, *_rest: out.headers)
        one.to_topic(made, key=lambda out: out.key)


def main() -> None:
    """Run the application."""
    build_app(read_description(sys.argv[1])).run()


if __name__ == "__main__":
    main()
