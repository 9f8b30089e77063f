"""After a crash the controller fences the dead broker, alone, before a broker starts again.

A broker that starts over the log of a killed one leads its partitions at once, by the old metadata, until the
controller's session with the dead one ends and takes all leaders away for a moment. A transaction coordinator
that is finishing decided transactions just then takes partitions without a leader for deleted ones and never
writes their end (KAFKA-20734, open as of Kafka 4.4.0): what was committed stays invisible for ever, or the
offsets committed with it are lost and its records are decided twice.
"""

import re
import time
from pathlib import Path
from typing import Final

import psutil

from services.stack.errors import ReadComponentLog

#: What turns the server's configuration into that of a controller alone, which loads no partition. The
#: session is short: nobody but the dead broker could be meant by it.
OVERRIDES: Final = (
    "process.roles=controller",
    "listeners=CONTROLLER://{host}:{port}",
    "advertised.listeners=CONTROLLER://{host}:{port}",
    "broker.heartbeat.interval.ms=100",
    "broker.session.timeout.ms=500",
)
#: A BrokerRegistrationChangeRecord (type 17) of broker 1 in the controller's log, with its tag "fenced"
#: alone: 1 fences, -1 lets the broker lead.
_CHANGE: Final = re.compile(rb"\x01\x11.\x00{3}\x01.{8}\x01\x00\x01([\x01\xff])", re.DOTALL)
_FENCED: Final = b"\x01"
_POLL_S: Final = 0.1


def may_lead(data: Path) -> bool:
    """Say whether the metadata in Kafka's data folder still let the broker lead, as after a crash.

    A log so old that it does not tell any more is one of a broker that led until it was killed: starting and
    stopping write what is looked for here.
    """
    segments = sorted((data / "__cluster_metadata-0").glob("*.log"), reverse=True)
    for segment in segments:
        changes = _CHANGE.findall(segment.read_bytes())
        if changes:
            return bool(changes[-1] != _FENCED)
    return bool(segments)


def await_fence(controller: psutil.Process, data: Path, log: Path, timeout_s: float) -> None:
    """Wait until the controller has written that the dead broker leads nothing.

    Raises:
        ReadComponentLog: it ended, or did not within the time.
    """
    deadline = time.monotonic() + timeout_s
    while may_lead(data):
        ended = not controller.is_running() or controller.status() == psutil.STATUS_ZOMBIE
        if ended or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
            raise ReadComponentLog("kafka", log, "did not take the leaders from its killed broker", tail)
        time.sleep(_POLL_S)
