"""A stack for one measurement: on free ports, in a temporary folder, stopped and deleted at the end."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from services.stack.api import Stack
from services.stack.progress import Reporter
from services.stack.settings import StackSettings, default_cache
from services.stack.supervisor import interruptible

_FIRST_PORT: Final = 10_000
_PORT_RANGE: Final = 9_000
_PROCESS_PORTS: Final = 200
"""Gate and fan-out instances answer on consecutive ports from ``processes_port`` on."""


@contextmanager
def own_stack(progress: Reporter | None = None, **settings: object) -> Iterator[Stack]:
    """Start the infrastructure of a new stack; stop it and delete its folder however the block ends.

    Raises:
        StackError: it does not start; the message says what to do.
    """
    home = Path(tempfile.mkdtemp(prefix="govbus-bench-"))
    # PostgreSQL may run as another user, who must pass through.
    home.chmod(0o711)
    stack = Stack(_settings(home, settings))
    # Asked to end, a bench cleans up as after Ctrl-C: nothing that it started goes on.
    with interruptible():
        try:
            stack.up(progress)
            yield stack
        finally:
            stack.reset()
            shutil.rmtree(home, ignore_errors=True)


def _settings(home: Path, more: dict[str, object]) -> StackSettings:
    names = [name for name in StackSettings.model_fields if name.endswith("_port")]
    *ports, processes = free_ports([1] * (len(names) - 1) + [_PROCESS_PORTS])
    names.remove("processes_port")
    chosen = dict(zip(names, ports, strict=True)) | {"processes_port": processes}
    cache = Path(os.environ.get("GOVBUS_CACHE") or default_cache(os.environ))
    return StackSettings.model_validate({"home": home, "cache": cache, **chosen, **more})


def free_ports(runs: list[int]) -> list[int]:
    """Return the first port of each run of so many loopback ports that nobody listens on."""
    found: list[int] = []
    candidate = _FIRST_PORT + os.getpid() * 37 % _PORT_RANGE
    for length in runs:
        while not _all_free(candidate, length):
            candidate += 1
        found.append(candidate)
        candidate += length
    return found


def _all_free(first: int, length: int) -> bool:
    with ExitStack() as probes:
        for port in range(first, first + length):
            probe = probes.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
