"""Departments' logins on a stack: handed over to who fetches them, renewed, locked out once they are over."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from services.control.access import Access
from services.control.credentials import (
    credential,
    credentials_path,
    remove_credentials,
    renew_password,
    write_credentials,
)
from services.control.desired import Declared
from services.control.provisioning.entries import item_schema_of
from services.control.provisioning.ports import CannotProvide
from services.control.sinks import renew_login
from topics.event import ConsumerId
from topics.grants.declaration import GrantState
from topics.policy import Policy

_CONSUMER: Final = "consumer-"


class Fetching(Protocol):
    """What is handed over to who fetches a credential."""

    def shown(self, consumer: ConsumerId) -> dict[str, Any]:
        """The credential as it is."""
        ...

    def renewed(self, consumer: ConsumerId) -> dict[str, Any]:
        """A new one: from now on the password of before logs nobody in.

        Raises:
            CannotProvide: the department is not on the bus.
        """
        ...


class Lockable(Protocol):
    """Which departments have a login, and that it can be taken away, or be renewed to the end."""

    def holders(self) -> frozenset[ConsumerId]:
        """Departments of which there is a password that opens the bus."""
        ...

    def lock(self, consumer: ConsumerId) -> None:
        """Take the department's password away; what is away already stays away."""
        ...

    def half_renewed(self) -> frozenset[ConsumerId]:
        """Departments whose new password the broker may not have, or of which there may be old copies."""
        ...

    def finish(self, consumer: ConsumerId) -> None:
        """Let the broker and every copy have the department's new password; what has it already is left."""
        ...


@dataclass(frozen=True, slots=True)
class Handover:
    """``Fetching`` on a stack."""

    access: Access
    policy: Policy
    """The policy in force."""

    def shown(self, consumer: ConsumerId) -> dict[str, Any]:
        """See ``Fetching``."""
        return credential_of(self.access, self.policy, consumer)

    def renewed(self, consumer: ConsumerId) -> dict[str, Any]:
        """See ``Fetching``; the bus's own copies of the old password are replaced too."""
        if consumer not in self.policy.consumers:
            what = f"the department {consumer} is not on the bus"
            raise CannotProvide(what, "declare it in consumers.yaml, `govbus apply`, then fetch again")
        user = _user(consumer)
        self.access.renew_user(user)
        if credentials_path(self.access.home, user).exists():
            write_credentials(self.access, user, _declared(self.policy))
        renew_login(self.access, consumer)
        found = credential_of(self.access, self.policy, consumer)
        self.access.settle_user(user)
        return found


@dataclass(frozen=True, slots=True)
class Locks:
    """``Lockable`` on a stack."""

    access: Access

    def holders(self) -> frozenset[ConsumerId]:
        """See ``Lockable``."""
        return _consumers(self.access.users_with_passwords())

    def lock(self, consumer: ConsumerId) -> None:
        """See ``Lockable``; whom the broker does not know, it is not made to know."""
        user = _user(consumer)
        if user in self.access.known_users():
            self.access.lock_user(user)
        remove_credentials(self.access.home, [user])

    def half_renewed(self) -> frozenset[ConsumerId]:
        """See ``Lockable``."""
        return _consumers(self.access.half_done_users())

    def finish(self, consumer: ConsumerId) -> None:
        """See ``Lockable``; the files are the last that is looked at, so nobody forgets one."""
        user = _user(consumer)
        password = self.access.ensure_user(user)
        renew_password(self.access.home, user, password)
        renew_login(self.access, consumer)
        self.access.settle_user(user)


def credential_of(access: Access, policy: Policy, consumer: ConsumerId) -> dict[str, Any]:
    """Addresses, logins and topics of a consumer, as the policy in force says; in the shape of its file."""
    return credential(access, _user(consumer), _declared(policy))


def _declared(policy: Policy) -> Declared:
    """What the policy declares, without what is withdrawn for good."""
    entries = policy.grants.items()
    return Declared(
        providers=policy.providers,
        consumers=policy.consumers,
        resources={key: entry.resource for key, entry in policy.resources.items()},
        grants={key: entry.grant for key, entry in entries if entry.grant.state is not GrantState.REVOKED},
        code_lists=policy.code_lists,
        item_schemas={key: item_schema_of(entry) for key, entry in policy.resources.items()},
    )


def _consumers(users: Iterable[str]) -> frozenset[ConsumerId]:
    return frozenset(ConsumerId(user.removeprefix(_CONSUMER)) for user in users if user.startswith(_CONSUMER))


def _user(consumer: ConsumerId) -> str:
    return f"{_CONSUMER}{consumer}"
