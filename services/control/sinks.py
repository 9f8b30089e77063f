"""The sinks: which copies of grants should exist in Connect, and the work of making and removing them."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from producers.connector import SinkDeclaration, read_template, sink_config
from services.control.access import Access, CaptureSource
from services.control.credentials import write_owner_only
from services.control.desired import Declared
from services.control.rights import is_readable
from services.control.sink_target import Target, target_problems
from topics.event import ConsumerId
from topics.grants.declaration import Grant
from topics.grants.keys import key_schema
from topics.grants.projection import projected_schema
from topics.names import parked, sink_connector
from topics.sink import Sink

Problem = dict[str, str]


@dataclass(frozen=True, slots=True)
class WantedSink:
    """One sink that should run: its connector's configuration, its target, and whose login it uses."""

    grant: Grant
    config: Mapping[str, str]
    target: Target
    source: CaptureSource


@dataclass(frozen=True, slots=True)
class Sinks:
    """The sinks that should exist, by connector, and those whose database is not known here."""

    wanted: Mapping[str, WantedSink] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    """Connectors whose database has no connection secret set here: they are left as they are."""
    notes: tuple[str, ...] = ()

    @property
    def configs(self) -> dict[str, Mapping[str, str]]:
        """Connector → configuration."""
        return {name: sink.config for name, sink in self.wanted.items()}


def desired_sinks(declared: Declared, access: Access) -> Sinks:
    """One JDBC sink per declared one whose grant its consumer may read today."""
    wanted: dict[str, WantedSink] = {}
    unknown: list[Sink] = []
    for sink in declared.sinks.values():
        grant = declared.grants.get(sink.grant)
        if grant is None or grant.consumer not in declared.consumers or not is_readable(grant, declared.day):
            continue
        source = access.capture_source(sink.database)
        if source is None:
            unknown.append(sink)
        else:
            wanted[sink_connector(sink.grant)] = _wanted(sink, grant, source, declared, access)
    return Sinks(
        wanted,
        frozenset(sink_connector(sink.grant) for sink in unknown),
        tuple(f"no sink of {one.grant}: there is no connection secret set {one.database}" for one in unknown),
    )


def _wanted(
    sink: Sink, grant: Grant, source: CaptureSource, declared: Declared, access: Access
) -> WantedSink:
    resource = declared.resources[grant.resource]
    keys = tuple(str(entry["name"]) for entry in key_schema(resource, grant)["fields"])
    declaration = SinkDeclaration(
        grant_topic=grant.topic,
        parked_topic=parked(grant.consumer),
        jdbc_url=jdbc_url(source),
        table=sink.table,
        key_fields=keys,
        secret_set=sink.database,
        login_set=login_set(grant.consumer),
        evolves=sink.evolves,
    )
    config = sink_config(read_template("jdbc-sink"), declaration, access.connect_environment)
    values = projected_schema(declared.item_schemas[grant.resource], grant)
    target = Target(sink.schema_name, sink.table_name, keys, values, evolves=sink.evolves)
    return WantedSink(grant, {**config, "name": sink_connector(grant.id)}, target, source)


def jdbc_url(source: CaptureSource) -> str:
    """The department's database for PostgreSQL's JDBC driver, without credentials.

    The driver quotes rows in its errors, and errors end in logs: it is told not to.
    """
    where = f"{source.host}:{source.port}/{quote(source.database, safe='')}"
    return f"jdbc:postgresql://{where}?logServerErrorDetail=false&ApplicationName=govbus-sink"


def login_set(consumer: ConsumerId) -> str:
    """The file of Connect's secrets with a department's Kafka login; no database can be called so."""
    return f"consumer-{consumer}"


@dataclass(slots=True)
class SinkWork:
    """The sinks' part of one apply; a database that is not ready holds back its own sink only."""

    access: Access
    sinks: Sinks
    say: Callable[[str], None]
    connectors: dict[str, str] = field(default_factory=dict)
    """Connector → created, updated, unchanged or deleted."""
    held_back: dict[str, list[Problem]] = field(default_factory=dict)
    """Connector → what is wrong with its database, and what mends it."""

    def carry_out(self, surplus: Iterable[str], steps: Iterable[str]) -> None:
        """Delete, hand over logins, put; steps about other connectors are passed over."""
        for name in surplus:
            self._delete(name)
        self._write_logins()
        for name in steps:
            if name in self.sinks.wanted:
                self._put(name, self.sinks.wanted[name])

    def _delete(self, name: str) -> None:
        """What was copied stays in the department's database."""
        with closing(self.access.connect()) as client:
            client.delete(name)
        self.connectors[name] = "deleted"
        self.say(f"connector {name}: deleted")

    def _put(self, name: str, sink: WantedSink) -> None:
        problems = target_problems(sink.source, sink.target)
        if problems:
            self.held_back[name] = problems
            self.say(f"no {name} yet: {'; '.join(each['what'] for each in problems)}")
            return
        with closing(self.access.connect()) as client:
            self.connectors[name] = client.put_config(name, sink.config).value
        self.say(f"connector {name}: {self.connectors[name]}")

    def _write_logins(self) -> None:
        """Give Connect the Kafka login of each department that has a sink, and of no other."""
        folder = Path(self.access.connect_environment.secrets_folder)
        wanted = {login_set(sink.grant.consumer): sink.grant for sink in self.sinks.wanted.values()}
        for path in folder.glob(f"{login_set(ConsumerId('*'))}.properties"):
            if path.stem not in wanted:
                path.unlink()
        for name, grant in wanted.items():
            _write_login(self.access, folder / f"{name}.properties", grant.consumer)


def renew_login(access: Access, consumer: ConsumerId) -> None:
    """Give Connect the department's Kafka login as it is now, if it has one for a sink of that department.

    A task that the old one shuts out is restarted by the watch, and reads the file anew.
    """
    path = Path(access.connect_environment.secrets_folder) / f"{login_set(consumer)}.properties"
    if path.exists():
        _write_login(access, path, consumer)


def _write_login(access: Access, path: Path, consumer: ConsumerId) -> None:
    user = f"consumer-{consumer}"
    text = f"user={user}\npassword={access.ensure_user(user)}\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_owner_only(path, text)
