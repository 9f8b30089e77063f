"""``/api/v1/claims`` and ``/api/v1/conflicts``: disputes over facts, with every value masked."""

from fastapi import APIRouter, Request

from services.api.forms import Limit
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
def list_claims(request: Request, differing: bool = False, limit: Limit = 50) -> ClaimsAnswer:
    """List what departments publish of facts that others own; asks the bus."""
    found = claims.claims(parts_of(request), principal_of(request), differing=differing, limit=limit)
    return ClaimsAnswer(total=found.total, items=[ClaimAnswer.model_validate(each) for each in found.newest])


@router.get("/conflicts")
def list_conflicts(request: Request) -> Page[ConflictAnswer]:
    """List identities that more than one row of a provider claims; asks the bus."""
    found = claims.conflicts(parts_of(request), principal_of(request))
    return Page(items=[ConflictAnswer.model_validate(each) for each in found])
