"""Kafka Connect in distributed mode, with the Debezium connectors."""

from collections.abc import Mapping
from typing import Final

from services.stack.component import Component
from services.stack.java import kafka_command
from services.stack.probes import HOST, http_ok
from services.stack.process import Command
from services.stack.render import render, shared_configuration
from services.stack.secret_files import write_private
from services.stack.users import secret_name

REST_USER: Final = "govbus"
REST_SECRET: Final = "connect-rest"  # noqa: S105 - the name of a file
#: What a connector may set of its clients: how they read and write, not whom they log in as or where.
OVERRIDES: Final = (
    "acks",
    "auto.offset.reset",
    "batch.size",
    "compression.type",
    "fetch.max.bytes",
    "fetch.max.wait.ms",
    "fetch.min.bytes",
    "isolation.level",
    "linger.ms",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "max.poll.records",
    "max.request.size",
    "transaction.timeout.ms",
)


class Connect(Component):
    """The worker's process."""

    name = "connect"
    needs = ("kafka",)

    @property
    def ports(self) -> Mapping[str, int]:
        """The REST port."""
        return {"connect_port": self.context.settings.connect_port}

    @property
    def url(self) -> str:
        """The base of the REST API."""
        return f"http://{HOST}:{self.context.settings.connect_port}"

    def prepare(self) -> None:
        """Write the worker's configuration and its file of REST users."""
        settings, layout, secrets = self.context.settings, self.context.layout, self.context.secrets
        users = layout.conf / "connect-users.properties"
        values = {
            "GOVBUS_KAFKA_HOST": HOST,
            "GOVBUS_KAFKA_PORT": str(settings.kafka_port),
            "GOVBUS_REGISTRY_HOST": HOST,
            "GOVBUS_REGISTRY_PORT": str(settings.registry_port),
            "GOVBUS_CONNECT_HOST": HOST,
            "GOVBUS_CONNECT_BIND": HOST,
            "GOVBUS_CONNECT_PORT": str(settings.connect_port),
            "GOVBUS_CONNECT_USERS": str(users),
            "GOVBUS_CONNECT_SECRETS": str(layout.connect_secrets),
            "GOVBUS_CONNECT_OVERRIDES": ",".join(OVERRIDES),
            "GOVBUS_PLUGINS": str(self.context.jars.plugins()),
            "GOVBUS_SECRET_KAFKA_CONNECT": secrets.read(secret_name("connect")),
            "GOVBUS_SECRET_REGISTRY_CONNECT": secrets.read("registry-connect"),
        }
        write_private(users, f"{REST_USER}: {secrets.read(REST_SECRET)}\n")
        password = f"user=connect\npassword={values['GOVBUS_SECRET_KAFKA_CONNECT']}\n"
        write_private(layout.connect_secrets / "kafka.properties", password)
        for name in ("connect-worker.properties", "connect-jaas.conf", "log4j2.properties"):
            render(shared_configuration() / name, layout.conf / name, values)

    def command(self) -> Command:
        """Return the worker's command."""
        layout = self.context.layout
        return kafka_command(
            "org.apache.kafka.connect.cli.ConnectDistributed",
            [str(layout.conf / "connect-worker.properties")],
            classpath=self.context.jars.classpath("kafka"),
            heap_mb=self.context.settings.connect_heap_mb,
            log_config=layout.conf / "log4j2.properties",
            folder=layout.run,
            extra=[f"-Djava.security.auth.login.config={layout.conf / 'connect-jaas.conf'}"],
        )

    def ready(self) -> bool:
        """Say whether the worker has joined its group and answers."""
        auth = (REST_USER, self.context.secrets.read(REST_SECRET))
        return http_ok(f"{self.url}/health", auth) and http_ok(f"{self.url}/connectors", auth)
