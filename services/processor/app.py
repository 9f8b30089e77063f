"""The Faust app around a runner: an agent takes whole batches from a channel, pages tell how it is."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import faust
from mode import Service
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from services.processor.acknowledgement import read_acknowledgement
from services.processor.contract import Batch
from services.processor.errors import StopInstance
from services.processor.health import Health
from services.processor.metrics import CONTENT_TYPE, Metrics
from services.processor.requirements import faust_app_id
from services.processor.runner import Runner
from services.processor.settings import Clients, ProcessorSettings
from services.processor.tracing import Tracer
from topics.names import POLICY_ACKNOWLEDGEMENTS

_log = logging.getLogger(__name__)

_STOP_SECONDS: Final = 2.0
_LONGEST_PAUSE_SECONDS: Final = 0.03


class BatchChannel(faust.Channel[Any]):
    """A channel that the app's flow control does not touch.

    A rebalance of the app's own topics suspends the app's queues and then empties them; a batch lost that way
    would never be answered.
    """

    @property
    def queue(self) -> "ThrowableQueue[Any]":
        """The queue of this channel or of one of its iterators."""
        if self._queue is None:
            flow = FlowControlEvent(initially_suspended=False)
            self._queue = ThrowableQueue(maxsize=1, flow_control=flow)
        return self._queue


class Reader(Protocol):
    """Reads a topic beside the batches."""

    async def run(self) -> None:
        """Until cancelled."""
        ...

    async def close(self) -> None:
        """Let its consumer go."""
        ...


@dataclass(slots=True)
class Delivery:
    """A turn's batches on their way to the agent; ``done`` is set when all are committed or given back."""

    batches: Sequence[Batch]
    done: "asyncio.Future[None]"


class Transport(Service):
    """Feeds batches to the agent, one at a time, and reads policy and disputes beside it."""

    def __init__(
        self, runner: Runner, readers: Sequence[Reader], channel: Any, settings: ProcessorSettings
    ) -> None:
        super().__init__()
        self._runner = runner
        self._readers = readers
        self._channel = channel
        self._idle_sleep_s = settings.idle_sleep_s
        self._loops: list[asyncio.Task[None]] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Set when the data path ends by itself, with the reason."""

    async def on_start(self) -> None:
        """Start the loops."""
        for loop in (*(reader.run() for reader in self._readers), self._feed()):
            task = asyncio.create_task(loop)
            task.add_done_callback(self._on_done)
            self._loops.append(task)

    async def on_stop(self) -> None:
        """Stop at once: what is not committed within moments is aborted and comes again."""
        for task in self._loops:
            task.cancel()
        await asyncio.wait(self._loops, timeout=_STOP_SECONDS)
        await self._runner.close()
        for reader in self._readers:
            await reader.close()

    async def _feed(self) -> None:
        while not self._channel.subscriber_count:
            # Until the agent listens, a batch would go nowhere.
            await asyncio.sleep(self._idle_sleep_s)
        pause = self._idle_sleep_s
        while True:
            batches = await self._runner.next_batches()
            if batches:
                pause = self._idle_sleep_s
                delivery = Delivery(batches, asyncio.get_running_loop().create_future())
                # Put, not sent: a sent event may be dropped by a rebalance of the app's own topics.
                await self._channel.put(delivery)
                await delivery.done
            else:
                # The longer nothing comes, the longer the pause: an idle instance leaves the processor alone.
                pause = min(pause * 1.2, _LONGEST_PAUSE_SECONDS)
                await self._runner.wait(pause)
            await asyncio.sleep(0)

    def _on_done(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled() or self.ended.done():
            return
        error = task.exception()
        if error is not None:
            self.ended.set_exception(error)


@dataclass(slots=True)
class Parts:
    """What the app is built around; made by ``services.processor.run``."""

    runner: Runner
    readers: Sequence[Reader]
    health: Health
    metrics: Metrics
    tracer: Tracer


def build_app(parts: Parts, clients: Clients, settings: ProcessorSettings) -> tuple[faust.App, Any]:
    """The app and the channel its data agent reads; neither connects to anything before it is started."""
    app = faust.App(
        faust_app_id(settings.group),
        broker=f"kafka://{str(clients.kafka['bootstrap.servers']).replace(',', ';kafka://')}",
        broker_credentials=_credentials(clients),
        broker_client_id=f"faust-{settings.instance_id}",
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        store="memory://",
        processing_guarantee="at_least_once",
        table_standby_replicas=0,
        datadir=str(settings.data_dir),
        web_bind="127.0.0.1",
        web_host="127.0.0.1",
        web_port=settings.web_port,
        # None of these may show data or internals; the pages below are all there is.
        web_tables_enabled=False,
        web_router_enabled=False,
        web_stats_enabled=False,
        web_graph_enabled=False,
        web_metrics_enabled=False,
        worker_redirect_stdouts=False,
    )
    channel = BatchChannel(app, maxsize=1)
    _data_agent(app, channel, parts.runner)
    _acknowledgement_agent(app, parts.health)
    _pages(app, parts)
    return app, channel


def _credentials(clients: Clients) -> faust.SASLCredentials | None:
    if "sasl.username" not in clients.kafka:
        return None
    return faust.SASLCredentials(
        username=clients.kafka["sasl.username"],
        password=clients.kafka["sasl.password"],
        mechanism=clients.kafka.get("sasl.mechanism", "SCRAM-SHA-512"),
    )


def _data_agent(app: faust.App, channel: Any, runner: Runner) -> None:
    @app.agent(channel, name="batches")
    async def decide_batches(deliveries: Any) -> None:
        async for delivery in deliveries:
            try:
                await runner.process(delivery.batches)
            except BaseException as error:
                if not delivery.done.done():
                    delivery.done.set_exception(
                        error if isinstance(error, Exception) else RuntimeError("cancelled")
                    )
                if not isinstance(error, StopInstance):
                    raise
            else:
                if not delivery.done.done():
                    delivery.done.set_result(None)


def _acknowledgement_agent(app: faust.App, health: Health) -> None:
    topic = app.topic(
        POLICY_ACKNOWLEDGEMENTS,
        key_serializer="raw",
        value_serializer="raw",
        value_type=bytes,
        key_type=bytes,
    )

    @app.agent(topic, name="acknowledgements")
    async def keep_acknowledgements(values: Any) -> None:
        async for value in values:
            try:
                instance, version = read_acknowledgement(value)
            except ValueError as error:
                _log.warning("%s: %s", POLICY_ACKNOWLEDGEMENTS, error)
                continue
            health.acknowledgements[instance] = max(version, health.acknowledgements.get(instance, 0))


def _pages(app: faust.App, parts: Parts) -> None:
    @app.page("/healthz", name="healthz")
    async def healthz(web: Any, _request: Any) -> Any:
        reasons = parts.health.not_alive()
        return web.json({"healthy": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    @app.page("/readyz", name="readyz")
    async def readyz(web: Any, _request: Any) -> Any:
        reasons = parts.health.not_ready()
        health = parts.health
        answer = {"ready": not reasons, "reasons": reasons}
        used = {"transport": health.transport, "engine": health.engine}
        return web.json(answer | used, status=503 if reasons else 200)

    @app.page("/status", name="status")
    async def status(web: Any, _request: Any) -> Any:
        return web.json(parts.health.as_json() | {"counts": dict(parts.metrics.counts)})

    @app.page("/metrics", name="metrics")
    async def metrics(web: Any, _request: Any) -> Any:
        await parts.runner.look_at_ends()
        return web.text(parts.metrics.as_text(), content_type=CONTENT_TYPE)
