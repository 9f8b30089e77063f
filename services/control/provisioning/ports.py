"""What the worker asks of the running bus; each of these may be repeated, and what is done is no error."""

from collections.abc import Collection, Mapping
from typing import Protocol

from topics.event import ConsumerId, GrantId, TopicName
from topics.grants.declaration import Grant
from topics.policy import CaseMark, Policy


class CannotProvide(Exception):  # noqa: N818 - says what is the matter
    """A step cannot be done as things are: ``what`` is wrong, and ``remedy`` mends it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}; {remedy}")
        self.what, self.remedy = what, remedy


class GrantBus(Protocol):
    """The bus, as far as grants of cases need it.

    Whoever makes a grant is carried on by whoever comes next: what was begun and is not finished is begun
    anew where that is safer.
    """

    def policy(self) -> Policy:
        """The newest version.

        Raises:
            NoPolicyYet: nothing was applied yet.
        """
        ...

    def make_topics(self, grant: Grant) -> None:
        """The grant's topic and that of its epochs, with their schemas.

        Raises:
            CannotProvide: its resource or its consumer is not on the bus.
        """
        ...

    def make_user(self, consumer: ConsumerId) -> None:
        """The consumer's user, with a password that nobody was shown.

        Raises:
            CannotProvide: the consumer is not on the bus.
        """
        ...

    def give_rights(self, consumer: ConsumerId, grant: Grant | None, mark: CaseMark) -> None:
        """The consumer's own rights, and to read the grant's topic unless something old stands there."""
        ...

    def begin(self, grant: Grant, mark: CaseMark) -> None:
        """Write the version in which the grant is being filled, and lift the suspension of its own case.

        Raises:
            CannotProvide: another suspension holds it, or its own is not cut yet.
        """
        ...

    def settle(self, grant: GrantId) -> None:
        """Wait until no instance delivers under an older version."""
        ...

    def back_fill(self, grant: Grant, mark: CaseMark) -> Mapping[str, int]:
        """Copy and sweep, write the version in which it is active, and let its consumer read.

        What this mark has opened already is left alone; an epoch that somebody else began is begun anew.

        Raises:
            WaitForOperator: the sweep would remove too much.
            CannotProvide: the grant was suspended or withdrawn meanwhile.
        """
        ...

    def confirm(self, grant: GrantId, mark: CaseMark) -> str:
        """Note that the case is active, and return what its consumer can do; nothing is filled for it."""
        ...

    def note(self, grant: GrantId, mark: CaseMark) -> None:
        """Note how far a case is of which nothing else stands on the bus."""
        ...

    def suspend(self, grant: GrantId, by: str, reason: str, mark: CaseMark) -> str:
        """Suspend it with a cut; return the id of the receipt, or nothing where nothing was delivered."""
        ...

    def withdraw(self, grant: GrantId, by: str, reason: str, mark: CaseMark | None) -> str:
        """Withdraw it for good with a cut; return the receipt's name, or nothing as ``suspend`` does.

        Without a mark it is a grant that has no case.
        """
        ...

    def close(self, topics: Collection[TopicName]) -> None:
        """Take every department's right to read these topics."""
        ...

    def finish(self) -> None:
        """Finish what was begun to stop delivery and was interrupted."""
        ...
