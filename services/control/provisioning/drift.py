"""Where the running bus differs from the cases: what is too much, and what a case that is active lacks; pure.

Whatever is too much can be taken away at once. What is missing is given back for a case that is active now
and for no other; and nothing at all is done on the word of a database that is older than the bus.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.control.cases.case import Case
from services.control.cases.decision import Approval, rows_within
from services.control.cases.words import SERVED, DeliveryMode, State
from services.control.provisioning.marks import is_known
from services.control.provisioning.policy_changes import delivering, strange_holds
from services.control.rights import grant_rights, is_readable, reading_rights
from services.control.state import Acl, Pattern, ResourceType, Right
from services.control.validity import in_force
from topics import names
from topics.event import ConsumerId, GrantId
from topics.grants.declaration import Grant, GrantState
from topics.policy import GrantPolicy, Policy

_ENTITLED: Final = frozenset({State.PROVISIONING, State.ACTIVE})
_READING: Final = frozenset({Right.READ, Right.ALL})
_PREFIXES: Final = ("sub.", "epochs.")


class Kind(StrEnum):
    """What differs."""

    OLDER_DATABASE = "older_database"
    """The bus was brought to an event of a case that the database does not know."""
    STRANGE_RIGHT = "strange_right"
    """Somebody may read a grant's topic for whom no case stands."""
    STRANGE_GRANT = "strange_grant"
    """A grant delivers whose case does not entitle to it, or that has none."""
    WIDER_GRANT = "wider_grant"
    """A grant gives more than was decided."""
    MISSING_GRANT = "missing_grant"
    """A case is active and its grant does not deliver."""
    MISSING_RIGHT = "missing_right"
    MISSING_USER = "missing_user"


TOO_MUCH: Final = frozenset({Kind.STRANGE_RIGHT, Kind.STRANGE_GRANT, Kind.WIDER_GRANT})


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference; ``grant`` is empty where a right belongs to none."""

    kind: Kind
    grant: str
    what: str
    acl: Acl | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """What is compared."""

    cases: Mapping[GrantId, Case]
    """Of every grant that the policy or the database knows of, whatever their state."""
    policy: Policy
    acls: Collection[Acl]
    users: Collection[str]
    own_users: Collection[str]
    """Users of the bus itself, which read grant topics by rights of their own."""
    day: date
    owed: Collection[UUID] = ()
    """Cases of which something is being carried out."""


def find_drift(picture: Picture) -> list[Finding]:
    """Everything that differs; only that the database is older, where it is."""
    older = list(_older(picture))
    if older:
        return older
    return [
        *_strange_rights(picture),
        *_strange_grants(picture),
        *_wider_grants(picture),
        *_missing(picture),
    ]


def _older(picture: Picture) -> Iterator[Finding]:
    for grant, mark in sorted(picture.policy.cases.items()):
        case = picture.cases.get(grant)
        if not is_known(case, mark):
            has = "no case of it" if case is None else f"{len(case.events)} events, or others"
            what = f"the bus was brought to event {mark.event} of its case, the database has {has}"
            yield Finding(Kind.OLDER_DATABASE, grant, what)


def _strange_rights(picture: Picture) -> Iterator[Finding]:
    allowed = {acl for case in picture.cases.values() for acl in _allowed(case, picture)}
    topics = {acl.name: grant for grant, case in picture.cases.items() for acl in _reading(case)}
    for acl in sorted(picture.acls):
        if _reads_grants(acl) and acl.user not in picture.own_users and acl not in allowed:
            yield Finding(Kind.STRANGE_RIGHT, topics.get(acl.name, ""), str(acl), acl)


def _allowed(case: Case, picture: Picture) -> set[Acl]:
    """What may be there for a case, whether it is or not."""
    entry = picture.policy.grants.get(case.opening.grant)
    if case.state not in _ENTITLED or case.approval is None or case.application.mode not in SERVED:
        return set()
    if entry is not None and not (
        is_readable(entry.grant, picture.day) and entry in delivering(picture.policy)
    ):
        return set()
    within = case.approval.start <= picture.day <= case.approval.end
    return _reading(case) if within else set()


def _strange_grants(picture: Picture) -> Iterator[Finding]:
    for entry in delivering(picture.policy):
        case = picture.cases.get(entry.grant.id)
        if case is None or case.state not in _ENTITLED:
            what = "has no case" if case is None else f"its case is {case.state.value}"
            state = entry.grant.state.value
            yield Finding(Kind.STRANGE_GRANT, entry.grant.id, f"the grant is {state}, {what}")


def _wider_grants(picture: Picture) -> Iterator[Finding]:
    for entry in delivering(picture.policy):
        case = picture.cases.get(entry.grant.id)
        more = [] if case is None or case.state not in _ENTITLED else list(_more(entry.grant, case))
        if more:
            yield Finding(Kind.WIDER_GRANT, entry.grant.id, f"more than was decided: {', '.join(more)}")


def _more(grant: Grant, case: Case) -> Iterator[str]:
    """In what a grant goes beyond the decision of its case."""
    approval = case.approval
    if (grant.consumer, grant.resource) != (case.opening.applicant, case.application.resource):
        yield "its consumer or resource is another"
    if approval is None:
        yield "nothing was approved"
        return
    items = sorted(set(grant.items) - set(approval.items))
    if items:
        yield f"items {', '.join(items)}"
    if not rows_within(grant.rows, approval.rows):
        yield "rows"
    yield from _unmasked(grant, approval)
    if grant.valid_from < approval.start or grant.valid_until > approval.end:
        yield "days"
    if case.application.mode is DeliveryMode.BATCH and not grant.once:
        yield "it goes on after the batch"


def _unmasked(grant: Grant, approval: Approval) -> Iterator[str]:
    for item, mask in approval.masks:
        if item in grant.items and grant.masks.get(item) != mask:
            yield f"mask of {item}"


def _missing(picture: Picture) -> Iterator[Finding]:
    for grant, case in sorted(picture.cases.items()):
        busy = UUID(case.opening.id) in picture.owed
        if case.state is not State.ACTIVE or busy or not _is_due(case, picture.day):
            continue
        user = f"consumer-{case.opening.applicant}"
        if user not in picture.users:
            yield Finding(Kind.MISSING_USER, grant, f"the broker does not know {user}")
        if case.application.mode in SERVED:
            yield from _missing_of(grant, picture.policy.grants.get(grant), picture)


def _missing_of(grant: GrantId, entry: GrantPolicy | None, picture: Picture) -> Iterator[Finding]:
    if entry is None or (entry.grant.state is not GrantState.ACTIVE):
        if entry is None or not strange_holds(picture.policy, entry.grant):
            state = "not there" if entry is None else entry.grant.state.value
            yield Finding(Kind.MISSING_GRANT, grant, f"the case is active, the grant is {state}")
        return
    if not in_force(entry.grant, picture.day):
        return
    for acl in sorted(grant_rights(entry.grant, picture.day) - set(picture.acls)):
        yield Finding(Kind.MISSING_RIGHT, grant, str(acl), acl)


def _is_due(case: Case, day: date) -> bool:
    return case.approval is not None and case.approval.start <= day <= case.approval.end


def _reading(case: Case) -> set[Acl]:
    """What the consumer of a case reads while it is entitled to."""
    application, grant = case.application, case.opening.grant
    topic = names.grant_topic(application.applicant, application.resource, grant)
    return reading_rights(ConsumerId(case.opening.applicant), topic, grant)


def _reads_grants(acl: Acl) -> bool:
    """Whether a right lets somebody read what grants deliver: by name, by a prefix of it, or anything."""
    if acl.resource is not ResourceType.TOPIC or not acl.allow or acl.right not in _READING:
        return False
    if acl.pattern is Pattern.PREFIXED:
        return any(acl.name.startswith(one) or one.startswith(acl.name) for one in _PREFIXES)
    return acl.name == "*" or acl.name.startswith(_PREFIXES)
