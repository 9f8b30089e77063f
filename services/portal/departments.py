"""Names of departments, read once for each page and kept for it."""

from collections.abc import Mapping

from fastapi import Request

from services.api.security.cookies import parts_of
from services.control.accounts.people import Department
from services.control.catalogue.vocabulary import Language
from services.control.store.accounts.departments import departments


def all_of(request: Request) -> Mapping[str, Department]:
    """All departments by id, as they were when this request first asked."""
    known: Mapping[str, Department] | None = getattr(request.state, "departments", None)
    if known is None:
        with parts_of(request).database.reading() as connection:
            known = {each.id: each for each in departments(connection)}
        request.state.departments = known
    return known


def named(request: Request, id_: str, language: Language) -> str:
    """The name of a department; its id where nobody has entered it."""
    found = all_of(request).get(id_)
    if found is None:
        return id_
    return found.zh if language is Language.ZH else found.en


def by_code(request: Request, credit_code: str) -> str | None:
    """The id of the department with a credit code, by which accounts and cases know it."""
    return next((each.id for each in all_of(request).values() if each.credit_code == credit_code), None)
