"""The chapters of the demo: each does one part of the main job and waits for its effect."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import psycopg2

from consumers.decoding import Decoder as RecordDecoder
from schemas.registry import RegistryCredentials, SchemaRegistry
from services.cli import processes
from services.cli.control import control_database, prepare_control
from services.cli.demo_books import books_of, settled_books
from services.cli.demo_offices import hand_over_grants, open_offices
from services.cli.demo_traffic import admin_dsn
from services.cli.demo_waiting import DemoStuck, await_effect
from services.cli.demo_week import Week
from services.cli.grant_running import Running
from services.cli.plan import access_of
from services.cli.policy import current_policy, without_sample_grants
from services.cli.stack import start_bus
from services.control.apply import Apply
from services.control.credentials import credentials_path
from services.control.definitions import Definitions, load_definitions, packaged_definitions
from services.control.settings import ApplySettings
from services.demo.answer import DemoAnswer
from services.demo.databases import MARKET, POLICE, SOCIAL, TABLES, create_city, database_dsn, load_city
from services.demo.intake import IntakeFollower, IntakeSource
from services.demo.kept import SampleCity, choose_city, read_kept, write_kept
from services.demo.latency import MEASURED_GRANT, PATIENCE_SECONDS, Addresses, Latencies
from services.demo.narration import Narrator
from services.demo.readers import Arrival, DepartmentReader, reader_from_credentials, try_to_read
from services.demo.sources import connection_secrets
from services.demo.story import LIN, Told, number_of, play_changes, prepare_cast
from services.demo.week import CitySize
from services.demo.week_book import PlayedDay, write_book
from services.ledger.lookup import Lookup
from services.ledger.on_stack import AUDITOR, open_reader
from services.ledger.quarantine import read_quarantine
from services.stack.api import Stack
from services.stack.probes import HOST
from services.stack.progress import Bars
from topics.event import ConsumerId, GrantId, ProviderId
from topics.names import LEDGER_DELIVERY, raw_captured

WITHOUT_GRANT: Final = ConsumerId("archives")
_QUIET_SECONDS: Final = 1.0


class DemoStory:
    """Plays the chapters in order; may be played again over the data of the last time."""

    def __init__(
        self,
        stack: Stack,
        narrator: Narrator,
        *,
        persons: int | None,
        seed: int | None,
        updates: int,
        days: int = 0,
    ) -> None:
        self.stack = stack
        self.tell = narrator
        self.persons, self.seed, self.updates, self.days = persons, seed, updates, days
        self.week: list[PlayedDay] = []
        self.began = time.monotonic()
        self.first_delivery: float | None = None
        self.readers: list[DepartmentReader] = []
        self.portal: dict[str, Any] = {"url": None, "accounts": []}

    def play(self) -> DemoAnswer:
        """The whole story; every chapter may be repeated.

        Raises:
            DemoStuck: an effect did not come in time.
            OtherCity: the databases hold a city of another seed.
        """
        self.start_stack()
        self.make_city()
        definitions = load_definitions(packaged_definitions())
        with self.intake() as intake:
            self.share(definitions, intake)
            self.open_readers(definitions)
            try:
                self.changes(intake)
                refused = self.refused_reader(definitions)
                latencies = self.measure()
            finally:
                for reader in self.readers:
                    reader.close()
            definitions = self.play_week(definitions, intake)
        answer = self.prove(refused, latencies)
        self.portal = self.open_offices(definitions)
        return replace(answer, portal=self.portal, week=self.week)

    def start_stack(self) -> None:
        """Chapter 1."""
        self.tell.chapter(1, "The stack: PostgreSQL, Kafka, schema registry, Kafka Connect")
        with Bars(self.tell.console) as bars:
            self.stack.up(bars)
            prepare_control(self.stack, datetime.now(UTC))
        self.tell.say(f"all parts run and answer, in {self.stack.settings.home}")

    def make_city(self) -> None:
        """Chapter 2."""
        self.tell.chapter(2, "The sample city: three departments with a database each")
        passwords = connection_secrets(self.stack)
        create_city(self.admin_dsn, passwords)
        city = self.choose_city()
        with Bars(self.tell.console) as bars:
            bars.begin("city", f"making the city of {city}, their companies and enrolments")
            added = load_city(self.admin_dsn, city.persons, city.seed)
            bars.done("city", "the city is there")
        for provider, count in added.items():
            self.tell.say(f"{provider}: {count} rows added to {TABLES[provider].name}")
        prepare_cast(self.admin_dsn)

    def choose_city(self) -> SampleCity:
        """The one that was asked for, or the kept one."""
        kept = read_kept(self.admin_dsn)
        city = choose_city(kept, self.persons, self.seed)
        if kept is not None:
            self.tell.say(f"the city of {kept} is kept from an earlier run")
        if kept is not None or not self._rows(POLICE):
            write_kept(self.admin_dsn, city)
        return city

    def share(self, definitions: Definitions, intake_open: IntakeSource) -> None:
        """Chapters 3 and 4; a policy that is there already is only brought up to date."""
        first_time = current_policy(self.stack) is None
        # An earlier run may have handed them over to cases.
        definitions = without_sample_grants(definitions, self.stack)
        self.tell.chapter(3, "Capture: Debezium reads each database, the gate checks every record")
        if first_time:
            self.apply(replace(definitions, grants={}))
        else:
            self.apply(definitions)
        with Bars(self.tell.console) as bars:
            self.stack.run_process(processes.gate(self.stack.settings.processes_port), bars)
        self.await_first_load(intake_open.follow())
        self.tell.chapter(4, "Grants: each department gets its own topic, filled to this moment, then live")
        with Bars(self.tell.console) as bars:
            if first_time:
                self.apply(definitions)
            start_bus(self.stack, bars)

    def apply(self, definitions: Definitions) -> None:
        """What `govbus apply` does."""
        applied = Apply(access_of(self.stack), definitions, say=self.tell.say).run()
        if not applied.steps:
            self.tell.say(f"nothing to change, policy version {applied.policy_version}")
        if applied.held_back:
            raise DemoStuck(f"not ready: {', '.join(sorted(applied.held_back))}; the lines above say why")

    def await_first_load(self, intake: IntakeFollower) -> None:
        """Until the gate has decided at least one record for each row of each database."""
        wanted = {
            raw_captured(provider, "public", table.name): self._rows(provider)
            for provider, table in TABLES.items()
        }

        def decided() -> bool:
            intake.poll()
            return all(intake.records[topic] >= count for topic, count in wanted.items())

        total = sum(wanted.values())
        with Bars(self.tell.console) as bars:
            bars.begin("load", f"first load: {total} rows through the gate")
            await_effect(decided, "the gate to decide every row of the first load")
            bars.done("load", f"{total} rows decided")
        counted = ", ".join(f"{count} {name}" for name, count in intake.outcomes.most_common())
        self.tell.say(f"the gate's answers so far: {counted}")
        stops = ", ".join(f"{count} {name}" for name, count in intake.reasons.most_common(6))
        if stops:
            self.tell.say(f"with reasons: {stops}")

    def open_readers(self, definitions: Definitions) -> None:
        """Each department with a grant reads with its own credentials from here on."""
        home = self.stack.settings.home
        for grant in definitions.grants.values():
            path = credentials_path(home, f"consumer-{grant.consumer}")
            self.readers.append(reader_from_credentials(path, grant.topic))
            self.tell.say(f"{grant.consumer} reads {grant.topic} with {path}")

    def changes(self, intake_source: IntakeSource) -> None:
        """Chapter 5."""
        self.tell.chapter(5, "Changes at the sources, and who sees what of them")
        intake = intake_source.follow()
        with self.lookup() as lookup:
            steps = play_changes(self.admin_dsn)
            seen = dict(intake.records)
            stopped = intake.outcomes["stopped"]
            for told in steps:
                self.tell.told(told)
                arrivals = self._effects(told, intake, seen)
                self.tell.arrivals(arrivals, self._silent(arrivals))
                if intake.outcomes["stopped"] > stopped:
                    self._show_quarantine(lookup, told.provider)
                stopped, seen = intake.outcomes["stopped"], dict(intake.records)

    def refused_reader(self, definitions: Definitions) -> str:
        """Chapter 6."""
        self.tell.chapter(6, "A department without a grant")
        path = credentials_path(self.stack.settings.home, f"consumer-{WITHOUT_GRANT}")
        topic = definitions.grants[GrantId("tax-enterprises")].topic
        answer = try_to_read(path, topic)
        self.tell.say(f"{WITHOUT_GRANT} tries to read {topic}: {answer}")
        return answer

    def measure(self) -> Latencies:
        """Chapter 7: each change is waited for, so that the slow ones count too."""
        self.tell.chapter(7, f"From commit to readable, over {self.updates} single changes")
        addresses = Addresses(self.admin_dsn)
        latencies = Latencies(addresses.source_clock_ms())
        with Bars(self.tell.console) as bars:
            bars.begin("changes", "the police change one address after the other", self.updates)
            for _ in addresses.change(self.updates):
                latencies.expected += 1
                bars.advance("changes", 1)
            bars.done("changes", f"{latencies.expected} addresses changed")
            bars.begin("arrivals", f"until each of them is readable under {MEASURED_GRANT}")
            latencies.await_all(self.poll_readers, PATIENCE_SECONDS)
            bars.done("arrivals", f"{latencies.expected - latencies.missing} of them are readable")
        return latencies

    def play_week(self, definitions: Definitions, intake: IntakeSource) -> Definitions:
        """Chapter 7b, where days were asked for; return the definitions in force at its end."""
        if not self.days:
            return definitions
        self.tell.chapter(7, f"A week at work, {self.days} days of it, each decided whole before the next")
        city = choose_city(read_kept(self.admin_dsn), self.persons, self.seed)
        size = CitySize(city.persons, self._rows(MARKET), self._rows(SOCIAL))
        running = Running(access_of(self.stack), ApplySettings.from_environment())
        config, decoder = self.stack.kafka_config(AUDITOR), RecordDecoder(self.registry)
        with closing(IntakeFollower.open(config, decoder, LEDGER_DELIVERY)) as delivery:
            week = Week(running, self.tell, self.admin_dsn, city.seed, intake.follow(), delivery, self.apply)
            definitions = week.play(self.days, without_sample_grants(definitions, self.stack), size)
        self.week = week.played
        path = write_book(self.stack.settings.home, self.week)
        self.tell.say(f"which stretch of the bus each day is stands in {path}")
        self.tell.say(f"whom to trace: {number_of(LIN)}, a resident number of the story, invented")
        return definitions

    def prove(self, refused: str, latencies: Latencies) -> DemoAnswer:
        """Chapter 8."""
        self.tell.chapter(8, "The books: every record has exactly one outcome, proven from the topics")
        with self.lookup() as lookup, Bars(self.tell.console) as bars:
            bars.begin("pending", "until gate and fan-out have decided everything")
            books = settled_books(lambda: books_of(lookup), lambda text: bars.begin("pending", text))
            bars.done("pending", "everything is decided, nothing is pending")
        answer = DemoAnswer(
            topics=books.topics,
            quarantined=books.quarantined,
            withheld=books.withheld,
            balance=books.balance,
            latencies=latencies,
            first_delivery_seconds=self.first_delivery,
            refused_reader=refused,
        )
        self.tell.rows("Quarantined by reason", ["reason", "events"], list(books.quarantined.items()))
        withheld = [
            (grant, why, count) for grant, found in books.withheld.items() for why, count in found.items()
        ]
        self.tell.rows("Withheld", ["grant", "reason", "records"], withheld)
        self.tell.rows("Sums", ["what", "records"], list(books.balance["sums"].items()))
        self.tell.say(answer.latency_text())
        self.tell.say(books.verdict)
        return answer

    def open_offices(self, definitions: Definitions) -> dict[str, Any]:
        """Chapter 9."""
        self.tell.chapter(9, "The offices: departments, a published catalogue, and who may ask and decide")
        with closing(control_database(self.stack)) as database:
            accounts = open_offices(database, definitions, datetime.now(UTC), audited=bool(self.days))
            imported = hand_over_grants(access_of(self.stack), database, definitions, datetime.now(UTC))
        self.tell.say("the catalogue of the sample city is published, and cases are bound to a policy")
        self.tell.say(f"{imported} grants became cases: from now on cases decide who receives what")
        lone = processes.lone_processes(self.stack)
        url = f"http://{HOST}:{self.stack.settings.portal_port}" if "portal" in lone else None
        return {"url": url, "accounts": [account.as_json() for account in accounts]}

    def farewell(self) -> None:
        """How to look around, and how to stop."""
        commands = (
            ("what runs", "status"),
            ("whether all is well, and what to do if not", "doctor"),
            ("what a department reads", f"tail {self.readers[0].topic} -o -5 -e"),
            ("what was stopped, and why", "quarantine list --provider police"),
            ("what became of one record, for each grant", "explain raw.police.public.person:0:17"),
            ("the proof again", "audit balance --settled"),
            ("stop everything; the data stays", "down"),
        )
        self.tell.commands([(purpose, f".venv/bin/govbus {command}") for purpose, command in commands])

    def show_accounts(self) -> None:
        """The accounts, the passwords that were made now, and where to use them: shown this once."""
        rows = [
            [one["login"], one["department"], one["role"], one["password"] or "as before"]
            for one in self.portal["accounts"]
        ]
        self.tell.rows("Accounts", ["login", "department", "role", "password"], rows)
        self.tell.say("a password is shown this once; `govbus account reset-password LOGIN` gives a new one")
        if self.portal["url"] is not None:
            self.tell.say(f"the portal: {self.portal['url']}")

    def poll_readers(self) -> list[Arrival]:
        """What arrived at the departments since the last call."""
        found = [arrival for reader in self.readers for arrival in reader.poll()]
        if found and self.first_delivery is None:
            self.first_delivery = round(time.monotonic() - self.began, 1)
        return found

    @property
    def admin_dsn(self) -> str:
        """The administrator's connection to the server of the sample databases."""
        return admin_dsn(self.stack)

    @contextmanager
    def lookup(self) -> Iterator[Lookup]:
        """The auditor's questions."""
        with open_reader(self.stack, "demo") as reader:
            yield Lookup(reader, self.registry)

    @contextmanager
    def intake(self) -> Iterator[IntakeSource]:
        """The gate's decisions, from the first; opened when its topic exists."""
        source = IntakeSource(
            lambda: IntakeFollower.open(self.stack.kafka_config(AUDITOR), RecordDecoder(self.registry))
        )
        try:
            yield source
        finally:
            source.close()

    @property
    def registry(self) -> SchemaRegistry:
        """Read only."""
        user, password = self.stack.registry_auth(AUDITOR)
        return SchemaRegistry(RegistryCredentials(self.stack.endpoints().registry_url, user, password))

    def _rows(self, provider: ProviderId) -> int:
        table = TABLES[provider].name
        with (
            closing(psycopg2.connect(database_dsn(self.admin_dsn, provider))) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(f"SELECT count(*) FROM public.{table}")  # noqa: S608 - a name of ours
            found = cursor.fetchone()
        return int(found[0]) if found else 0

    def _effects(self, told: Told, intake: IntakeFollower, seen: dict[str, int]) -> list[Arrival]:
        """What arrives once the gate has decided the step, until nothing more comes."""
        topic = raw_captured(told.provider, "public", TABLES[told.provider].name)

        def decided() -> bool:
            intake.poll()
            return intake.records[topic] > seen.get(topic, 0)

        await_effect(decided, f"the gate to decide the step {told.name!r}")
        return self._until_quiet(intake)

    def _until_quiet(self, intake: IntakeFollower) -> list[Arrival]:
        """What arrives until neither the gate decides nor a department reads anything more."""
        arrivals: list[Arrival] = []
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < _QUIET_SECONDS:
            before = intake.records.total()
            intake.poll()
            found = self.poll_readers()
            arrivals.extend(found)
            if found or intake.records.total() > before:
                quiet_since = time.monotonic()
        return arrivals

    def _silent(self, arrivals: Sequence[Arrival]) -> list[str]:
        heard = {arrival.consumer for arrival in arrivals}
        everyone = dict.fromkeys(reader.consumer for reader in self.readers)
        return [name for name in everyone if name not in heard]

    def _show_quarantine(self, lookup: Lookup, provider: ProviderId) -> None:
        newest = read_quarantine(lookup, provider)[-1]
        self.tell.stopped(newest.step, newest.reason, newest.detail, newest.raw.coordinates)
