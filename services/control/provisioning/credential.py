"""A consumer's credential is fetched once, with a code that is shown once; the database keeps neither."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.access import Access
from services.control.accounts.random_text import Random, digest, new_secret
from services.control.cases.provisioning import Step, done_steps
from services.control.cases.words import State
from services.control.credentials import credential
from services.control.desired import Declared
from services.control.docket.filed import Filed
from services.control.provisioning.entries import item_schema_of
from services.control.provisioning.ports import CannotProvide
from services.control.store.outbox import Act, append
from services.control.store.provisioning import pickups
from topics.event import ConsumerId
from topics.grants.declaration import GrantState
from topics.policy import Policy

CODE_LIFE: Final = timedelta(days=7)
_PREFIX: Final = "gbc_"


def issue_code(
    connection: Connection, filed: Filed, by: str, now: datetime, id_: UUID, random: Random
) -> tuple[str, datetime]:
    """A code with which the case's consumer fetches its credential once, and when it expires.

    Whoever shows it sees to it that only the consumer's department gets it. Codes that were issued before and
    not used count no more.

    Raises:
        CannotProvide: the case has no credential, or none any more.
    """
    case = filed.case
    has = case.state in {State.PROVISIONING, State.ACTIVE} and Step.CREDENTIAL in done_steps(case.steps)
    if not has:
        what = f"case {filed.number} is {case.state.value} and has no credential to fetch"
        raise CannotProvide(what, "it has one from the step credential on, until it ends")
    code = f"{_PREFIX}{new_secret(random)}"
    consumer, expires_at = case.opening.applicant, now + CODE_LIFE
    pickups.issue(connection, id_, UUID(case.opening.id), consumer, _digest(code), by, now, expires_at)
    append(connection, _act("credential.code_issued", case.opening.id, by, now))
    return code, expires_at


def fetch(
    connection: Connection, code: str, by: str, now: datetime, made: Callable[[ConsumerId], dict[str, Any]]
) -> dict[str, Any] | None:
    """The credential that a code is for; None where it is none, was used, or is over.

    ``made`` puts the credential together. If it fails, the caller's transaction is rolled back, and the code
    still counts.
    """
    used = pickups.collect(connection, _digest(code), by, now)
    if used is None:
        return None
    found = made(used.consumer)
    append(connection, _act("credential.fetched", str(used.case), by, now))
    return found


def credential_of(access: Access, policy: Policy, consumer: ConsumerId) -> dict[str, Any]:
    """Addresses, logins and topics of a consumer, as the policy in force says; in the shape of its file."""
    return credential(access, f"consumer-{consumer}", _declared(policy))


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


def _digest(code: str) -> str:
    return digest(code).hex()


def _act(what: str, case: str, by: str, now: datetime) -> Act:
    return Act(by, what, "case", case, now)
