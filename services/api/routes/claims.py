"""``/api/v1/claims`` and ``/api/v1/conflicts``: disputes over facts, with every value masked."""

from fastapi import APIRouter, Request

from services.api.cursors import cursor_at, place_of
from services.api.forms import Cursor, Limit
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import claims

router = APIRouter(tags=["claims"])


class ClaimAnswer(Answer):
    """What a department published of a fact that another owns; values are masked, null where none is."""

    at: str
    raw: str
    claimant: str
    owner: str
    resource: str
    item: str
    subject: str
    claimed: str | None
    then: str | None
    then_state: str
    agrees: bool | None
    current: str | None
    owner_has_record: bool
    timestamp_ms: int
    policy_version: int


class ClaimsAnswer(Answer):
    """The newest claims, the last one at the end, and how many there are."""

    total: int
    items: list[ClaimAnswer]
    next: str | None = None


class SideAnswer(Answer):
    """One of the rows that claim an identity."""

    record_id: str
    at: str
    raw: str
    since_ms: int


class ConflictAnswer(Answer):
    """An identity that several rows of one provider claim now."""

    resource: str
    provider: str
    identity: str
    since_ms: int
    records: list[SideAnswer]


@router.get("/claims")
def list_claims(
    request: Request, differing: bool = False, cursor: Cursor = None, limit: Limit = 50
) -> ClaimsAnswer:
    """List what departments publish of facts that others own; asks the bus. The next page is older."""
    at = place_of(cursor, [int, str], "claims", differing)
    before = None if at is None else (int(at[0]), str(at[1]))
    parts, principal = parts_of(request), principal_of(request)
    found = claims.claims(parts, principal, differing=differing, limit=limit + 1, before=before)
    shown = found.newest[-limit:]
    more = len(found.newest) > limit
    return ClaimsAnswer(
        total=found.total,
        items=[ClaimAnswer.model_validate(each) for each in shown],
        next=cursor_at([shown[0].timestamp_ms, shown[0].at], "claims", differing) if more else None,
    )


@router.get("/conflicts")
def list_conflicts(request: Request, cursor: Cursor = None, limit: Limit = 200) -> Page[ConflictAnswer]:
    """List identities that more than one row of a provider claims, by their beginning; asks the bus."""
    at = place_of(cursor, [int, str], "conflicts")
    found = claims.conflicts(parts_of(request), principal_of(request))
    after = [each for each in found if at is None or claims.begun(each) > (at[0], at[1])]
    more = cursor_at(claims.begun(after[limit - 1]), "conflicts") if len(after) > limit else None
    return Page(items=[ConflictAnswer.model_validate(each) for each in after[:limit]], next=more)
