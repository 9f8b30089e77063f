"""Ports for tests: no two processes are ever given the same one, however many of them run tests."""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Final

FIRST: Final = 20_000
#: So many ports are claimed at once; all of them lie below those that the system hands to clients.
AT_ONCE: Final = 250
CLAIMS: Final = 48


def free_ports(count: int) -> list[int]:
    """Return loopback ports that nobody listens on, and that this function returns to nobody else."""
    ports = _ports()
    return [next(port for port in ports if _is_free(port)) for _ in range(count)]


def free_run(length: int) -> int:
    """Return the first of so many ports in a row that nobody listens on; none of them is handed out again."""
    found: list[int] = []
    for port in _ports():
        found = [*found, port] if found and port == found[-1] + 1 else [port]
        if not _is_free(port):
            found = []
        if len(found) == length:
            break
    return found[0]


@cache
def _ports() -> Iterator[int]:
    return _claimed(Path(tempfile.gettempdir()) / f"govbus-test-ports-{os.getuid()}")


def _claimed(folder: Path) -> Iterator[int]:
    """The ports of this process, one claim after the other; when all are taken, its own once more."""
    folder.mkdir(mode=0o700, exist_ok=True)
    own = []
    for number in range(CLAIMS):
        if _claim(folder / str(number)):
            own.append(range(FIRST + number * AT_ONCE, FIRST + (number + 1) * AT_ONCE))
            yield from own[-1]
    while own:
        yield from chain.from_iterable(own)
    raise RuntimeError(f"{CLAIMS} processes that run tests have all ports; let one of them end")


def _claim(file: Path) -> bool:
    """Lock the file until this process ends, however it ends; say whether nobody else has it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
