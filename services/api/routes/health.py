"""``/healthz`` and ``/readyz``: whether the process lives, and whether it can answer."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.api.security.cookies import parts_of
from services.control.store.errors import StoreError
from services.control.store.migrate import require_current

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def alive() -> JSONResponse:
    """The process answers."""
    return JSONResponse({"alive": True})


@router.get("/readyz")
def ready(request: Request) -> JSONResponse:
    """The database answers, and its tables are those that the program expects."""
    try:
        require_current(parts_of(request).database)
    except StoreError as error:
        return JSONResponse({"ready": False, "why": type(error).__name__}, 503)
    return JSONResponse({"ready": True})
