"""The running bus for `govbus grant …`: policy, kill switch, acts of the ledger, and errors told."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, TypeVar

from confluent_kafka import KafkaException
from rich.console import Console
from rich.markup import escape

from schemas.registry import RegistryUnavailable
from services.cli import bus
from services.cli.output import CommandFailed, ExitCode
from services.cli.plan import access_of
from services.control.access import Access
from services.control.acknowledgements import NameEachInstance
from services.control.copy_transactions import EpochInterrupted
from services.control.policy_topic import AnotherApplyRuns, PolicyUnreadable
from services.control.revoke import WithdrawalStuck
from services.control.ruling_order import DefinitionsDiffer, PolicyMoved, RulingOvertaken
from services.control.settings import ApplySettings
from services.control.suspension.acts import Act, ActDamaged, LedgerNotReady, read_acts
from services.control.suspension.bus import NoPolicyYet
from services.control.suspension.finish import now_ms, suspend_on
from services.control.suspension.ids import new_id
from services.control.suspension.journal import FileJournal, JournalUnreadable, resumptions_path
from services.control.suspension.kafka_bus import KafkaBus
from services.control.suspension.resume import NotSuspended, Resume, SuspensionUnfinished
from services.control.suspension.suspend import NothingOfThatName, Suspend
from services.stack.api import Stack
from services.stack.progress import say
from services.stack.settings import StackSettings
from topics.policy import Policy

T = TypeVar("T")

_AGAIN: Final = "give the same order again: it goes on where it was"
_DOWN: Final = f"`govbus status` shows what is down; then {_AGAIN}"
_CLOSED: Final = "nobody reads it any more, and no cut yet: "
_TOLD: Final[Mapping[type[Exception], tuple[ExitCode, str, str]]] = {
    NotSuspended: (
        ExitCode.USAGE,
        "not suspended by such an order: ",
        "`govbus grant list` shows what holds",
    ),
    SuspensionUnfinished: (ExitCode.PENDING, "its suspension has no cut yet: ", "suspend it again first"),
    NoPolicyYet: (ExitCode.USAGE, "", "`govbus apply` makes the first policy"),
    WithdrawalStuck: (ExitCode.PENDING, _CLOSED, _AGAIN),
    NameEachInstance: (ExitCode.PENDING, _CLOSED, f"end that member; then {_AGAIN}"),
    LedgerNotReady: (ExitCode.PENDING, "done, and not in the ledger yet: ", f"`govbus apply`, then {_AGAIN}"),
    ActDamaged: (ExitCode.NEGATIVE, "", "keep the ledger as it is and tell the auditor"),
    JournalUnreadable: (ExitCode.BROKEN, "", "look at that file; `govbus apply` stops at it too"),
    EpochInterrupted: (ExitCode.UNAVAILABLE, "", _AGAIN),
    AnotherApplyRuns: (ExitCode.REFUSED, "", _AGAIN),
    DefinitionsDiffer: (ExitCode.REFUSED, "", f"`govbus plan` shows it: `govbus apply`, then {_AGAIN}"),
    RulingOvertaken: (ExitCode.REFUSED, "", "`govbus conflicts items` shows what was ruled last"),
    PolicyMoved: (ExitCode.REFUSED, "", _AGAIN),
    PolicyUnreadable: (ExitCode.UNAVAILABLE, "", _DOWN),
    RegistryUnavailable: (ExitCode.UNAVAILABLE, "", _DOWN),
    KafkaException: (ExitCode.UNAVAILABLE, "", _DOWN),
}
"""What may end a command early → exit code, what stands before the error's own words, what to do."""


@dataclass(frozen=True, slots=True)
class Running:
    """The stack that the environment names; Kafka alone is needed."""

    access: Access
    settings: ApplySettings

    @classmethod
    def open(cls) -> "Running":
        """Find it.

        Raises:
            CommandFailed: Kafka does not run.
        """
        stack = Stack(StackSettings.from_environment())
        bus.require(stack, "kafka")
        return cls(access_of(stack), ApplySettings.from_environment())

    def policy(self) -> Policy:
        """The policy in force."""
        return told(KafkaBus(self.access, self.access.admin(), self.settings).policy)

    def suspend(self) -> Suspend:
        """The kill switch."""
        return suspend_on(self.access, self.access.admin(), self.settings, said)

    def resume(self, confirmed: tuple[str, ...]) -> Resume:
        """What lifts suspensions."""
        journal = FileJournal(resumptions_path(self.access.home))
        admin = self.access.admin()
        return Resume(self.access, admin, self.settings, journal, now_ms, said, confirmed)

    def acts(self) -> list[Act]:
        """Every act of the ledger."""
        return list(read_acts(self.access.admin(), self.access.kafka_config("apply")))


def said(text: str) -> None:
    """Tell a person how it goes on."""
    say(Console(stderr=True, emoji=False), escape(text))


def fresh_id(prefix: str) -> str:
    """An id of now."""
    return new_id(prefix, now_ms(), secrets.token_bytes(3))


def told(work: Callable[[], T]) -> T:
    """Do it; what ends it early is told with what to do.

    Raises:
        CommandFailed: it ended early, by what may be expected.
    """
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - what nobody expects goes on as it is
        _failed(error)


def _failed(error: Exception) -> NoReturn:
    if isinstance(error, NothingOfThatName):
        known = ", ".join(error.known) or "none"
        raise CommandFailed(ExitCode.USAGE, str(error), "", f"there are: {known}") from error
    for kind, (code, before, remedy) in _TOLD.items():
        if isinstance(error, kind):
            raise CommandFailed(code, f"{before}{error}", "", remedy) from error
    raise error
