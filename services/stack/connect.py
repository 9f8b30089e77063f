"""Kafka Connect in distributed mode, with the Debezium connectors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from services.stack.java import kafka_command
from services.stack.java_part import JavaPart
from services.stack.probes import HOST, http_ok
from services.stack.process import Command
from services.stack.render import render, shared_configuration, shared_values
from services.stack.secret_files import write_private
from services.stack.users import secret_name

REST_USER: Final = "govbus"
REST_SECRET: Final = "connect-rest"  # noqa: S105 - the name of a file
#: A connector may name a login for its clients; by no other module than the one that only checks a password.
ALLOWED_LOGINS: Final = (
    "-Dorg.apache.kafka.allowed.login.modules=org.apache.kafka.common.security.scram.ScramLoginModule"
)


class Connect(JavaPart):
    """The worker's process."""

    name = "connect"
    configuration = ("connect-worker.properties", "connect-jaas.conf", "log4j2.properties")
    needs = ("kafka",)

    @property
    def ports(self) -> Mapping[str, int]:
        """The REST port."""
        return {"connect_port": self.context.settings.connect_port}

    @property
    def archives(self) -> Sequence[Path]:
        """The jars of Kafka; connectors are loaded beside them."""
        return self.context.jars.files("kafka")

    @property
    def url(self) -> str:
        """The base of the REST API."""
        return f"http://{HOST}:{self.context.settings.connect_port}"

    def prepare(self) -> None:
        """Write the worker's configuration and its file of REST users."""
        settings, layout, secrets = self.context.settings, self.context.layout, self.context.secrets
        users = layout.conf / "connect-users.properties"
        values = shared_values(settings) | {
            "GOVBUS_CONNECT_USERS": str(users),
            "GOVBUS_CONNECT_SECRETS": str(layout.connect_secrets),
            "GOVBUS_PLUGINS": str(self.context.jars.plugins()),
            "GOVBUS_SECRET_KAFKA_CONNECT": secrets.read(secret_name("connect")),
            "GOVBUS_SECRET_REGISTRY_CONNECT": secrets.read("registry-connect"),
        }
        write_private(users, f"{REST_USER}: {secrets.read(REST_SECRET)}\n")
        self.write_secrets()
        for name in self.configuration:
            render(shared_configuration() / name, layout.conf / name, values)

    def write_secrets(self) -> None:
        """Write what connectors' own Kafka clients log in with to where their configuration can name it."""
        password = self.context.secrets.read(secret_name("connect"))
        write_private(
            self.context.layout.connect_secrets / "kafka.properties", f"user=connect\npassword={password}\n"
        )

    def command(self) -> Command:
        """Return the worker's command."""
        layout = self.context.layout
        return kafka_command(
            "org.apache.kafka.connect.cli.ConnectDistributed",
            [str(layout.conf / "connect-worker.properties")],
            jvm=self.jvm(self.context.settings.connect_heap_mb),
            classpath=self.context.jars.classpath("kafka"),
            log_config=layout.conf / "log4j2.properties",
            folder=layout.run,
            extra=[f"-Djava.security.auth.login.config={layout.conf / 'connect-jaas.conf'}", ALLOWED_LOGINS],
        )

    def ready(self) -> bool:
        """Say whether the worker has joined its group and answers."""
        auth = (REST_USER, self.context.secrets.read(REST_SECRET))
        return http_ok(f"{self.url}/health", auth) and http_ok(f"{self.url}/connectors", auth)
