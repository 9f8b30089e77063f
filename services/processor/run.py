"""Starts one processor instance, keeps it running in one event loop and ends it within seconds."""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException

from schemas.registry import SchemaRegistry
from services.processor import kafka_settings, last_word
from services.processor.allocator import merge_freed_pieces_at_once
from services.processor.answering import Answering, FetchAtEnd
from services.processor.app import Parts, Transport, build_app
from services.processor.attempts import AttemptLog
from services.processor.batch_limit import BatchLimit
from services.processor.consumer import GroupInput
from services.processor.contract import InputPartition, Processor
from services.processor.decisions import Decisions
from services.processor.disputes_reader import DisputesReader
from services.processor.errors import ExitCode, StopInstance, WaitAndRetry
from services.processor.health import Health
from services.processor.log_pace import pace
from services.processor.marking import Marking, Marks
from services.processor.metrics import Metrics
from services.processor.observation import Observation
from services.processor.partition_reader import PartitionReader, ask_about
from services.processor.policy_reader import PolicyReader
from services.processor.runner import Runner
from services.processor.schema_source import Registry, SchemaSource
from services.processor.settings import Clients, ProcessorSettings
from services.processor.tracing import tracer_for
from services.processor.transactions import Transactions
from services.processor.transport import KafkaTransport, UnknownTransport, choose
from topics.event import TopicName
from topics.names import DISPUTES, POLICY

_log = logging.getLogger(__name__)

_STOP_SECONDS: Final = 4.0
_GARBAGE_THRESHOLDS: Final = (50_000, 20, 50)


def run(
    processor: Processor, clients: Clients, settings: ProcessorSettings, registry: Registry | None = None
) -> None:
    """Run until SIGTERM, SIGINT or the end of the data path; the process ends with an ``ExitCode``."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    pace("aiokafka", "faust", "mode")
    merge_freed_pieces_at_once()
    try:
        kafka = choose(os.environ)
    except UnknownTransport as error:
        _log.error("%s", error)
        sys.exit(int(ExitCode.CANNOT_START))
    asyncio.run(_run(processor, clients, settings, registry or SchemaRegistry(clients.registry), kafka))


def arguments(program: str, given: Sequence[str] | None = None, *, grouped: bool) -> dict[str, Any]:
    """The shared command line: ``--instance``, ``--web-port`` and, where grouped, ``--group``."""
    parser = argparse.ArgumentParser(prog=program)
    parser.add_argument("--instance", type=int, default=0, help="number of this instance within its group")
    parser.add_argument("--web-port", type=int, default=None, help="loopback port of health and metrics")
    if grouped:
        parser.add_argument("--group", required=True, help="the grant group to serve")
    return vars(parser.parse_args(given))


async def _run(
    processor: Processor,
    clients: Clients,
    settings: ProcessorSettings,
    registry: Registry,
    kafka: KafkaTransport,
) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    parts = build_parts(processor, clients, settings, registry, kafka)
    app, channel = build_app(parts, clients, settings)
    transport = Transport(parts.runner, parts.readers, channel, settings)
    code = ExitCode.STOPPED
    try:
        await _start(app, transport, stop)
        _leave_garbage_alone()
        await _until_the_end(stop, transport, app)
    except StopInstance as error:
        parts.health.stopped, code = str(error), error.code
        _log.error("stopped: %s", error)
        last_word.leave(settings.data_dir, settings.instance_id, error)
    except KafkaException as error:
        code = ExitCode.CANNOT_START
        _log.error("Kafka refuses: %s", error.args[0].str())
    except Exception as error:  # noqa: BLE001 - a defect of the shell: the process ends, what is open is aborted
        code = ExitCode.FAILED
        _log.exception("the shell failed: %s", type(error).__name__)
    await _stop(app, transport)
    parts.tracer.close()
    # Here and not after the loop: Faust's own threads still call into it, and would fail on a closed one.
    logging.shutdown()
    os._exit(int(code))


def build_parts(
    processor: Processor,
    clients: Clients,
    settings: ProcessorSettings,
    registry: Registry,
    kafka: KafkaTransport,
) -> Parts:
    """Wire one instance; clients connect in the background, nothing is read yet."""
    schemas = SchemaSource(registry)
    policy = PolicyReader(lambda: _reading(POLICY, clients, settings), schemas)
    health = Health(
        settings.lease_s,
        settings.transaction_timeout_ms / 1000,
        transport=kafka.name,
        engine=getattr(processor, "engine", ""),
    )
    metrics = Metrics(settings.instance_id, settings.group, gauges=health.gauges)
    tracer = tracer_for(settings.instance_id, settings.group)
    disputes = DisputesReader(lambda: _reading(DISPUTES, clients, settings), schemas)
    marking = Marking(processor, disputes, health) if isinstance(processor, Marks) else None

    answering = Answering(
        FetchAtEnd(lambda: Consumer(kafka_settings.asking_consumer(clients.kafka, settings.group))), health
    )
    attempts = AttemptLog(settings.data_dir / f"{settings.instance_id}.attempt")
    runner = Runner(
        Decisions(processor, BatchLimit(settings.batch_records), attempts, metrics),
        settings,
        make_input=_watched_input(clients, settings, kafka, answering),
        transactions=Transactions(
            lambda: kafka.make_sender(kafka_settings.transactional_producer(clients.kafka, settings)),
            patience_s=settings.patience_s,
        ),
        reader=PartitionReader(clients.kafka, settings.group),
        policy=policy,
        schemas=schemas,
        health=health,
        observation=Observation(metrics, tracer),
        catch_up_attempts=attempts.beside(".catch-up"),
        may_decide=marking.ready if marking else lambda _: True,
    )
    metrics.lags = runner.lags
    readers = (policy, disputes, answering) if marking else (policy, answering)
    return Parts(runner, readers, health, metrics, tracer)


def _watched_input(
    clients: Clients, settings: ProcessorSettings, kafka: KafkaTransport, answering: Answering
) -> Callable[[Callable[[InputPartition], None]], GroupInput]:
    """What makes the group's input, about which Kafka is asked every few seconds."""

    def make_input(on_revoked: Callable[[InputPartition], None]) -> GroupInput:
        source = kafka.make_source(kafka_settings.input_consumer(clients.kafka, settings))
        group_input = GroupInput(source, on_revoked)
        answering.watch(group_input)
        return group_input

    return make_input


def _reading(topic: TopicName, clients: Clients, settings: ProcessorSettings) -> Consumer:
    consumer = Consumer(kafka_settings.groupless_consumer(clients.kafka, settings.group))
    # Where Kafka does not answer yet, what is read comes later.
    with contextlib.suppress(WaitAndRetry):
        ask_about(consumer, topic)
    return consumer


async def _start(app: Any, transport: Transport, stop: asyncio.Event) -> None:
    """Start app and data path side by side.

    After a crash the app's own group waits for the dead member's session; events must not wait for that.
    """
    await transport.start()
    starting: asyncio.Task[Any] = asyncio.create_task(app.start())
    stopping: asyncio.Task[Any] = asyncio.create_task(stop.wait())
    await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        stopping.cancel()
        starting.result()
    else:
        starting.cancel()


def _leave_garbage_alone() -> None:
    """What is here now stays; batches make many objects and few circles, so the rest is looked at rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


async def _until_the_end(stop: asyncio.Event, transport: Transport, app: Any) -> None:
    stopping: asyncio.Future[Any] = asyncio.create_task(stop.wait())
    while not stopping.done():
        await asyncio.wait([stopping, transport.ended], timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
        if transport.ended.done():
            stopping.cancel()
            transport.ended.result()
        if app.crashed:
            raise app.crash_reason or RuntimeError("the Faust app crashed")


async def _stop(app: Any, transport: Transport) -> None:
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await transport.stop()
            await app.stop()
    except Exception as error:  # noqa: BLE001 - the exit code says why it stopped, whatever happens on the way
        why = type(error).__name__
        _log.warning("stopping is incomplete (%s); Kafka aborts what is open", why)
