"""The Kafka broker and controller (one KRaft node)."""

import logging
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from services.stack.acls import ensure_own_acls, ensure_worker_topics
from services.stack.errors import ReadComponentLog
from services.stack.fencing import OVERRIDES, await_fence, may_lead
from services.stack.java import environment, kafka_command, options, runtime
from services.stack.java_part import JavaPart
from services.stack.probes import HOST, port_open
from services.stack.process import Command, start_detached, stop
from services.stack.render import render, shared_configuration, shared_values
from services.stack.secret_files import write_private
from services.stack.users import BASE_USERS, KafkaUsers, secret_name

_SILENT = logging.getLogger("govbus.stack.kafka.probe")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


def client_config(bootstrap: str, user: str, password: str) -> dict[str, Any]:
    """Return the librdkafka settings with which a user logs in."""
    return {
        "bootstrap.servers": bootstrap,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": user,
        "sasl.password": password,
        # Connections come and go; a command tells its user what matters, the library's own lines do not.
        "log_level": 2,
    }


class Kafka(JavaPart):
    """Broker and controller in one process."""

    name = "kafka"
    configuration = ("kafka-server.properties", "log4j2.properties")

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports for clients, for the controller and for departments."""
        settings = self.context.settings
        names = ("kafka_port", "controller_port", "departments_port")
        return {name: getattr(settings, name) for name in names}

    @property
    def archives(self) -> Sequence[Path]:
        """The jars of Kafka."""
        return self.context.jars.files("kafka")

    @property
    def _data(self) -> Path:
        return self.context.layout.data / "kafka"

    def prepare(self) -> None:
        """Write the configuration; format the log folder with the first users the first time."""
        settings, layout = self.context.settings, self.context.layout
        values = shared_values(settings) | {
            "GOVBUS_KAFKA_DATA": str(self._data),
            "GOVBUS_SECRET_KAFKA_BROKER": self.context.secrets.read(secret_name("broker")),
        }
        for name in self.configuration:
            render(shared_configuration() / name, layout.conf / name, values)
        if not self.has_data():
            self._format(layout.conf / "kafka-server.properties")

    def has_data(self) -> bool:
        """Say whether its log folder was formatted."""
        return (self._data / "meta.properties").exists()

    def _format(self, server: Path) -> None:
        """Format the log folder; passwords reach the tool by a file, since arguments are for all to see."""
        layout = self.context.layout
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # A leading dash would be read as an option.
        lines = [
            *options(256, layout.scratch, quick=True),
            f"-Dlog4j2.configurationFile={layout.conf / 'log4j2.properties'}",
        ]
        lines += ["-cp", self.context.jars.classpath("kafka"), "kafka.tools.StorageTool"]
        lines += [
            "format",
            "--standalone",
            "--ignore-formatted",
            f"--cluster-id={cluster}",
            "-c",
            str(server),
        ]
        for user in ("broker", "admin"):
            password = self.context.secrets.read(secret_name(user))
            lines += ["--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]"]
        arguments = layout.conf / "kafka-format.args"
        write_private(arguments, "".join(f'"{line}"\n' for line in lines))
        try:
            done = subprocess.run(
                [runtime(), f"@{arguments}"], env=environment(), capture_output=True, text=True, check=False
            )
        finally:
            arguments.unlink()
        if done.returncode:
            log = layout.log(self.name)
            write_private(log, done.stdout + done.stderr)
            raise ReadComponentLog(self.name, log, "could not format its data folder", done.stderr[-2000:])

    def command(self) -> Command:
        """Return the broker's command."""
        return self._server(learn=True)

    def start(self) -> psutil.Process:
        """Start the broker; after a crash, only once the controller has fenced the one that was killed."""
        if may_lead(self._data):
            self._fence()
        return super().start()

    def _fence(self) -> None:
        """Run the controller alone until it is done; by the pid file, so that nobody loses sight of it."""
        log, settings = self.context.layout.log(self.name), self.context.settings
        values = {"host": HOST, "port": settings.controller_port}
        overrides = [word for line in OVERRIDES for word in ("--override", line.format_map(values))]
        controller = start_detached(self._server(overrides, learn=False), log, self.pid_file)
        try:
            await_fence(controller, self._data, log, settings.start_timeout_s)
        finally:
            stop(controller, self.stop_signal, settings.stop_timeout_s)

    def _server(self, overrides: Sequence[str] = (), *, learn: bool) -> Command:
        layout = self.context.layout
        return kafka_command(
            "kafka.Kafka",
            [str(layout.conf / "kafka-server.properties"), *overrides],
            jvm=self.jvm(self.context.settings.kafka_heap_mb, learn=learn),
            classpath=self.context.jars.classpath("kafka"),
            log_config=layout.conf / "log4j2.properties",
            folder=layout.run,
        )

    def admin(self) -> AdminClient:
        """Return an admin client; keep it until the futures of its calls are resolved."""
        password = self.context.secrets.read(secret_name("admin"))
        config = client_config(f"{HOST}:{self.context.settings.kafka_port}", "admin", password)
        return AdminClient(config, logger=_SILENT)

    def ready(self) -> bool:
        """Say whether the admin user can log in and the broker answers."""
        if not port_open(self.context.settings.kafka_port):
            return False
        admin = self.admin()
        try:
            return bool(admin.list_topics(timeout=5).brokers)
        except KafkaException:
            return False

    def settle(self) -> None:
        """Make the users of the components, and what Connect's worker needs."""
        admin = self.admin()
        users = KafkaUsers(admin, self.context.secrets)
        users.ensure_all(BASE_USERS)
        users.finish()
        ensure_worker_topics(admin)
        ensure_own_acls(admin)
