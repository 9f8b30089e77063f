"""Person trace: who received what about a person; the look is recorded first, the number is not kept.

The number comes in the body of the form alone. It stands in no address, no log and no answer, so the form
asks for it again after every answer.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import permit, principal_of, require
from services.api.security.cookies import parts_of
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.cases.words import Problem
from services.control.clocks.calendar import civil_day
from services.control.tracing.looking import Looker, NoIdentity, Person, look, normalised
from services.portal.forms import Form, text
from services.portal.languages import tongue_of
from services.portal.operations.doors import operations_of
from services.portal.operations.shown import from_ms
from services.portal.rendering import page, speak
from services.portal.words import said
from topics.identity.kinds import IdentityKind, IdentityReason

router = APIRouter(include_in_schema=False)
LONGEST: Final = 500
MOST: Final = 500
"""Records, and recipients, that one page shows at most; the command shows more."""
_LONGEST_NUMBER: Final = 64


@router.get("/trace")
def trace_page(request: Request) -> Response:
    """The form."""
    require(request, Action.AUDIT_TRACE, own(principal_of(request)))
    return _show(request)


@router.post("/trace")
def trace(request: Request, form: Form) -> Response:
    """Record the look, then answer; nothing of the number goes back."""
    principal = require(request, Action.AUDIT_TRACE, own(principal_of(request)))
    kind, reason, country = text(form, "kind"), text(form, "reason"), text(form, "country").upper()
    if kind not in set(IdentityKind):
        raise AnswerProblem(Code.INVALID)
    typed = {"kind": kind, "reason": reason, "country": country[:3]}
    number = text(form, "number")[:_LONGEST_NUMBER]
    problems, identity = _read(request, Person(IdentityKind(kind), number, country or None), reason)
    if problems:
        return _show(request, 422, typed=typed, problems=problems)
    parts, key_of = parts_of(request), operations_of(request).trace_key
    looker = _looker(request, principal, reason)
    found = look(parts.database, identity, looker, key_of, parts.clock(), MOST)
    return _show(request, typed=typed, found=found, provider=looker.provider)


def _read(request: Request, person: Person, reason: str) -> tuple[list[Problem], str]:
    """What is wrong with the form, or the identity as it stands in canonical keys."""
    problems, identity = [], ""
    try:
        identity = normalised(person, civil_day(parts_of(request).clock()))
    except NoIdentity as error:
        what = said(error.reason or IdentityReason.UNREADABLE, tongue_of(request).language)
        field = "country" if error.reason is IdentityReason.COUNTRY_MALFORMED else "number"
        problems.append(Problem("TRACE", field, what, speak(request, "compare with the document")))
    if not 0 < len(reason) <= LONGEST:
        what = speak(request, "it is not said why you look")
        problems.append(Problem("TRACE", "reason", what, speak(request, "say it in at most 500 characters")))
    return problems, identity


def _looker(request: Request, principal: Principal, reason: str) -> Looker:
    """Who looks: who may see everybody's sees all, else what became of the own department's records."""
    allowed = permit(parts_of(request), principal, Action.AUDIT_TRACE, own(principal))
    facts = (("role", allowed.role.value), ("department", principal.department))
    everything = sees(principal, Action.AUDIT_TRACE, Whose())
    return Looker(principal.person, reason, facts, None if everything else principal.department)


def _show(request: Request, status: int = 200, **more: Any) -> Response:
    shown: dict[str, Any] = {"typed": {}, "problems": (), "found": None, "provider": None, **more}
    return page(
        request,
        "trace.html",
        status,
        kinds=IdentityKind,
        longest=LONGEST,
        from_ms=from_ms,
        **shown,
    )
