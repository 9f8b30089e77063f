"""What every part of the stack has in common: prepare, start, ready, settle, stop."""

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from services.stack.jars import JarCache
from services.stack.layout import Layout
from services.stack.process import Command, PidFile, start_detached, stop
from services.stack.secret_files import SecretFiles
from services.stack.settings import StackSettings

_LOG_ROTATE_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Context:
    """What components work with."""

    settings: StackSettings
    layout: Layout
    secrets: SecretFiles
    jars: JarCache


class Component(ABC):
    """One process of the stack."""

    #: The name in status, logs and messages.
    name: str
    #: Files of connect-configs/ that it reads, filled with this stack's values; compose mounts the same ones.
    configuration: tuple[str, ...] = ()
    #: Components that must be ready before this one starts.
    needs: tuple[str, ...] = ()
    #: How it is asked to end.
    stop_signal: signal.Signals = signal.SIGTERM

    def __init__(self, context: Context) -> None:
        self.context = context
        self.pid_file = PidFile(context.layout.run / f"{self.name}.pid")

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports it listens on, by the field of StackSettings that sets each."""
        return {}

    @property
    def port(self) -> int | None:
        """The port that others connect to."""
        return next(iter(self.ports.values()), None)

    @abstractmethod
    def prepare(self) -> None:
        """Write configuration and, the first time, the data folder."""

    @abstractmethod
    def command(self) -> Command:
        """Return the program to start."""

    @abstractmethod
    def ready(self) -> bool:
        """Say whether it answers as its users need it; never raises for a part that is down."""

    def settle(self) -> None:
        """Make, idempotently, what others expect inside it once it is ready."""
        return

    def start(self) -> psutil.Process:
        """Start the process and remember it; does not wait until it is ready."""
        log = self.context.layout.log(self.name)
        if log.exists() and log.stat().st_size > _LOG_ROTATE_BYTES:
            log.replace(log.with_suffix(".log.1"))
        return start_detached(self.command(), log, self.pid_file)

    def take_back(self) -> None:
        """Leave no trace of a start that failed, once the process is stopped."""
        return

    def stop(self) -> bool:
        """End the process and wait; return whether it ended by itself."""
        return self.end()

    def others(self) -> frozenset[int]:
        """Processes that are components of their own, though they may look like children of this one."""
        return frozenset()

    def end(self, longer_s: float = 0.0) -> bool:
        """End the process, which may take so much longer than usual; return whether it ended by itself."""
        process = self.pid_file.running()
        patience = self.context.settings.stop_timeout_s + longer_s
        clean = True if process is None else stop(process, self.stop_signal, patience, self.others())
        self.pid_file.forget()
        return clean
