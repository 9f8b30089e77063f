"""Comparator (b): a stock Faust agent with fastavro doing the same work, at least once, without a ledger.

Run as ``python -m services.bench.comparators.faust_agent DESCRIPTION``; it ends on SIGTERM.
"""

import sys
import tempfile
from typing import Any

import faust

from services.bench.comparators.work import read_description, worker


def build_app(description: dict[str, Any]) -> faust.App:
    """The app, written as Faust's documentation shows it."""
    kafka = description["kafka"]
    app = faust.App(
        description["group"],
        broker=f"kafka://{kafka['bootstrap.servers']}",
        broker_credentials=faust.SASLCredentials(
            username=kafka["sasl.username"], password=kafka["sasl.password"], mechanism="SCRAM-SHA-512"
        ),
        topic_allow_declare=False,
        topic_disable_leader=True,
        store="memory://",
        datadir=tempfile.mkdtemp(prefix="govbus-bench-faust-"),
        consumer_auto_offset_reset="earliest",
        producer_compression_type=None if description["compression"] == "none" else "lz4",
        # More often than the 2.8 s of the default, so that its progress can be seen.
        broker_commit_interval=0.5,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    decide = worker(description)
    sources = app.topic(
        *description["inputs"], key_serializer="raw", value_serializer="raw", key_type=bytes, value_type=bytes
    )
    outputs: dict[str, Any] = {}

    def topic_of(name: str) -> Any:
        if name not in outputs:
            outputs[name] = app.topic(name, key_serializer="raw", value_serializer="raw")
        return outputs[name]

    @app.agent(sources)
    async def move(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            outs = decide(
                message.topic,
                message.partition,
                message.offset,
                message.key,
                message.value,
                int(message.timestamp * 1000),
                message.headers,
            )
            for out in outs:
                await topic_of(out.topic).send(
                    key=out.key, value=out.value, partition=out.partition, headers=out.headers
                )

    return app


def main() -> None:
    """Run a Faust worker."""
    app = build_app(read_description(sys.argv[1]))
    faust.Worker(app, loglevel="WARNING").execute_from_commandline()


if __name__ == "__main__":
    main()
