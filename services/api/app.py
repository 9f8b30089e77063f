"""The app: routes of the API, what stands around every request, and what is asked before every handler.

Pages are added to it by the portal: everything said here holds for them too.
"""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Depends, FastAPI
from fastapi.telemetry import TelemetryConfig

from services.api.described import described
from services.api.parts import Parts
from services.api.problems import handle_problems
from services.api.routes import (
    accounts,
    audit,
    cases,
    catalogue,
    catalogue_views,
    claims,
    clocks,
    demand,
    grants,
    health,
    maintenance,
    mounting,
    notice_addresses,
    notices,
    objections,
    receipts,
    reports,
    retirements,
    rulings,
    schemas,
    session,
    snapshots,
    stops,
    tickets,
    volumes,
)
from services.api.security import csrf, texts
from services.api.security.wrapping import Wrapping

PREFIX: Final = "/api/v1"
TITLE: Final = "govbus"
VERSION: Final = "1"
"""Of the API: another one would break its users, and would have another prefix."""
_LARGEST_BODY: Final = 32 * 1024 * 1024
_TOLD_NOBODY: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI's own telemetry would record addresses and texts of errors, which may name people."""
ROUTERS: Final[Sequence[APIRouter]] = (
    session.router,
    catalogue_views.router,
    mounting.router,
    schemas.router,
    catalogue.router,
    retirements.router,
    demand.router,
    cases.router,
    grants.router,
    stops.router,
    tickets.router,
    claims.router,
    rulings.router,
    clocks.router,
    notices.router,
    notice_addresses.router,
    objections.router,
    reports.router,
    maintenance.router,
    accounts.router,
    audit.router,
    receipts.router,
    snapshots.router,
    volumes.router,
)
"""Every area of the API."""


def create_api(parts: Parts) -> FastAPI:
    """The app that answers the API; whoever adds pages keeps them out of its document.

    ``include_router(router, include_in_schema=False)`` adds pages; ``app.state.problem_page`` makes pages of
    problems.
    """
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        openapi_url=f"{PREFIX}/openapi.json",
        # Both load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        telemetry=_TOLD_NOBODY,
        dependencies=[Depends(texts.checked), Depends(csrf.checked)],
        max_body_size=_LARGEST_BODY,
    )
    app.state.parts = parts
    handle_problems(app)
    app.add_middleware(Wrapping, parts=parts)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = described(app)
    return app.openapi_schema
