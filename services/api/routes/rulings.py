"""``/api/v1/claims/…/rulings``: the authority decides who owns an item that two departments publish."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import StringConstraints

from services.api.forms import Form, Key
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import rulings
from services.api.uses.rulings import About, Decided, Standing, Wanted
from services.control.ownership.ruling import OwnershipChange
from topics.ownership import LONGEST_BASIS, Decision

router = APIRouter(prefix="/claims", tags=["claims"])

Name = Annotated[str, Path(pattern=r"^[!-~]{1,200}$")]
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_BASIS)]


class RulingForm(Form):
    """A ruling: the owner stays, or the item goes to the claimant; by which document and article, and why."""

    decision: Decision
    basis: Said
    text: Said


class ChangeAnswer(Answer):
    """What a ruling changes: definitions of these resources; these grants will show nothing of the item."""

    recorded: bool
    decision: Decision
    resources: list[str]
    losing: list[str]


class RulingAnswer(Answer):
    """A ruling as the ledger keeps it, and whether the policy in force says what it says."""

    decision: Decision
    standing: Standing
    basis: str
    text: str
    by: str
    department: str
    decided_at: datetime


@router.get("/{claimant}/{resource}/{item}/rulings")
def list_rulings(request: Request, claimant: Name, resource: Name, item: Name) -> Page[RulingAnswer]:
    """List the rulings on an item, the newest first; asks the bus which policy is in force."""
    parts, principal = parts_of(request), principal_of(request)
    found = rulings.listed(parts, principal, parts.bus.policy(), About(claimant, resource, item))
    return Page(items=[_ruling(each) for each in found])


@router.post(
    "/{claimant}/{resource}/{item}/rulings",
    status_code=201,
    response_model=ChangeAnswer,
    responses={200: {"model": ChangeAnswer, "description": "Nothing was recorded: it was a dry run."}},
)
def rule(
    request: Request,
    claimant: Name,
    resource: Name,
    item: Name,
    form: RulingForm,
    dry_run: Annotated[bool, Query(description="Say what it would change, and record nothing.")] = False,
    key: Key = None,
) -> Response:
    """Rule on an item; nothing changes on the bus until the operator carries the ruling out."""
    parts, principal = parts_of(request), principal_of(request)
    wanted = Wanted(About(claimant, resource, item), form.decision, form.basis, form.text)
    if dry_run:
        change = rulings.tried(parts, principal, wanted)
        return JSONResponse(_answer(wanted, change, recorded=False).model_dump(mode="json"))
    asked = Asked(key, "rule", (claimant, resource, item, form.model_dump(mode="json")))
    return once(
        parts,
        principal,
        asked,
        lambda connection: Made(
            _answer(wanted, rulings.recorded(parts, principal, connection, wanted), recorded=True), 201
        ),
    )


def _answer(wanted: Wanted, change: OwnershipChange, *, recorded: bool) -> ChangeAnswer:
    return ChangeAnswer(
        recorded=recorded,
        decision=wanted.decision,
        resources=sorted(change.resources),
        losing=list(change.losing),
    )


def _ruling(decided: Decided) -> RulingAnswer:
    facts = decided.act.facts
    return RulingAnswer(
        decision=decided.decision,
        standing=decided.standing,
        basis=str(facts["basis"]),
        text=decided.act.reason,
        by=decided.act.who,
        department=str(facts["department"]),
        decided_at=decided.act.when,
    )
