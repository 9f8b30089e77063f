"""A stack of the run's own: temporary home, free ports, no Connect, a second listener behind the proxy."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from services.bench.own_stack import free_ports
from services.stack.api import Stack
from services.stack.component import Component, Context
from services.stack.kafka import Kafka
from services.stack.probes import HOST
from services.stack.progress import Reporter
from services.stack.secret_files import write_private
from services.stack.settings import StackSettings

_INSTANCE_PORTS: Final = 40
"""Gates answer from the first on, fan-outs from 20 above it."""


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
            # Half of what is usual, so that a turn has several batches while a backlog is worked off: one
            # is decided while the one before it is being committed. Much smaller ones would measure how long
            # the backlog takes, since recovered is who has decided what came after the fault.
            "GOVBUS_PROCESSOR_BATCH_RECORDS": "3000",
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
    names = [name for name in StackSettings.model_fields if name.endswith("_port")]
    names.remove("processes_port")
    *ports, listener, proxy, processes = free_ports([1] * (len(names) + 2) + [_INSTANCE_PORTS])
    values: dict[str, object] = {"home": home, "cache": cache, "processes_port": processes}
    values |= dict(zip(names, ports, strict=True))
    return StackSettings.model_validate(values), listener, proxy
