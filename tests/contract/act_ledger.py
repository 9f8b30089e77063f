"""What every ledger of acts keeps to; run in memory here, and over Kafka by an integration test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from services.control.process.sending_acts import ActLedger
from services.control.suspension.acts import Act

SINCE: Final = datetime.now(UTC) - timedelta(minutes=1)
ACT: Final = Act(
    "outbox.1.0a", "account-7", "case.approve", "case", "42", 1_790_000_000_000, "by article 3", {"level": 1}
)


class Books(Protocol):
    """A ledger of acts with its readers."""

    def sender(self) -> ActLedger:
        """A new process that appends; whoever was before it is dead, or will be refused."""

    def acts(self) -> list[Act]:
        """What a reader sees."""


@dataclass(slots=True)
class MemoryBooks:
    """Acts in memory; ``dies`` lets senders die, before or after the ledger has taken the acts."""

    kept: list[Act] = field(default_factory=list)
    dies: Callable[[str], None] = lambda _moment: None

    def sender(self) -> ActLedger:
        return self

    def append(self, acts: Sequence[Act], since: datetime) -> None:
        assert since.tzinfo is not None
        self.dies("before")
        known = {act.id for act in self.kept}
        self.kept += [act for act in acts if act.id not in known]
        self.dies("after")

    def acts(self) -> list[Act]:
        return list(self.kept)


def numbered(*numbers: int, prefix: str = "outbox") -> list[Act]:
    """Acts with ids of their own."""
    return [replace(ACT, id=f"{prefix}.{number}.0a", object=str(number)) for number in numbers]


def appended_in_order_and_once(books: Books, prefix: str) -> None:
    """Acts come in their order, and again does nothing, whether the same process asks or another one."""
    first, more = numbered(1, 2, 3, prefix=prefix), numbered(3, 4, prefix=prefix)
    sender = books.sender()
    sender.append(first, SINCE)
    sender.append(first, SINCE)
    sender.append(more, SINCE)
    books.sender().append(more, SINCE)
    own = [act for act in books.acts() if act.id.startswith(prefix)]
    assert [act.object for act in own] == ["1", "2", "3", "4"]
    assert own[0] == first[0]


CONTRACT: Final = (appended_in_order_and_once,)
