"""Does to the running bus what the plan says, and says from when on recovery counts."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.chaos.faults import Fault, FaultKind
from services.chaos.instances import Instances
from services.chaos.own_stack import ChaosStack
from services.chaos.proxy import Hold, KafkaProxy
from services.chaos.watch import Marks, Watch
from services.stack.probes import port_free
from services.stack.python_process import PythonComponent

_EVIDENCE_SECONDS: Final = 15.0
_BROKER_SECONDS: Final = 90.0
_THIRD: Final = 2
_JOIN_SECONDS: Final = 60.0
MakeInstance = Callable[[int, str, int], PythonComponent]
"""First port of the stack's processes, group and number to the instance."""


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that was done."""

    target: str
    since: float
    """Monotonic time from which recovery is counted."""
    marks: Marks
    finish: Callable[[], None]
    """What must be undone once the others have recovered."""
    happened: bool = True


class BrokerLost(Exception):  # noqa: N818 - named after what happened
    """The broker did not come back after it was killed."""


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class Injector:
    """Everything that can be broken."""

    stack: ChaosStack
    instances: Instances
    proxy: KafkaProxy
    watch: Watch
    make: MakeInstance
    session_s: float
    """How long an instance may be silent before the group gives its partitions away."""

    def inject(self, fault: Fault) -> Injected:
        """Do it, and return once recovery may be waited for."""
        name = f"{fault.group}.{fault.instance}"
        match fault.kind:
            case FaultKind.KILL:
                return self._kill(name)
            case FaultKind.KILL_TAKEOVER:
                return self._kill_for_a_while(name)
            case FaultKind.FREEZE:
                return self._freeze(name, fault.lasts)
            case FaultKind.BROKER_KILL:
                return self._kill_broker()
            case FaultKind.CUT:
                return self._cut(name)
            case FaultKind.CUT_ALL:
                return self._cut(None)
            case FaultKind.HOLD_END_TXN:
                return self._hold(name, fault.lasts)
            case FaultKind.LOSE_END_TXN_ANSWER:
                return self._lose_answer(name)
            case FaultKind.REBALANCE:
                return self._rebalance(fault.group)

    def _kill(self, name: str) -> Injected:
        since = time.monotonic()
        self.instances.kill(name)
        self.instances.revive(name)
        return Injected(name, since, self.watch.marks(), _nothing)

    def _kill_for_a_while(self, name: str) -> Injected:
        since = time.monotonic()
        self.instances.kill(name)
        return Injected(name, since, self.watch.marks(), lambda: self.instances.revive(name))

    def _freeze(self, name: str, lasts: float) -> Injected:
        since = time.monotonic()
        self.instances.freeze(name)

        def thaw() -> None:
            time.sleep(max(0.0, since + self.session_s + lasts - time.monotonic()))
            self.instances.thaw(name)

        return Injected(name, since, self.watch.marks(), thaw)

    def _kill_broker(self) -> Injected:
        kafka = self.stack.kafka
        running = kafka.pid_file.running()
        if running is None:
            raise BrokerLost("the broker had ended by itself")
        os.kill(running.pid, signal.SIGKILL)
        deadline = time.monotonic() + _BROKER_SECONDS
        while kafka.pid_file.running() is not None or not all(map(port_free, kafka.ports.values())):
            _look_again(deadline, "its ports stay taken")
        kafka.prepare()
        kafka.start()
        while not kafka.ready():
            _look_again(deadline, "it does not answer")
        return Injected("kafka", time.monotonic(), self.watch.marks(), _nothing)

    def _cut(self, name: str | None) -> Injected:
        since = time.monotonic()
        cut = self.proxy.cut(name)
        return Injected(name or "everybody", since, self.watch.marks(), _nothing, happened=cut > 0)

    def _hold(self, name: str, lasts: float) -> Injected:
        hold = self.proxy.hold_end_txn(name)
        met = self._met(hold)
        if met:
            time.sleep(lasts)
        hold.release()
        return Injected(name, time.monotonic(), self.watch.marks(), _nothing, happened=met)

    def _lose_answer(self, name: str) -> Injected:
        hold = self.proxy.lose_answer_to_end_txn(name)
        met = self._met(hold)
        since = time.monotonic()
        hold.release()
        return Injected(name, since, self.watch.marks(), _nothing, happened=met)

    def _met(self, hold: Hold) -> bool:
        return hold.wait_until_met(_EVIDENCE_SECONDS)

    def _rebalance(self, group: str) -> Injected:
        third, since = f"{group}.{_THIRD}", time.monotonic()
        if third in self.instances.names():
            self.instances.remove(third)
            return Injected(f"{third} goes", since, self.watch.marks(), _nothing)
        self.instances.add(self.make(self.stack.settings.processes_port, group, _THIRD))
        # Until it joins, its start disturbs nobody; over are the rebalances when it has partitions.
        since = self.watch.joined(group, third, _JOIN_SECONDS) or since
        self.watch.owns_something(group, third, _JOIN_SECONDS)
        return Injected(f"{third} comes", since, self.watch.marks(), _nothing)


def _look_again(deadline: float, why: str) -> None:
    if time.monotonic() > deadline:
        raise BrokerLost(f"the broker does not come back: {why}")
    time.sleep(0.05)
