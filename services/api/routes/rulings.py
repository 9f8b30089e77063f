"""``/api/v1/claims/…/rulings``: the authority decides who owns an item that two departments publish."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import StringConstraints
from sqlalchemy import Connection

from services.api.forms import Form, Key
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import rulings
from services.api.uses.rulings import About, Wanted
from services.control.definitions import Definitions
from services.control.ownership.decided import DecidedRuling, Stage
from services.control.ruling_order import Affected
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
    id: str | None
    """Of the ruling, where it was recorded: the list of rulings says how far it is."""
    decision: Decision
    resources: list[str]
    losing: list[str]


class RulingAnswer(Answer):
    """A ruling with its reasons, and how far it is on its way to every instance of the gate."""

    id: str
    decision: Decision
    basis: str
    text: str
    by: str
    department: str
    decided_at: datetime
    stage: Stage
    policy_version: int | None
    """In which it stands."""
    in_force_at: datetime | None
    """Since when every instance of the gate decides by it."""
    instances: list[str]
    """Those that have answered."""
    attempts: int
    """How often in a row the next step failed."""
    waits_for: str
    """Why it is not further, and what mends it; or why it ended."""
    next_try_at: datetime | None
    resources: list[str]
    """What says otherwise since."""
    losing: list[str]
    """Grants that show the item of the old owner: it is empty there with each record's next change."""
    providers: list[str]
    """Whose records follow with their next change, or with the next full volume."""


@router.get("/{claimant}/{resource}/{item}/rulings")
def list_rulings(request: Request, claimant: Name, resource: Name, item: Name) -> Page[RulingAnswer]:
    """List the rulings on an item, the newest first, each with how far it is."""
    parts, principal = parts_of(request), principal_of(request)
    found = rulings.listed(parts, principal, About(claimant, resource, item))
    return Page(items=[_ruling(parts.definitions, each) for each in found])


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
    """Rule on an item; the control process carries the ruling out, and the list says how far it is."""
    parts, principal = parts_of(request), principal_of(request)
    wanted = Wanted(About(claimant, resource, item), form.decision, form.basis, form.text)
    policy = rulings.policy_if_known(parts.bus.policy)
    if dry_run:
        change = rulings.tried(parts, principal, policy, wanted)
        return JSONResponse(_answer(wanted, change, None).model_dump(mode="json"))
    asked = Asked(key, "rule", (claimant, resource, item, form.model_dump(mode="json")))

    def give(connection: Connection) -> Made:
        kept, change = rulings.given(parts, principal, connection, policy, wanted)
        return Made(_answer(wanted, change, kept.given.id), 201)

    return once(parts, principal, asked, give)


def _answer(wanted: Wanted, change: Affected, id_: str | None) -> ChangeAnswer:
    return ChangeAnswer(
        recorded=id_ is not None,
        id=id_,
        decision=wanted.decision,
        resources=sorted(change.resources),
        losing=list(change.losing),
    )


def _ruling(definitions: Definitions, decided: DecidedRuling) -> RulingAnswer:
    given = decided.given
    return RulingAnswer(
        id=given.id,
        decision=given.decision,
        basis=given.basis,
        text=given.text,
        by=given.by,
        department=given.department,
        decided_at=given.at,
        stage=decided.stage,
        policy_version=decided.version,
        in_force_at=decided.in_force_at,
        instances=sorted(decided.instances),
        attempts=decided.attempts,
        waits_for=decided.note,
        next_try_at=decided.next_at,
        resources=list(decided.resources),
        losing=list(decided.losing),
        providers=rulings.providers_of(definitions, decided),
    )
