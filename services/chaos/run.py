"""One chaos run from the first process to the verdict; whatever happens, nothing of it goes on running."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.registry import RegistryCredentials, SchemaRegistry
from services.bench.answer import when_and_where
from services.chaos.check import Checker, Layout, Verdict
from services.chaos.envelopes import ENVELOPE_SCHEMA, KEY_SCHEMA, Envelopes
from services.chaos.faults import Fault, FaultRecord, plan
from services.chaos.inject import Injector, MakeInstance
from services.chaos.instances import Instances, InstanceStuck, Say
from services.chaos.own_stack import ChaosStack, own_stack
from services.chaos.proxy import KafkaProxy
from services.chaos.report import TARGET_SECONDS, summary
from services.chaos.scene import layout_of, small_city
from services.chaos.watch import Recovery, Stalled, Unfinished, Watch
from services.chaos.writer import StreamWriter
from services.control.definitions import load_definitions, packaged_definitions
from services.ledger.balance import balance
from services.ledger.evidence import Gatherer
from services.ledger.lookup import Lookup
from services.ledger.reader import KafkaTopicReader, read_whole
from services.processor.settings import ProcessorSettings
from services.stack.api import Stack
from services.stack.progress import Reporter
from topics.event import KafkaRecord, TopicName
from topics.names import GATE_GROUP, key_subject, value_subject

_READY_SECONDS = 90.0
_RECOVERY_SECONDS = 120.0
_DRAIN_SECONDS = 600.0
_LAST_SECONDS = 15.0
"""No fault comes so shortly before the end of the stream."""
_READ_SECONDS = 60.0
_SLOW_LOOK_SECONDS = 0.5
_LAG_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a run is asked for."""

    minutes: float
    events: int
    seed: int

    @property
    def per_second(self) -> float:
        """The rate of the stream; it lasts longer by the time for which the broker is away."""
        return self.events / (self.minutes * 60)


@dataclass(frozen=True, slots=True)
class Hands:
    """What the command line lends the run: it knows how processes are started and definitions applied."""

    make: MakeInstance
    apply: Callable[[Stack, Any], None]
    """Carries out definitions on a stack."""
    cache: Path
    say: Say
    reporter: Reporter | None = None
    logs: Path | None = None
    """Where the logs of all processes are copied to at the end."""


@dataclass(slots=True)
class ChaosRun:
    """Runs once."""

    parameters: Parameters
    hands: Hands
    _faults: list[FaultRecord] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        """Start everything, break it as planned, stop, check.

        Raises:
            StackError, InstanceStuck, BrokerLost, StreamFailed: the run itself cannot go on.
        """
        with own_stack(self.hands.cache, self.hands.reporter) as stack:
            self.hands.say(f"the run's own stack is in {stack.settings.home}")
            definitions = small_city(load_definitions(packaged_definitions()))
            self.hands.apply(stack, definitions)
            layout = layout_of(definitions.resources, definitions.grants)
            envelopes = _registered(stack, layout)
            with (
                _kept_logs(stack, self.hands.logs),
                _proxy(stack) as proxy,
                _instances(stack, self.hands) as instances,
            ):
                duration = self._break(stack, layout, envelopes, proxy, instances)
                ended = instances.ended_by_themselves
            return self._judge(stack, layout, envelopes, duration, ended)

    def _break(
        self,
        stack: ChaosStack,
        layout: Layout,
        envelopes: Envelopes,
        proxy: KafkaProxy,
        instances: Instances,
    ) -> float:
        """Write the stream and inject faults until both are over, then let everything be decided."""
        instances.wait_until_ready(_READY_SECONDS)
        session = ProcessorSettings.model_fields["session_timeout_ms"].default / 1000
        watch = Watch(stack.kafka_config("admin"), layout.chains)
        injector = Injector(stack, instances, proxy, watch, self.hands.make, session)
        writer = StreamWriter(stack.kafka_config("connect"), envelopes, layout)
        writer.start(self.parameters.seed, self.parameters.events, self.parameters.per_second)
        begin = time.monotonic()
        try:
            self._begun(watch)
            faults = plan(self.parameters.seed, layout.fanout_group)
            while not writer.done and writer.seconds_left > _LAST_SECONDS:
                self._one(next(faults), injector, begin, writer)
            while not writer.done:
                time.sleep(0.2)
            instances.wait_until_ready(_READY_SECONDS)
            watch.drain(_DRAIN_SECONDS)
        except (Unfinished, InstanceStuck) as error:
            # The checker says what is missing.
            self.hands.say(str(error))
        finally:
            writer.stop()
            watch.close()
        return time.monotonic() - begin

    def _begun(self, watch: Watch) -> None:
        moved = watch.recovered(watch.marks(), _READY_SECONDS)
        if isinstance(moved, Stalled):
            raise Unfinished(f"although nothing was broken yet, {moved}")

    def _one(self, fault: Fault, injector: Injector, begin: float, writer: StreamWriter) -> None:
        """One fault, until everything is as before."""
        at = time.monotonic() - begin
        injected = injector.inject(fault)
        left = writer.seconds_left
        supervise = injector.instances.supervise
        recovered = injector.watch.recovered(injected.marks, _RECOVERY_SECONDS, supervise)
        injected.finish()
        took = None if isinstance(recovered, Stalled) else recovered.at - injected.since
        try:
            injector.instances.wait_until_ready(_READY_SECONDS)
        except InstanceStuck as error:
            # Told as a fault that was not recovered from; the run goes on and shows what follows.
            self.hands.say(str(error))
            took = None
        happened = counts(injected.happened, took, left)
        record = FaultRecord(fault.number, fault.kind, injected.target, at, took, happened)
        self._faults.append(record)
        self.hands.say(_told(record, recovered, writer.written))
        time.sleep(fault.pause)

    def _judge(
        self, stack: ChaosStack, layout: Layout, envelopes: Envelopes, duration: float, ended: int
    ) -> dict[str, Any]:
        self.hands.say("everything has stopped; reading what was written")
        registry = SchemaRegistry(RegistryCredentials(stack.endpoints().registry_url, *stack.registry_auth()))
        # The auditor may not read what was stopped; the checker must.
        config = stack.kafka_config("admin")
        with KafkaTopicReader(config, "ledger.chaos", _READ_SECONDS) as reader:
            lookup = Lookup(reader, registry)
            verdict = self._check(stack, layout, envelopes, lookup)
            self.hands.say("balancing the books")
            books = _books(lookup)
        parameters = {name: getattr(self.parameters, name) for name in Parameters.__slots__}
        return summary({**when_and_where(), **parameters}, duration, self._faults, verdict, books, ended)

    def _check(self, stack: ChaosStack, layout: Layout, envelopes: Envelopes, lookup: Lookup) -> Verdict:
        def read(topic: TopicName) -> Iterator[KafkaRecord]:
            self.hands.say(f"comparing {topic}")
            return read_whole(lookup.reader, topic)

        return Checker(
            seed=self.parameters.seed,
            events=self.parameters.events,
            layout=layout,
            read=read,
            decoder=lookup.decoder,
            envelopes=envelopes,
            master=stack.secret("master-v1").encode(),
        ).run()


def counts(happened: bool, took: float | None, left: float) -> bool:
    """Whether the fault is in the statistics, as recovered after so many seconds or as not recovered.

    Where the stream had less than the target left, not enough came after the fault by which recovery could
    be seen; whether everything was decided in the end, the checker says. With more left, what was not seen
    did not happen.
    """
    return happened and (took is not None or left > TARGET_SECONDS)


@contextmanager
def _kept_logs(stack: ChaosStack, folder: Path | None) -> Iterator[None]:
    """The logs go with the stack's folder unless somebody wants them."""
    try:
        yield
    finally:
        if folder is not None:
            shutil.copytree(stack.context.layout.logs, folder, dirs_exist_ok=True)


@contextmanager
def _proxy(stack: ChaosStack) -> Iterator[KafkaProxy]:
    proxy = KafkaProxy(stack.proxy_port, stack.listener_port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


@contextmanager
def _instances(stack: ChaosStack, hands: Hands) -> Iterator[Instances]:
    """Two gates and two fan-outs."""
    instances = Instances(stack, hands.say)
    try:
        for group in (GATE_GROUP, "fanout.default"):
            for number in range(2):
                instances.add(hands.make(stack.settings.processes_port, group, number))
        yield instances
    finally:
        instances.stop()


def _registered(stack: ChaosStack, layout: Layout) -> Envelopes:
    """Register what a connector would."""
    auth = stack.registry_auth("connect")
    registry = SchemaRegistry(RegistryCredentials(stack.endpoints().registry_url, *auth))
    return Envelopes(
        registry.register(key_subject(layout.raw), KEY_SCHEMA),
        registry.register(value_subject(layout.raw), ENVELOPE_SCHEMA),
    )


def _books(lookup: Lookup) -> Mapping[str, Any]:
    result = balance(Gatherer(lookup.reader, lookup.decoder, _LAG_MS, 5).gather(int(time.time() * 1000)))
    differences = [
        {"what": one.what.value, "where": one.where, "expected": one.expected, "found": one.found}
        for one in result.differences
    ]
    return {"closed": result.closed, "differences": differences[:20], "sums": dict(result.sums)}


def _told(record: FaultRecord, recovered: Recovery | Stalled, written: int) -> str:
    what = f"{record.at_s:7.1f} s  #{record.number} {record.kind.value} {record.target}"
    if not record.happened:
        return f"{what}: no effect, not counted"
    if isinstance(recovered, Stalled):
        return f"{what}: DID NOT RECOVER ({recovered}); {written} events written"
    if record.recovery_s is None:
        return f"{what}: DID NOT RECOVER, though all partitions moved; {written} events written"
    last = f"last {recovered.last.topic}:{recovered.last.partition}"
    return (
        f"{what}: recovered in {record.recovery_s:.1f} s ({last}); {written} events written{_slow(recovered)}"
    )


def _slow(recovered: Recovery) -> str:
    seconds = recovered.slowest_look_s
    return "" if seconds < _SLOW_LOOK_SECONDS else f"; one look at the broker took {seconds:.1f} s"
