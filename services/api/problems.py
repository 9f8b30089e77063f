"""Answers that say what is wrong: problem+json by RFC 9457 with stable codes, or a page with the same words.

Whatever ends a request early comes through here, so that nothing else than a code, its words and what the
request itself named ever reaches a reader: no text of an error that nobody foresaw.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from services.api.codes import Code
from services.api.language import language_of, tag_of
from services.api.running import BusUnavailable, NothingThere
from services.api.said import problem_in
from services.api.said_of_texts import in_chinese
from services.control.accounts.decision import Refusal
from services.control.accounts.words import said
from services.control.cases.words import Problem
from services.control.catalogue.vocabulary import Language
from services.control.store.accounts.acts import CorrectRequest
from services.control.store.cases.reading import DistrustCase
from services.control.store.errors import BeginAnew, RaiseVersion, ReadAgain, RepeatTransaction, StoreError
from services.control.store.tickets.reading import DistrustTicket
from services.control.store.tickets.work import OrderDiffers, TicketMissing

MEDIA_TYPE: Final = "application/problem+json"
API: Final = "/api/"
_FOR_BROWSERS: Final = "/api/v1/session/oidc"
"""Where a browser goes and comes back from: whoever is not let in there reads a page."""
_STATUSES: Final = {
    400: Code.MALFORMED,
    401: Code.LOG_IN,
    403: Code.FORBIDDEN,
    404: Code.NOT_FOUND,
    405: Code.METHOD,
    406: Code.NOT_ACCEPTABLE,
    413: Code.TOO_LARGE,
    415: Code.UNSUPPORTED,
    429: Code.TOO_MANY,
    503: Code.BUSY,
}
_RETRY_S: Final = "1"

InWords = Callable[[Language], Sequence[Problem]]
"""Problems whose rules have words in both languages."""


class AnswerProblem(Exception):  # noqa: N818 - says what its catcher does
    """Answer the request with this problem, and with nothing else.

    ``refusal`` says why somebody may not, ``more`` are further members, ``headers`` go with the answer.
    """

    def __init__(
        self,
        code: Code,
        problems: Sequence[Problem] | InWords = (),
        *,
        detail: str = "",
        refusal: Refusal | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(code.value)
        self.code, self.detail = code, detail
        self.problems: Sequence[Problem] | InWords = problems
        self.refusal = refusal
        self.headers, self.more = dict(headers or {}), more


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """A problem in one language, as it is answered."""

    code: Code
    status: int
    title: str
    detail: str
    instance: str
    request: str
    """The id under which the request stands in the log."""
    problems: tuple[Problem, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The members of RFC 9457, and ours."""
        return {
            "type": f"urn:govbus:problem:{self.code.value}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": self.instance,
            "code": self.code.value,
            "request": self.request,
            "problems": [asdict(each) for each in self.problems],
            **self.more,
        }


def document_of(request: Request, answer: AnswerProblem) -> ProblemDocument:
    """The problem in the language of the request."""
    language = asked_language(request)
    detail = _detail(answer, language) or _why(answer, language)
    problems = _in_words(answer.problems, language)
    id_ = str(getattr(request.state, "request_id", ""))
    code = answer.code
    return ProblemDocument(
        code, code.status, code.said(language), detail, request.url.path, id_, problems, answer.more
    )


def _in_words(problems: Sequence[Problem] | InWords, language: Language) -> tuple[Problem, ...]:
    if callable(problems):
        return tuple(problems(language))
    return tuple(problem_in(each, language) for each in problems)


def _detail(answer: AnswerProblem, language: Language) -> str | None:
    return answer.detail if language is Language.EN else in_chinese(answer.detail)


def _why(answer: AnswerProblem, language: Language) -> str:
    return answer.code.remedy(language) if answer.refusal is None else said(answer.refusal, language)


def asked_language(request: Request) -> Language:
    """The language that a page has chosen for the request; else what the browser asks for."""
    chosen = getattr(request.state, "language", None)
    return chosen if isinstance(chosen, Language) else language_of(request.headers.get("accept-language"))


def answered(request: Request, answer: AnswerProblem) -> Response:
    """The response: a page for browsers outside of the API where there are pages, else problem+json."""
    document = document_of(request, answer)
    page = getattr(request.app.state, "problem_page", None)
    of_pages = request.url.path.startswith(_FOR_BROWSERS) or not request.url.path.startswith(API)
    wants_page = "text/html" in request.headers.get("accept", "") and of_pages
    if page is not None and wants_page:
        found: Response = page(request, document)
    else:
        found = JSONResponse(document.as_json(), document.status, media_type=MEDIA_TYPE)
    found.headers["content-language"] = tag_of(asked_language(request))
    for name, value in answer.headers.items():
        found.headers[name] = value
    return found


def handle_problems(app: FastAPI) -> None:
    """Answer everything that ends a request early with a problem; pages set ``app.state.problem_page``."""

    def answer(request: Request, error: Exception) -> Response:
        return answered(request, problem_of(error))

    for kind in (
        AnswerProblem,
        HTTPException,
        RequestValidationError,
        CorrectRequest,
        StoreError,
        BusUnavailable,
        NothingThere,
    ):
        app.add_exception_handler(kind, answer)


def problem_of(error: Exception) -> AnswerProblem:
    """What is answered for an error; a defect where nobody foresaw it."""
    match error:
        case AnswerProblem():
            return error
        case RequestValidationError():
            return _malformed(error)
        case HTTPException():
            return AnswerProblem(_STATUSES.get(error.status_code, Code.DEFECT), headers=error.headers)
        case CorrectRequest():
            return AnswerProblem(_code_of(error.problems), error.problems)
        case BusUnavailable():
            return AnswerProblem(Code.BUS_UNAVAILABLE, headers={"retry-after": "10"})
        case NothingThere():
            return AnswerProblem(Code.NOT_FOUND, detail=str(error))
        case StoreError():
            return _of_store(error)
        case _:
            return AnswerProblem(Code.DEFECT)


def refused(problems: Sequence[Problem], **more: Any) -> AnswerProblem:
    """The answer where rules are against what was asked; the first problem says of which kind it is."""
    return AnswerProblem(_code_of(problems), problems, **more)


def _of_store(error: StoreError) -> AnswerProblem:
    match error:
        case RepeatTransaction():
            return AnswerProblem(Code.BUSY, headers={"retry-after": _RETRY_S})
        case ReadAgain():
            return AnswerProblem(Code.OVERTAKEN)
        case BeginAnew():
            return AnswerProblem(Code.CURSOR)
        case RaiseVersion():
            return AnswerProblem(Code.VERSION_TAKEN, detail=str(error))
        case TicketMissing():
            return AnswerProblem(Code.NOT_FOUND)
        case OrderDiffers():
            return AnswerProblem(Code.KEY_REUSED)
        case DistrustCase() | DistrustTicket():
            return AnswerProblem(Code.DISTRUSTED)
        case _:
            return AnswerProblem(Code.UNAVAILABLE, headers={"retry-after": "10"})


_FORBIDDEN: Final = frozenset(
    {
        "WRONG_ROLE",
        "OTHER_DEPARTMENT",
        "OWN_DEPARTMENT",
        "OWN_CASE",
        "OWN_TICKET",
        "OWN_NEED",
        "OWN_ENTRY",
        "OWN_WORK",
        "OWN_DECISION",
        "OWN_ACCOUNT",
        "RESET_AT_CONSOLE",
        "DISABLED_BY_ANOTHER",
        "SUSPENDED_BY_AUTHORITY",
    }
)
_CONFLICTS: Final = frozenset(
    {
        "TAKEN",
        "SEPARATION",
        "SWITCHED_OFF",
        "NO_PASSWORD",
        "POLICY_MISSING",
        "RECEIPTS_WAITING",
        "REPORT_HANDED_IN",
        "REPORT_NOT_OWED",
    }
)
_MISSING: Final = frozenset({"UNKNOWN_PERSON"})


def _code_of(problems: Sequence[Problem]) -> Code:
    first = problems[0].code if problems else ""
    if first in _FORBIDDEN:
        return Code.FORBIDDEN
    if first == "WRONG_STATE":
        return Code.WRONG_STATE
    if first in _MISSING:
        return Code.NOT_FOUND
    return Code.REFUSED if first in _CONFLICTS else Code.INVALID


def _malformed(error: RequestValidationError) -> AnswerProblem:
    """What does not fit the form, by its place; what was sent there is not repeated."""
    found = []
    for each in error.errors():
        place = ".".join(str(part) for part in each["loc"][1:]) or str(each["loc"][0])
        found.append(Problem("FORM", place, str(each["type"]), "write it as the API page says"))
    kinds = {str(each["type"]) for each in error.errors()}
    return AnswerProblem(Code.MALFORMED if "json_invalid" in kinds else Code.INVALID, found)
