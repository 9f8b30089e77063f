"""Disputes over facts as pages and the API show them: what is claimed of others' items, rows of one identity.

Values are masked here, always: whoever needs them reveals them where that is recorded.
"""

from dataclasses import dataclass, replace

from services.api.parts import Parts
from services.api.security.asking import permit
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.ledger.claims import ClaimView
from services.ledger.conflicts import Conflict
from services.ledger.masking import MASKED


@dataclass(frozen=True, slots=True)
class Claims:
    """The newest claims that somebody sees, and how many there are."""

    total: int
    newest: list[ClaimView]


Place = tuple[int, str]
"""Where a page ends: the moment of the oldest claim on it in milliseconds, and its coordinate."""


def claims(
    parts: Parts,
    principal: Principal,
    *,
    differing: bool = False,
    limit: int = 50,
    before: Place | None = None,
) -> Claims:
    """Claims on items that others own, the newest last; for the claimant and the owner.

    ``before`` is the oldest claim of the page that was read.

    Raises:
        AnswerProblem: somebody may not look at claims.
        BusUnavailable: Kafka does not answer.
    """
    permit(parts, principal, Action.CLAIM_LOOK, own(principal))
    seen = [each for each in parts.bus.claims() if _is_party(principal, each)]
    wanted = sorted((each for each in seen if each.agrees is False or not differing), key=_age)
    older = [each for each in wanted if before is None or _age(each) < before]
    return Claims(len(wanted), [_masked(each) for each in older[max(len(older) - limit, 0) :]])


def conflicts(parts: Parts, principal: Principal) -> list[Conflict]:
    """Rows of one provider that claim one identity now.

    Raises:
        AnswerProblem: somebody may not look at them.
        BusUnavailable: Kafka does not answer.
    """
    permit(parts, principal, Action.CLAIM_LOOK, own(principal))
    found = sorted(parts.bus.conflicts(), key=begun)
    return [_without_names(each) for each in found if _sees(principal, each.provider)]


def begun(conflict: Conflict) -> Place:
    """When a conflict began, and the coordinate of its first row: the order of the list, naming nobody."""
    return conflict.since_ms, min(each.at for each in conflict.records)


def _is_party(principal: Principal, claim: ClaimView) -> bool:
    return _sees(principal, claim.claimant) or _sees(principal, claim.owner)


def _sees(principal: Principal, provider: str) -> bool:
    return sees(principal, Action.CLAIM_LOOK, Whose(provider=provider))


def _age(claim: ClaimView) -> tuple[int, str]:
    return claim.timestamp_ms, claim.at


def _masked(claim: ClaimView) -> ClaimView:
    claimed, then, current = (
        None if value is None else MASKED for value in (claim.claimed, claim.then, claim.current)
    )
    return replace(claim, subject=MASKED, claimed=claimed, then=then, current=current)


def _without_names(conflict: Conflict) -> Conflict:
    records = conflict.records
    if conflict.record_ids_name_persons:
        records = tuple(replace(each, record_id=MASKED) for each in records)
    return replace(conflict, identity=MASKED, records=records)
