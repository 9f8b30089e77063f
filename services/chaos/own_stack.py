"""A stack of the run's own: temporary home, free ports, no Connect, a second listener behind the proxy."""

import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from services.stack.api import Stack
from services.stack.component import Component, Context
from services.stack.kafka import Kafka
from services.stack.probes import HOST, port_free
from services.stack.progress import Reporter
from services.stack.secret_files import write_private
from services.stack.settings import StackSettings

_PORTS: Final = [name for name in StackSettings.model_fields if name.endswith("_port")]
_FIRST_PORT: Final = 20_000
_LAST_PORT: Final = 30_000
"""Below the ports that systems hand out to clients."""
_INSTANCE_PORTS: Final = 40


class ProxiedKafka(Kafka):
    """The broker with a listener of its own for the processors, who are told the proxy's port."""

    def __init__(self, context: Context, listener_port: int, proxy_port: int) -> None:
        super().__init__(context)
        self._listener_port, self._proxy_port = listener_port, proxy_port

    @property
    def ports(self) -> Mapping[str, int]:
        """The broker's ports; the first is the one that needs no proxy."""
        return {**super().ports, "listener_port": self._listener_port}

    def prepare(self) -> None:
        """Write the configuration, then what the second listener adds to it: later lines count."""
        super().prepare()
        path = self.context.layout.conf / "kafka-server.properties"
        write_private(path, path.read_text(encoding="utf-8") + self._second_listener())

    def _second_listener(self) -> str:
        settings = self.context.settings
        own, inner = f"{HOST}:{settings.kafka_port}", f"{HOST}:{settings.controller_port}"
        return "\n".join(
            [
                "",
                f"listeners=CLIENT://{own},PROXIED://{HOST}:{self._listener_port},CONTROLLER://{inner}",
                f"advertised.listeners=CLIENT://{own},PROXIED://{HOST}:{self._proxy_port}",
                "listener.security.protocol.map="
                "CLIENT:SASL_PLAINTEXT,PROXIED:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
                "listener.name.proxied.sasl.enabled.mechanisms=SCRAM-SHA-512",
                "listener.name.proxied.scram-sha-512.sasl.jaas.config="
                "org.apache.kafka.common.security.scram.ScramLoginModule required;",
                "",
            ]
        )


class ChaosStack(Stack):
    """PostgreSQL, Kafka and the registry; the run itself writes what a connector would."""

    def __init__(self, settings: StackSettings, listener_port: int, proxy_port: int) -> None:
        super().__init__(settings)
        self.listener_port, self.proxy_port = listener_port, proxy_port
        self.kafka = ProxiedKafka(self.context, listener_port, proxy_port)

    @property
    def infrastructure(self) -> tuple[Component, ...]:
        """What the run needs."""
        return (self.postgres, self.kafka, self.registry)

    def processor_environment(self, user: str) -> dict[str, str]:
        """How a processor of that user logs in through the proxy, as on an organisation's cluster."""
        secrets = self.context.layout.secrets
        return {
            "GOVBUS_KAFKA_BOOTSTRAP": f"{HOST}:{self.proxy_port}",
            "GOVBUS_KAFKA_PROTOCOL": "SASL_PLAINTEXT",
            "GOVBUS_KAFKA_PASSWORD_FILE": str(secrets / f"kafka-{user}"),
            "GOVBUS_REGISTRY_URL": self.endpoints().registry_url,
            "GOVBUS_REGISTRY_USER": "reader",
            "GOVBUS_REGISTRY_PASSWORD_FILE": str(secrets / "registry-reader"),
            "GOVBUS_MASTER_SECRETS_DIR": str(secrets),
        }


@contextmanager
def own_stack(cache: Path, reporter: Reporter | None = None) -> Iterator[ChaosStack]:
    """A started stack; at the end everything that runs on it is stopped and its folder deleted."""
    home = Path(tempfile.mkdtemp(prefix="govbus-chaos-"))
    # PostgreSQL's own user passes through it.
    home.chmod(0o711)
    stack = ChaosStack(*_settings(home, cache))
    try:
        stack.up(reporter)
        yield stack
    finally:
        stack.reset(reporter)
        shutil.rmtree(home, ignore_errors=True)


def _settings(home: Path, cache: Path) -> tuple[StackSettings, int, int]:
    processes = _free_run(_INSTANCE_PORTS)
    wanted = [name for name in _PORTS if name != "processes_port"]
    *ports, listener, proxy = _free_ports(len(wanted) + 2, beyond=processes + _INSTANCE_PORTS)
    values: dict[str, Any] = {"home": home, "cache": cache, "processes_port": processes}
    values |= dict(zip(wanted, ports, strict=True))
    return StackSettings.model_validate(values), listener, proxy


def _free_run(count: int) -> int:
    """The first of so many ports in a row on which nobody listens."""
    for first in range(_start(), _LAST_PORT, count):
        if all(port_free(port) for port in range(first, first + count)):
            return first
    raise OSError(f"there are no {count} free ports in a row")


def _free_ports(count: int, beyond: int) -> list[int]:
    found: list[int] = []
    with ExitStack() as sockets:
        for candidate in range(beyond, 1 << 15):
            if len(found) == count:
                break
            probe = sockets.enter_context(socket.socket())
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            found.append(candidate)
    return found


def _start() -> int:
    """A place to begin that two runs at one time rarely share."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return _FIRST_PORT + int(probe.getsockname()[1]) * 7 % 8_000
