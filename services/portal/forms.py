"""Fields of forms as handlers take them, and answers after a form was carried out."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile


async def form_of(request: Request) -> AsyncIterator[FormData]:
    """The fields that were sent; files are closed once the request is answered."""
    async with request.form() as form:
        yield form


Form = Annotated[FormData, Depends(form_of)]


def text(form: FormData, name: str) -> str:
    """A field as text; empty where it is missing, or a file."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def texts(form: FormData, name: str) -> tuple[str, ...]:
    """All values of a field, the empty ones left out."""
    return tuple(each.strip() for each in form.getlist(name) if isinstance(each, str) and each.strip())


def number(typed: str) -> int | None:
    """A number of at most three digits, None where it is none."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else None


def ticked(form: FormData, name: str) -> bool:
    """Whether a box was ticked."""
    return text(form, name) == "yes"


def upload(form: FormData, name: str) -> UploadFile | None:
    """A file, None where none was chosen."""
    value = form.get(name)
    return value if isinstance(value, UploadFile) and value.filename else None


def prefixed(form: FormData, prefix: str) -> Iterator[tuple[str, str]]:
    """The fields whose names begin so, by the rest of their names."""
    for name, value in form.multi_items():
        if name.startswith(prefix) and isinstance(value, str):
            yield name.removeprefix(prefix), value.strip()


def values(form: FormData) -> Mapping[str, str]:
    """What was typed, to be shown again beside what is wrong with it; never a password."""
    return {
        name: value
        for name, value in form.multi_items()
        if isinstance(value, str) and "password" not in name and name != "csrf_token"
    }


def go(path: str) -> RedirectResponse:
    """Look at another page after a form was carried out; going back does not send it again."""
    return RedirectResponse(path, 303)


def own_path(wish: str, otherwise: str = "/") -> str:
    """A path of this site out of an address, never another site."""
    parts = urlsplit(wish)
    plain = wish.startswith("/") and not wish.startswith(("//", "/\\")) and "\\" not in wish
    return wish if plain and not parts.scheme and not parts.netloc else otherwise
