"""What the worker asks of the running bus; each of these may be repeated, and what is done is no error."""

from collections.abc import Collection, Mapping
from typing import Protocol

from services.control.cases.provisioning import Fault
from services.control.provisioning.switch_orders import SwitchBus
from topics.event import ConsumerId, GrantId, TopicName
from topics.grants.declaration import Grant
from topics.policy import CaseMark, Policy


class CannotProvide(Exception):  # noqa: N818 - says what is the matter
    """A step cannot be done as things are: ``what`` is wrong, and ``remedy`` mends it."""

    def __init__(self, what: str, remedy: str, fault: Fault = Fault.BEYOND_DECISION) -> None:
        super().__init__(f"{what}; {remedy}")
        self.what, self.remedy, self.fault = what, remedy, fault


class StopUnderWay(Exception):  # noqa: N818 - says what is the matter
    """Somebody is carrying out the suspension that a case follows: it has no receipt yet, look again soon."""


class GrantBus(SwitchBus, Protocol):
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

    def begin(self, grant: Grant, mark: CaseMark, orders: Collection[str] = ()) -> None:
        """Write the version in which the grant is being filled, and lift the suspensions of its own case.

        Args:
            grant: as it shall be.
            mark: how far the case is then.
            orders: orders of the kill switch that the case knows, and so lifts too.

        Raises:
            CannotProvide: another suspension holds it, or its own is not cut yet.
        """
        ...

    def settle(self, grant: GrantId) -> None:
        """Wait until no instance delivers under an older version."""
        ...

    def back_fill(self, grant: Grant, mark: CaseMark, orders: Collection[str] = ()) -> Mapping[str, int]:
        """Copy and sweep, write the version in which it is active, let its consumer read; what was counted.

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

    def adopt(self, grant: GrantId, order: str, mark: CaseMark) -> str:
        """Note that a case follows an order of the kill switch; return the id of the receipt.

        Nothing is stopped by it. Nothing is returned, and noted, where the order holds no more.

        Raises:
            StopUnderWay: it is being carried out.
        """
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
