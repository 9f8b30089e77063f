"""Reads settings, wires the loops, and runs them until SIGTERM or Ctrl-C."""

import logging
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import Event
from typing import Final

from pydantic import ValidationError

from services.control.definitions import DefinitionsInvalid
from services.control.process.loops import Loop
from services.control.process.settings import PREFIX, ControlSettings
from services.control.process.status import Status
from services.control.process.supervisor import Supervisor
from services.control.process.web import StatusServer
from services.control.process.wiring import loops_of
from services.control.sending.wiring import RestoreSecret
from services.control.store.errors import StoreError
from services.stack.errors import StackError

_LOG: Final = logging.getLogger(__name__)
Wire = Callable[[ControlSettings, ExitStack], Sequence[Loop]]
"""Makes the loops; what has to be closed at the end is put on the stack."""


def main(wire: Wire = loops_of) -> int:
    """Run; 0 after a clean end, 1 where a turn did not end in time, 2 where the settings are wrong."""
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        settings = ControlSettings.from_environment()
        return _run(settings, wire)
    except ValidationError as error:
        # Not the values: one of them may be a secret that was put into the wrong variable.
        wrong = "; ".join(f"{item['loc']}: {item['msg']}" for item in error.errors(include_input=False))
        sys.stderr.write(f"control: {wrong}\n")
    except (StackError, StoreError, RestoreSecret, DefinitionsInvalid) as error:
        sys.stderr.write(f"control: {error}\n")
    except OSError as error:
        sys.stderr.write(f"control: {error.strerror}; {PREFIX}PORT sets the port\n")
    return 2


def _run(settings: ControlSettings, wire: Wire) -> int:
    ending, status = Event(), Status()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    with ExitStack() as closing:
        supervisor = Supervisor(wire(settings, closing), status, ending)
        server = StatusServer(settings.port, status)
        server.start()
        closing.callback(server.stop)
        supervisor.start()
        _LOG.info("looks after the control plane on port %d", server.port)
        left = supervisor.wait(settings.ending_s)
        if left:
            _LOG.error("did not end within %.0f s: %s", settings.ending_s, ", ".join(left))
    return 1 if left else 0
