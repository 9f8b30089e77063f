"""The OpenAPI 3.1 document: what the routes say of themselves, and what holds for all of them."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.api.codes import Code
from services.api.problems import MEDIA_TYPE
from services.api.shapes import ProblemAnswer
from services.control.accounts.decision import SCOPES
from services.control.catalogue.vocabulary import Language

_ABOUT: Final = """Departments describe what they hold, ask for what others hold, decide, and see what was
delivered. Whoever logs in has a cookie and sends its `csrf_token` in `X-CSRF-Token` with everything that
changes something; programs show an API token. Errors are problems with stable codes; `Accept-Language`
chooses Chinese or English. Lists are paged by opaque cursors. `Idempotency-Key` makes a POST safe to repeat,
`If-Match` names the version that was looked at."""
_METHODS: Final = frozenset({"get", "put", "post", "patch", "delete"})
_OPEN: Final = frozenset(
    {
        ("post", "/api/v1/session"),
        ("delete", "/api/v1/session"),
        ("get", "/api/v1/session/oidc"),
        ("get", "/api/v1/session/oidc/return"),
    }
)
"""What nobody has to be logged in for."""


def described(app: FastAPI) -> dict[str, Any]:
    """The document of an app."""
    found = get_openapi(title=app.title, version=app.version, routes=app.routes, description=_ABOUT)
    parts = found.setdefault("components", {})
    parts["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": f"An API token; scopes: {', '.join(sorted(SCOPES))}.",
        },
        "session": {"type": "apiKey", "in": "cookie", "name": "__Host-govbus"},
    }
    schemas = parts.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _problem(schemas)
    parts["responses"] = {"Problem": _response()}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            if method in _METHODS:
                _complete(path, method, operation)
    return found


def codes_by_status() -> dict[int, list[Code]]:
    """Which codes come with each HTTP status."""
    found: dict[int, list[Code]] = {}
    for code in Code:
        found.setdefault(code.status, []).append(code)
    return dict(sorted(found.items()))


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """What holds for every operation: who may ask, and that whatever goes wrong is a problem."""
    operation["security"] = [] if (method, path) in _OPEN else [{"token": []}, {"session": []}]
    responses = operation.setdefault("responses", {})
    # FastAPI's own form of this answer is not ours.
    responses.pop("422", None)
    for status in codes_by_status():
        responses.setdefault(str(status), {"$ref": "#/components/responses/Problem"})


def _problem(schemas: dict[str, Any]) -> dict[str, Any]:
    made = ProblemAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(made.pop("$defs", {}))
    made["properties"]["code"]["enum"] = [code.value for code in Code]
    return made


def _response() -> dict[str, Any]:
    lines = [
        f"- {status}: " + "; ".join(f"`{code.value}` {code.said(Language.EN)}" for code in codes)
        for status, codes in codes_by_status().items()
    ]
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": "What is wrong.\n\n" + "\n".join(lines), "content": content}
