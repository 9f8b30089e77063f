"""Our own styles and scripts, and those of others that the lock names; each address carries its digest."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

FOLDER: Final = Path(__file__).with_name("static")
FOR_EVER: Final = "public, max-age=31536000, immutable"
FOR_NOW: Final = "no-cache"
_SHORT: Final = 12

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is served."""

    content: bytes
    digest: str
    kind: str


class Served:
    """All static files of a process: ours by name, others under ``vendor/``."""

    def __init__(self, others: Mapping[str, bytes]) -> None:
        ours = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}
        vendor = {f"vendor/{name}": content for name, content in others.items()}
        self._files = {name: _file(name, content) for name, content in (ours | vendor).items()}

    def get(self, name: str) -> StaticFile | None:
        """The file of a name."""
        return self._files.get(name)

    def address(self, name: str) -> str:
        """Where a file is served, another address for another content.

        Raises:
            KeyError: there is no such file.
        """
        return f"/static/{name}?v={self._files[name].digest}"


@cache
def own() -> Served:
    """Our own files alone."""
    return Served({})


def served_of(request: Request) -> Served:
    """The files of the process that answers."""
    found: Served | None = getattr(request.app.state, "served", None)
    return found or own()


@router.get("/static/{name:path}")
def static_file(name: str, request: Request) -> Response:
    """One file; an address with its digest may be kept for ever."""
    found = served_of(request).get(name)
    if found is None:
        raise HTTPException(404)
    tag = f'"{found.digest}"'
    exact = request.query_params.get("v") == found.digest
    headers = {"ETag": tag, "Cache-Control": FOR_EVER if exact else FOR_NOW}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.kind, headers=headers)


def _file(name: str, content: bytes) -> StaticFile:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    kind = "text/javascript" if name.endswith(".js") else kind
    return StaticFile(content, hashlib.sha256(content).hexdigest()[:_SHORT], kind)
