"""The OpenAPI document as text, made without a database: for `docs/openapi.json` and `govbus api schema`."""

import json

from fastapi import FastAPI

from services.api.app import PREFIX, ROUTERS, TITLE, VERSION
from services.api.described import described


def document_text() -> str:
    """The document; the same text for the same routes."""
    app = FastAPI(title=TITLE, version=VERSION, openapi_url=None)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    return json.dumps(described(app), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
