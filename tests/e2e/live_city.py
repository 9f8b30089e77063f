"""The sample city running on the real stack, with the questions that end-to-end tests ask of it."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
from rich.console import Console

from services.cli import processes
from services.cli.audit import as_answer
from services.cli.control import control_database
from services.cli.demo_story import DemoStory
from services.cli.plan import access_of
from services.control.applied import Applied
from services.control.apply import Apply
from services.control.credentials import credentials_path
from services.control.definitions import Definitions, load_definitions, packaged_definitions
from services.control.store.database import Task
from services.demo.databases import database_dsn
from services.demo.narration import Narrator
from services.ledger.balance import balance
from services.ledger.evidence import Gatherer
from services.ledger.quarantine import Quarantined, read_quarantine
from services.ledger.reader import read_whole
from services.stack.api import Stack
from tests.e2e.settling import Decisions, ends_of, holds_since
from tests.support.waiting import eventually
from topics.event import ConsumerId, KafkaRecord, ProviderId, TopicName

PATIENCE_SECONDS = 120.0
SENTINEL = 899_999_999
"""A person row of its own, changed only to see that everything before it has been captured."""
_SENTINEL_TABLE = {"police": "person", "market_regulation": "enterprise", "social_security": "enrolment"}


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Poll a condition; fails with what was waited for."""
    eventually(condition, seconds, lambda: what)


@dataclass(slots=True)
class LiveCity:
    """One city per test session; tests use rows of their own and leave the others alone."""

    stack: Stack
    story: DemoStory
    definitions: Definitions
    _next_id: int = field(
        default_factory=lambda: 800_000_000 + time.time_ns() // 1_000_000_000 % 900 * 90_000
    )
    _decisions: Decisions = field(default_factory=lambda: Decisions(PATIENCE_SECONDS))

    @staticmethod
    def found(stack: Stack, persons: int = 60) -> "LiveCity":
        """Make the city, load it, apply, and start gate and fan-out."""
        quiet = Narrator(Console(quiet=True))
        story = DemoStory(stack, quiet, persons=persons, seed=7, updates=1)
        story.start_stack()
        story.make_city()
        definitions = load_definitions(packaged_definitions())
        with story.intake() as intake:
            story.share(definitions, intake)
        return LiveCity(stack, story, definitions)

    def new_id(self) -> int:
        """An id that no other test uses."""
        self._next_id += 1
        return self._next_id

    @contextmanager
    def database(self, provider: str) -> Iterator[Any]:
        """A connection of the provider's administrator."""
        dsn = database_dsn(self.story.admin_dsn, ProviderId(provider))
        with closing(psycopg2.connect(dsn)) as connection:
            yield connection

    @contextmanager
    def nobody_recovers(self) -> Iterator[None]:
        """A capture that loses its slot stays as it is: the control process has no turn at it meanwhile."""
        with closing(control_database(self.stack)) as database, ExitStack() as held:

            def ours() -> bool:
                with ExitStack() as attempt:
                    if attempt.enter_context(database.alone(Task.RECOVERY)):
                        held.push(attempt.pop_all())
                        return True
                return False

            wait_until(ours, "the turn of the recovery to end")
            yield

    def execute(self, provider: str, *statements: tuple[str, tuple[object, ...]]) -> None:
        """Run statements in one transaction at the source."""
        with self.database(provider) as connection, connection, connection.cursor() as cursor:
            for statement, values in statements:
                cursor.execute(statement, values)

    def settle(self, provider: str = "police") -> None:
        """Until everything committed at the source so far is captured, decided and delivered."""
        token = uuid.uuid4().hex
        table = _SENTINEL_TABLE[provider]
        statement = (
            f"INSERT INTO public.{table} (id, name, updated_at) VALUES (%s, %s, now()) "
            "ON CONFLICT (id) DO UPDATE SET name = excluded.name"
        )
        topic = TopicName(f"raw.{provider}.public.{table}")
        with self.story.lookup() as lookup:
            before = ends_of(lookup.reader, topic)
            self.execute(provider, (statement, (SENTINEL, token)))
            wait_until(
                lambda: holds_since(lookup.reader, before, token.encode()),
                f"{provider}'s changes to be captured",
            )
            self._decisions.settle(lookup)

    def await_decisions(self) -> None:
        """Until everything captured or published so far is decided and delivered."""
        with self.story.lookup() as lookup:
            self._decisions.settle(lookup)

    def balance(self) -> dict[str, Any]:
        """What `govbus audit balance --json` answers."""
        with self.story.lookup() as lookup:
            gatherer = Gatherer(lookup.reader, lookup.decoder, 7 * 86_400_000, 5, lambda _text: None)
            return as_answer(balance(gatherer.gather(int(time.time() * 1000))))

    def records(self, topic: str) -> list[KafkaRecord]:
        """All committed records of a topic, partition by partition."""
        with self.story.lookup() as lookup:
            return list(read_whole(lookup.reader, TopicName(topic)))

    def state(self, topic: str) -> dict[str, dict[str, Any] | None]:
        """A compacted topic as a table: key as JSON → last value (None: deleted); envelopes are opened."""
        found: dict[str, dict[str, Any] | None] = {}
        with self.story.lookup() as lookup:
            for record in read_whole(lookup.reader, TopicName(topic)):
                key = json.dumps(lookup.decoder.key(record), sort_keys=True)
                value = lookup.decoder.value(record)
                found[key] = value if value is None or "state" not in value else value["state"]
        return found

    def canonical(self, resource: str = "population.person.v1") -> dict[tuple[str, str], dict[str, Any]]:
        """The canonical state: (identity, record id) → items, without what is deleted."""
        found = {}
        for text, value in self.state(f"resource.{resource}").items():
            key = json.loads(text)
            if value is not None:
                found[(str(key["identity"]), str(key["record_id"]))] = value
        return found

    def of_record(self, record_id: int, resource: str = "population.person.v1") -> dict[str, dict[str, Any]]:
        """The canonical state of one source row: identity → items."""
        found = self.canonical(resource)
        return {identity: items for (identity, row), items in found.items() if row == str(record_id)}

    def quarantined(self, provider: str = "police") -> list[Quarantined]:
        """The provider's quarantine, oldest first."""
        with self.story.lookup() as lookup:
            return read_quarantine(lookup, ProviderId(provider))

    def stopped_of(self, *record_ids: int, provider: str = "police") -> list[Quarantined]:
        """What the provider's quarantine holds of these source rows, by the raw record's key."""
        with self.story.lookup() as lookup:
            return [
                entry
                for entry in read_quarantine(lookup, ProviderId(provider))
                if (lookup.decoder.key(entry.raw) or {}).get("id") in record_ids
            ]

    def granted(self, grant: str) -> dict[str, dict[str, Any] | None]:
        """What a department's topic says now, keyed by its own keys."""
        return self.state(self.topic_of(grant))

    def topic_of(self, grant: str) -> TopicName:
        """The grant's topic."""
        return next(found.topic for name, found in self.definitions.grants.items() if name == grant)

    def credentials(self, consumer: str) -> Path:
        """The department's credentials file."""
        return credentials_path(self.stack.settings.home, f"consumer-{ConsumerId(consumer)}")

    def apply(self, definitions: Definitions) -> Applied:
        """What `govbus apply` does with other definitions."""
        return Apply(access_of(self.stack), definitions, say=lambda _text: None).run()

    def run_gates(self, count: int) -> None:
        """Bring the gate to so many instances."""
        base = self.stack.settings.processes_port
        for number in range(count):
            self.stack.run_process(processes.gate(base, number))
        for status in self.stack.status():
            if status.name.startswith("gate.") and int(status.name.split(".")[1]) >= count:
                self.stack.stop_process(status.name)

    def pid(self, component: str) -> int:
        """The process id of a component."""
        [found] = [status.pid for status in self.stack.status() if status.name == component]
        assert found is not None, f"{component} does not run"
        return found
