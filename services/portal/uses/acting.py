"""What a form about a case says of itself: its key, and the version that its page showed."""

from fastapi import Request
from starlette.datastructures import FormData

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.cookies import parts_of
from services.api.uses.cases import possible
from services.control.accounts.decision import Principal
from services.control.cases.words import Action
from services.control.docket.filed import Filed
from services.portal.forms import text

SYSTEM_ONLY = frozenset(
    {
        Action.REQUEST_PRECHECK,
        Action.REQUEST_DECISION,
        Action.ACCEPT_UNCONDITIONAL,
        Action.PROVISION,
        Action.STEP_DONE,
        Action.STEP_FAILED,
        Action.ACTIVATE,
        Action.ROLL_BACK,
        Action.EXPIRE,
    }
)
"""What no person does."""
_LONGEST_KEY = 64
_LONGEST_NUMBER = 18


def buttons(principal: Principal, filed: Filed) -> tuple[Action, ...]:
    """What a person can do with a case now, always in the same order.

    The rules ask again when it is done; what is not here is not offered, and would be refused.
    """
    found = possible(principal, filed)
    return tuple(each for each in Action if each in found)


def new_key(request: Request) -> str:
    """A key for a form: sent twice, it is carried out once."""
    return parts_of(request).random(16).hex()


def key_of(form: FormData) -> str | None:
    """The key that a form brought along."""
    return text(form, "key")[:_LONGEST_KEY] or None


def seen_of(form: FormData) -> int:
    """The version that the page showed.

    Raises:
        AnswerProblem: it is missing: the form is no form of ours.
    """
    seen = text(form, "seen")
    if not seen.isascii() or not seen.isdigit() or len(seen) > _LONGEST_NUMBER:
        raise AnswerProblem(Code.VERSION_MISSING)
    return int(seen)
