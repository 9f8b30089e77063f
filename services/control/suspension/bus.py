"""What a suspension asks of the running bus: rights, policy, answers, fences, ends of topics, the ledger."""

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from services.control.acknowledgements import Answers
from services.control.suspension.acts import Act
from services.control.suspension.receipt import HeldGrant
from topics.event import TopicName
from topics.grants.declaration import Grant
from topics.policy import GrantPolicy, Policy


class NoPolicyYet(Exception):  # noqa: N818 - says what is the matter
    """Nothing was applied yet, so there is nothing to suspend."""


class Bus(Protocol):
    """Each of these may be repeated; what was already done is no error."""

    def policy(self) -> Policy:
        """The newest version.

        Raises:
            NoPolicyYet: there is none.
        """
        ...

    def remove_readers(self, topics: Collection[TopicName]) -> None:
        """Take every department's right to read these topics, in one request."""
        ...

    def write(self, change: Callable[[Policy], Policy]) -> Policy:
        """Write what follows the newest version, and return it.

        Nobody writes in between: whoever was about to is refused. No change, nothing written.
        """
        ...

    def partitions(self, entry: GrantPolicy, policy: Policy) -> int:
        """How many partitions the grant's topic has."""
        ...

    def members(self, groups: Collection[str]) -> set[str]:
        """The instances that are members of the groups now."""
        ...

    def answers(self, groups: Collection[str], version: int, members: Iterable[str]) -> Answers:
        """Wait, at most a lease, until all members of now or before apply the version."""
        ...

    def deny_writers(self, grants: Iterable[Grant]) -> None:
        """Let the broker refuse every writer of the grants' topics."""
        ...

    def fence(self, transactional_ids: Iterable[str]) -> None:
        """Take over these ids: what they have open is aborted, and their owners never commit again."""
        ...

    def cut(self, held: HeldGrant) -> dict[int, int]:
        """The end of each partition once no transaction is open on it.

        Raises:
            WithdrawalStuck: one stays open.
        """
        ...

    def record(self, act: Act) -> None:
        """Write the act into the ledger, once for its id.

        Raises:
            LedgerNotReady: the ledger has no place for acts yet.
        """
        ...

    def keep_receipt(self, name: str, receipt: dict[str, object]) -> str:
        """Keep one grant's receipt of withdrawal where apply looks for it; return its path."""
        ...
