"""Judges departments' credentials: which end soon or have ended, and whose grants that stops; pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from services.control.credential_life import Credential, Standing
from services.doctor.finding import Finding, failure, listed, note, ok, warning
from topics.event import ConsumerId, GrantId
from topics.grants.declaration import GrantState
from topics.policy import Policy

CHECK: Final = "credential"


def judge_credentials(newest: Iterable[Credential], policy: Policy | None, now: datetime) -> list[Finding]:
    """One line for each credential that ends soon or has ended, and one for all others.

    Args:
        newest: the last version of each department's credential.
        policy: says which grants a department reads with it; None where it cannot be read.
        now: the time.
    """
    found = list(newest)
    troubles = [finding for each in found for finding in _judged(each, policy, now)]
    good = [each for each in found if each.standing(now) is Standing.GOOD]
    if good:
        first = min(good, key=lambda each: each.expires_at)
        seen = f"{len(good)} good, the first ends on {first.last_day} ({first.consumer})"
        return [ok(CHECK, seen), *troubles]
    return troubles or [note(CHECK, "no department has a credential with a date yet")]


def grants_of(policy: Policy, consumer: ConsumerId) -> list[GrantId]:
    """The grants that a department has and that were not withdrawn, by name."""
    entries = (entry.grant for entry in policy.grants.values())
    return sorted(
        each.id for each in entries if each.consumer == consumer and each.state is not GrantState.REVOKED
    )


def _judged(each: Credential, policy: Policy | None, now: datetime) -> Iterator[Finding]:
    grants = None if policy is None else grants_of(policy, each.consumer)
    remedy = f"govbus credential rotate {each.consumer}"
    match each.standing(now):
        case Standing.ENDS_SOON:
            days = each.days_left(now)
            when = f"ends on {each.last_day}, in {days} day{'s' * (days != 1)}"
            yield warning(
                CHECK, f"{each.consumer}, version {each.version}: {when}; {_grants(grants)}", remedy
            )
        case Standing.OVER:
            seen = f"{each.consumer}, version {each.version}: ended on {each.last_day}; {_grants(grants)}"
            yield failure(CHECK, seen, remedy) if grants != [] else note(CHECK, seen, remedy)
        case _:
            pass


def _grants(grants: Sequence[GrantId] | None) -> str:
    if grants is None:
        return "its grants cannot be told"
    return f"it reads {listed(grants)} with it" if grants else "it has no grant"
