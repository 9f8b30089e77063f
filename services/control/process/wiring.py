"""Wires the loops of the control process to a stack: its database, Kafka, registry, Connect and watch."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final

from producers.connect_client import ConnectClient, RetryPolicy
from schemas.registry import RegistryCredentials, SchemaRegistry
from services.control.definitions import Definitions, load_definitions, packaged_definitions
from services.control.desk.catalogued import PublishedEntries, StoredCalendars
from services.control.desk.desk import Desk
from services.control.desk.following import SYSTEM
from services.control.dispute_sender import DisputesNotReady, sender_on
from services.control.evidence.on_stack import open_receipts, open_sealer, trusted_witnesses
from services.control.evidence.receipts import Receipts
from services.control.evidence.settings import EvidenceSettings
from services.control.policy_topic import newest_policy
from services.control.process.address import As, stack_address
from services.control.process.cases import CasesTurn
from services.control.process.catalogue import CatalogueTurn
from services.control.process.census import CensusTurn
from services.control.process.collecting.collector import Collector
from services.control.process.collecting.sources import StackSources
from services.control.process.credentials import CredentialsTurn
from services.control.process.drift import DriftTurn
from services.control.process.forgetting import ForgettingTurn
from services.control.process.kafka_acts import KafkaActs, NewKafkaActs
from services.control.process.loops import Loop, NotYet, Pace
from services.control.process.news import GrantNews
from services.control.process.receipts import ReceiptsTurn
from services.control.process.recovery import RecoveryTurn
from services.control.process.redelivered import RedeliveredTurn
from services.control.process.retention import RetentionTurn
from services.control.process.retirements import RetirementsTurn
from services.control.process.sealing import SealingTurn
from services.control.process.sending_acts import ActSender
from services.control.process.settings import ControlSettings
from services.control.process.tickets import TicketsTurn
from services.control.process.tracing.acquiring import AcquiredTurn
from services.control.process.tracing.indexing import TraceTurn
from services.control.process.tracing.on_stack import StackGroups, open_trace
from services.control.provisioning.logins import Locks
from services.control.provisioning.repairing import Drift
from services.control.provisioning.wiring import drift, worker
from services.control.provisioning.worker import ProvisioningWorker
from services.control.recovery.bus import StackRecovery
from services.control.retention.kafka_broker import KafkaBroker
from services.control.rights import CONTROL
from services.control.rulings.wiring import ruling_order, ruling_worker
from services.control.sending.courier import Courier
from services.control.sending.wiring import means_of
from services.control.settings import ApplySettings, CredentialSettings
from services.control.stack_access import access_of, notice_settings
from services.control.store.cases.grant_requests import GrantOutbox
from services.control.store.database import Address, ControlDatabase
from services.ledger.decode import Decoder
from services.ledger.lookup import Lookup
from services.ledger.on_stack import master_secrets
from services.ledger.reader import KafkaTopicReader
from services.stack.api import Stack
from services.stack.probes import HOST, loopback_session
from services.stack.settings import StackSettings
from topics.names import CONTROL_GROUP, POLICY
from topics.policy import Policy

_RETRIES: Final = RetryPolicy(attempts=2, first_seconds=0.2, longest_seconds=0.5)
"""The next round is soon: trying long within one would only delay the others."""
_TIMEOUT_S: Final = 15.0
_BUSY_S: Final = 1.0
_LONGEST_FILL_S: Final = 6 * 3_600.0
"""A new grant is filled within one turn."""
_log: Final = logging.getLogger(__name__)


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def loops_of(settings: ControlSettings, closing: ExitStack) -> Sequence[Loop]:
    """The loops over the stack that the environment names.

    Raises:
        StackError: there is no such stack, or a secret of it is gone.
        DefinitionsInvalid: the folder of definitions cannot be used.
        RestoreSecret: the master secret of notices cannot be used.
    """
    stack = Stack(StackSettings.from_environment())
    address = Address.from_environment(stack_address(stack, As.APPLICATION))
    database = ControlDatabase(address, program="govbus control")
    closing.callback(database.close)
    parts = _Parts(stack, database, closing)
    declared = load_definitions(settings.definitions or packaged_definitions())
    desk = Desk(PublishedEntries(declared), StoredCalendars(), GrantOutbox())
    turns = _turns(settings, database, desk, parts, declared)
    return [Loop(name, turn, pace) for name, (turn, pace) in turns.items()]


def _turns(
    settings: ControlSettings, database: ControlDatabase, desk: Desk, parts: "_Parts", declared: Definitions
) -> Mapping[str, tuple[Callable[[], bool], Pace]]:
    return {
        **_of_the_bus(settings, database, desk, parts, declared),
        **_of_the_desk(settings, database, desk, parts),
    }


def _of_the_desk(
    settings: ControlSettings, database: ControlDatabase, desk: Desk, parts: "_Parts"
) -> Mapping[str, tuple[Callable[[], bool], Pace]]:
    """What goes on in the database: cases, tickets, notices and what they owe the ledger."""
    return {
        "acts": (
            ActSender(database, KafkaActs(parts.kafka), now).turn,
            Pace(settings.acts_s, longest_retry_s=10.0),
        ),
        "cases": (CasesTurn(database, desk, now).turn, Pace(settings.cases_s, _BUSY_S)),
        "retirements": (
            RetirementsTurn(database, desk, now).turn,
            Pace(settings.retirements_s, _BUSY_S),
        ),
        "disputes": (parts.disputes(), Pace(settings.disputes_s, longest_retry_s=30.0)),
        "tickets": (
            TicketsTurn(database, parts.lookup, parts.secrets, now).turn,
            Pace(settings.tickets_s, _BUSY_S),
        ),
        "grants": (
            GrantNews(database, NewKafkaActs(parts.kafka), now).turn,
            Pace(settings.grants_s, _BUSY_S),
        ),
        "credentials": (parts.credentials(), Pace(settings.credentials_s, _BUSY_S)),
        "courier": (parts.courier(), Pace(settings.courier_s, _BUSY_S)),
        "catalogue": (CatalogueTurn(database, parts.policy, now).turn, Pace(settings.catalogue_s)),
        "forgetting": (ForgettingTurn(database, now).turn, Pace(settings.forgetting_s, _BUSY_S)),
    }


def _of_the_bus(
    settings: ControlSettings, database: ControlDatabase, desk: Desk, parts: "_Parts", declared: Definitions
) -> Mapping[str, tuple[Callable[[], bool], Pace]]:
    """What changes the running bus, or looks at it."""
    return {
        "stops": (parts.worker(desk).stop, Pace(settings.provisioning_s)),
        "provisioning": (
            parts.worker(desk).provide,
            Pace(settings.provisioning_s, limit_s=_LONGEST_FILL_S),
        ),
        "drift": (
            DriftTurn(database, parts.drift(desk), parts.policy, now).turn,
            Pace(settings.drift_s, settings.drift_s, longest_retry_s=300.0, limit_s=_LONGEST_FILL_S),
        ),
        "recovery": (
            parts.recovery(),
            Pace(settings.recovery_s, _BUSY_S, longest_retry_s=300.0, limit_s=_LONGEST_FILL_S),
        ),
        "rulings": (parts.rulings(declared), Pace(settings.rulings_s)),
        "collector": (
            Collector(database, parts.sources(), now).turn,
            Pace(settings.collector_s, longest_retry_s=30.0),
        ),
        "retention": (parts.retention(), Pace(settings.retention_s, longest_retry_s=300.0)),
        "redelivered": (parts.redelivered(), Pace(settings.forgetting_s, longest_retry_s=300.0)),
        "census": (
            CensusTurn(database, parts.policy, parts.reader, now).turn,
            Pace(settings.census_s, longest_retry_s=300.0, limit_s=_LONGEST_FILL_S),
        ),
        "evidence": (parts.evidence(), Pace(settings.evidence_s, longest_retry_s=30.0)),
        "receipts": (
            ReceiptsTurn(database, parts.receipts, now).turn,
            Pace(settings.receipts_s, _BUSY_S, longest_retry_s=30.0, limit_s=_LONGEST_FILL_S),
        ),
        "trace": (parts.trace(), Pace(settings.trace_s, longest_retry_s=30.0)),
        "acquired": (parts.acquired(), Pace(settings.acquired_s)),
    }


class _Parts:
    """What several loops need of a stack."""

    def __init__(self, stack: Stack, database: ControlDatabase, closing: ExitStack) -> None:
        self._stack, self._database, self._closing = stack, database, closing
        self.kafka = {**stack.kafka_config(CONTROL), "client.id": CONTROL}

    @contextmanager
    def lookup(self) -> Iterator[Lookup]:
        """The bus as tickets need it; each use remembers policies anew."""
        with self._reader() as reader:
            yield Lookup(reader, self._registry())

    def policy(self) -> Policy | None:
        """The newest policy; None before the first."""
        with self._reader() as reader:
            there = POLICY in reader.topics()
        return newest_policy(self.kafka) if there else None

    def secrets(self, lookup: Lookup) -> Mapping[int, bytes]:
        """The master secrets that the fan-out has too: of the versions that the newest policy uses."""
        return master_secrets(self._stack, lookup)

    def worker(self, desk: Desk) -> ProvisioningWorker:
        """Carries decided cases to the bus; each loop has its own, since it keeps what it works with."""
        return worker(self._stack.settings, self._database, desk, say=lambda text: _log.info("%s", text))

    def drift(self, desk: Desk) -> Drift:
        """Holds the bus's real rights against the cases, and repairs them in the system's name."""
        say = partial(_log.info, "%s")
        return drift(self._stack.settings, self._database, desk, say, SYSTEM.person)

    def recovery(self) -> Callable[[], bool]:
        """Takes captures anew whose slot was lost, as whoever may apply."""
        settings, say = ApplySettings.from_environment(), partial(_log.info, "%s")
        bus = StackRecovery(access_of(self._stack), settings, say)
        return RecoveryTurn(self._database, bus, self.policy, now).turn

    def disputes(self) -> Callable[[], bool]:
        """Sends the marks of disputed records; whether any was owed."""
        kafka = self._stack.kafka_config("apply")
        sender = sender_on(kafka, "apply.disputes", self._database)

        def turn() -> bool:
            try:
                return sender.turn() > 0
            except DisputesNotReady as reason:
                raise NotYet(str(reason)) from reason

        return turn

    def rulings(self, declared: Definitions) -> Callable[[], bool]:
        """Carries the authority's rulings on items to the bus."""
        order = ruling_order(access_of(self._stack), ApplySettings.from_environment(), declared)
        return ruling_worker(self._database, order, lambda text: _log.info("%s", text)).turn

    def credentials(self) -> Callable[[], bool]:
        """Looks after the dates of departments' logins, as whoever may take them away."""
        days = CredentialSettings.from_environment().days
        return CredentialsTurn(self._database, Locks(access_of(self._stack)), now, days).turn

    def courier(self) -> Callable[[], bool]:
        """A round of the courier; whether it sent anything."""
        courier = Courier(self._database, means_of(notice_settings(self._stack)), now)
        return lambda: courier.round().delivered > 0

    def retention(self) -> Callable[[], bool]:
        """Raises what keeps evidence too briefly, as whoever may alter topics; whether anything was."""
        broker = KafkaBroker(access_of(self._stack).admin)
        return RetentionTurn(self._database, broker, now).turn

    def redelivered(self) -> Callable[[], bool]:
        """Removes separate topics whose time is over, as whoever may delete topics; whether any was."""
        broker = KafkaBroker(access_of(self._stack).admin)
        return RedeliveredTurn(self._database, broker, now).turn

    def evidence(self) -> Callable[[], bool]:
        """Seals the ledger; whether there is more of it."""
        settings = EvidenceSettings.from_environment()
        opened = open_sealer(self._stack, settings, lambda: int(now().timestamp() * 1000))
        return SealingTurn(self._database, self._closing.enter_context(opened)).turn

    @contextmanager
    def receipts(self) -> Iterator[Receipts]:
        """What makes receipts, as the ledger stands now; read with the auditor's own login."""
        witnesses = trusted_witnesses(self._stack.settings.home)
        now_ms = int(now().timestamp() * 1000)
        with open_receipts(self._stack, self._database, witnesses, now_ms) as opened:
            yield opened

    def trace(self) -> Callable[[], bool]:
        """Keeps the index of the person trace; whether there is more to index."""
        source = self._closing.enter_context(open_trace(self._stack, self.policy))
        return TraceTurn(self._database, source, now).turn

    def acquired(self) -> Callable[[], bool]:
        """Tells the ledger how far departments have committed."""
        return AcquiredTurn(self._database, StackGroups(self.kafka, self.policy), now).turn

    def sources(self) -> StackSources:
        """What the collector asks."""
        endpoints = self._stack.endpoints()
        connect = ConnectClient(
            endpoints.connect_url, *self._stack.connect_auth(), session=loopback_session(), retries=_RETRIES
        )
        self._closing.callback(connect.close)
        reader = self._reader()
        self._closing.callback(reader.close)
        watch = f"http://{HOST}:{self._stack.settings.watch_port}"
        registry = self._registry()
        return StackSources(self.kafka, reader, Decoder(registry), connect, watch, registry)

    def reader(self) -> KafkaTopicReader:
        """Reads topics as the control process."""
        return self._reader()

    def _reader(self) -> KafkaTopicReader:
        return KafkaTopicReader(self.kafka, CONTROL_GROUP, _TIMEOUT_S)

    def _registry(self) -> SchemaRegistry:
        user, password = self._stack.registry_auth(CONTROL)
        url = self._stack.endpoints().registry_url
        return SchemaRegistry(RegistryCredentials(url, user, password))
