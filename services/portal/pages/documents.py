"""The documents of a case as pages for print: commitment letter and filing form."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import asker_of
from services.api.security.cookies import parts_of
from services.api.security.wrapping import POLICY
from services.api.uses import cases
from services.control.documents.content import About, document_of
from services.control.documents.page import page_of, style_source
from services.control.documents.wording import Kind
from services.portal.departments import all_of
from services.portal.languages import tongue_of
from topics.resource import Titles

router = APIRouter(include_in_schema=False)


@router.get("/cases/{case}/documents/{kind}")
def document_page(request: Request, case: str, kind: Kind) -> Response:
    """A document of a case as it stands now; its own style is allowed by digest, and nothing else."""
    parts = parts_of(request)
    filed = cases.shown(parts, asker_of(request).principal, case)
    wanted = filed.case.application.resource
    with parts.database.reading() as connection:
        mounted = parts.desk.entries.mounted(connection, wanted)
    resource = parts.definitions.resources.get(wanted) if mounted is None else mounted.governed
    if resource is None:
        raise AnswerProblem(Code.NOT_FOUND)
    departments = {id_: Titles(zh=each.zh, en=each.en) for id_, each in all_of(request).items()}
    about, language = About(resource, departments), tongue_of(request).language
    text = page_of(document_of(filed.case, kind, about, language))
    policy = POLICY.replace("style-src 'self'", f"style-src {style_source()}")
    return HTMLResponse(text, headers={"content-security-policy": policy})
