"""Administration: people with their roles, departments with their three named persons."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.api.answers.accounts import version_of
from services.api.codes import Code
from services.api.etags import etag_of
from services.api.problems import AnswerProblem, problem_of
from services.api.security.asking import asker_of, require
from services.api.security.cookies import parts_of
from services.api.uses import accounts
from services.control.accounts.actions import Action
from services.control.accounts.decision import EVERYWHERE, Principal, Whose, permitted
from services.control.accounts.people import Department, Person, enable_problem, reset_problem, takes_new_duty
from services.control.accounts.roles import Role
from services.control.catalogue.entry import Contact, Contacts
from services.control.store.accounts.acts import CorrectRequest
from services.portal.departments import all_of
from services.portal.forms import Form, go, text, texts, values
from services.portal.lists import address_of
from services.portal.operations.asked import asked
from services.portal.rendering import page, problems_in
from services.portal.uses.acting import seen_of

router = APIRouter(include_in_schema=False)
CHANGES: Final = (
    Action.ACCOUNT_GIVE_ROLE,
    Action.ACCOUNT_TAKE_ROLE,
    Action.ACCOUNT_SET_OVERSIGHT,
    Action.ACCOUNT_RESET_PASSWORD,
    Action.ACCOUNT_UNLOCK,
    Action.ACCOUNT_REVOKE_SESSIONS,
    Action.ACCOUNT_DISABLE,
    Action.ACCOUNT_ENABLE,
)
NAMED: Final = frozenset({Action.ACCOUNT_DISABLE, Action.ACCOUNT_RESET_PASSWORD})
"""What ends somebody's work, and asks for the account's name."""
_BEGUN: Final = "new_duty"
"""What was done where a role ended all that the account had before."""
_WHO: Final = ("head", "deputy", "clerk")
_PER_PAGE: Final = 100


@router.get("/admin/people")
def people_page(request: Request) -> Response:
    """The accounts that the reader may look at; the look is recorded."""
    here, principal = address_of(request), asker_of(request).principal
    wanted, after = here.get("department") or None, asked(request, "after") or ""
    found = accounts.people_of(parts_of(request), principal, wanted, after, _PER_PAGE + 1)
    return _people(request, found)


@router.post("/admin/people")
def add_person(request: Request, form: Form) -> Response:
    """Add an account without a role; its first password is on the answer, and nowhere else."""
    parts, principal = parts_of(request), asker_of(request).principal
    wanted = Person(
        id=parts.new_id(parts.clock()),
        login=text(form, "login"),
        name=text(form, "name"),
        department=text(form, "department"),
        email=text(form, "email"),
    )
    try:
        with parts.database.begin() as connection:
            added = accounts.added(parts, principal, connection, wanted)
    except CorrectRequest as error:
        found = accounts.people_of(parts, principal, None, limit=_PER_PAGE + 1)
        return _people(
            request, found, 422, problems=problems_in(request, problem_of(error)), typed=values(form)
        )
    return _person(request, added.person, password=added.password)


@router.get("/admin/people/{person}")
def person_page(request: Request, person: UUID) -> Response:
    """One account, with what can be done to it."""
    return _person(request, accounts.person(parts_of(request), asker_of(request).principal, person))


@router.post("/admin/people/{person}/{change}")
def change_person(request: Request, person: UUID, change: str, form: Form) -> Response:
    """Change an account; a new password is on the answer, and nowhere else."""
    parts, principal = parts_of(request), asker_of(request).principal
    action = next((each for each in CHANGES if each.value == f"account.{change}"), None)
    if action is None:
        raise AnswerProblem(Code.NOT_FOUND)
    before = accounts.person(parts, principal, person)
    if action in NAMED and text(form, "confirm") != before.login:
        return _person(request, before, 422, unconfirmed=action)
    try:
        with parts.database.begin() as connection:
            wanted = _change(form, action)
            seen = etag_of(seen_of(form))
            after = accounts.changed(parts, principal, connection, person, wanted, seen)
    except CorrectRequest as error:
        return _person(request, before, 422, problems=problems_in(request, problem_of(error)))
    if after.password is not None:
        return _person(request, after.person, password=after.password)
    begins = wanted.role is not None and takes_new_duty(before.roles, wanted.role)
    done = _BEGUN if begins and action is Action.ACCOUNT_GIVE_ROLE else change
    return go(f"/admin/people/{person}?done={done}")


@router.get("/admin/departments")
def departments_page(request: Request) -> Response:
    """The departments that the reader may look at."""
    after = asked(request, "after") or ""
    found = accounts.departments_of(parts_of(request), asker_of(request).principal, after, _PER_PAGE + 1)
    rows = found[:_PER_PAGE]
    following = rows[-1].id if len(found) > _PER_PAGE else None
    return page(request, "admin/departments.html", departments=rows, following=following)


@router.get("/admin/departments/new")
def new_department_page(request: Request) -> Response:
    """An empty form."""
    require(request, Action.ACCOUNT_ADD_DEPARTMENT)
    return _department(request, Department("", "", "", "", Contacts()), new=True)


@router.get("/admin/departments/{department}")
def department_page(request: Request, department: str) -> Response:
    """One department."""
    found = accounts.department(parts_of(request), asker_of(request).principal, department)
    return _department(request, found)


@router.post("/admin/departments")
def put_department(request: Request, form: Form) -> Response:
    """Add a department, or replace what is known of it."""
    parts, principal, wanted = parts_of(request), asker_of(request).principal, _read(form)
    new = text(form, "new") == "yes"
    if new and wanted.id in all_of(request):
        return _department(request, wanted, 409, new=True, taken=True)
    try:
        seen = None if new else etag_of(seen_of(form))
        accounts.put_department(parts, principal, wanted, seen, version_of)
    except CorrectRequest as error:
        return _department(request, wanted, 422, new=new, problems=problems_in(request, problem_of(error)))
    return go(f"/admin/departments/{wanted.id}?done=yes")


def _people(request: Request, found: list[Person], status: int = 200, **more: Any) -> Response:
    rows = found[:_PER_PAGE]
    shown: dict[str, Any] = {
        "people": rows,
        "following": rows[-1].login if len(found) > _PER_PAGE else None,
        "departments": sorted(all_of(request).values(), key=lambda each: each.id),
        "problems": (),
        "typed": {},
    }
    return page(request, "admin/people.html", status, **(shown | more))


def _person(request: Request, person: Person, status: int = 200, **more: Any) -> Response:
    principal = asker_of(request).principal
    whose = accounts.whose(person)
    mine = principal.person == str(person.id)
    shown: dict[str, Any] = {
        "person": person,
        "changes": ()
        if mine
        else [each for each in permitted(principal, CHANGES, whose) if _fits(each, person, principal)],
        "begun": address_of(request).get("done") == _BEGUN,
        "roles": list(Role),
        "departments": sorted(all_of(request).values(), key=lambda each: each.id),
        "everywhere": EVERYWHERE,
        "named": NAMED,
        "problems": (),
        "unconfirmed": None,
        "password": None,
    }
    return page(request, "admin/person.html", status, **(shown | more))


def _fits(change: Action, person: Person, principal: Principal) -> bool:
    """Whether a change makes sense for the account as it is."""
    match change:
        case Action.ACCOUNT_ENABLE:
            return not person.active and enable_problem(person, principal) is None
        case Action.ACCOUNT_DISABLE | Action.ACCOUNT_REVOKE_SESSIONS:
            return person.active
        case Action.ACCOUNT_RESET_PASSWORD:
            return reset_problem(person) is None
        case Action.ACCOUNT_TAKE_ROLE:
            return bool(person.roles)
        case Action.ACCOUNT_SET_OVERSIGHT:
            return Role.OVERSEER in person.roles
        case _:
            return True


def _department(
    request: Request, department: Department, status: int = 200, *, new: bool = False, **more: Any
) -> Response:
    shown: dict[str, Any] = {"problems": (), "taken": False}
    principal, whose = asker_of(request).principal, Whose(department.id, department.id)
    action = Action.ACCOUNT_ADD_DEPARTMENT if new else Action.ACCOUNT_EDIT_DEPARTMENT
    return page(
        request,
        "admin/department.html",
        status,
        department=department,
        new=new,
        version=0 if new else version_of(department),
        writes=bool(permitted(principal, [action], whose)),
        parts_of_contacts=_WHO,
        **(shown | more),
    )


def _change(form: FormData, action: Action) -> accounts.Change:
    try:
        role = Role(text(form, "role")) if text(form, "role") else None
    except ValueError:
        role = None
    return accounts.Change(action, text(form, "why"), role, texts(form, "department"))


def _read(form: FormData) -> Department:
    contacts = (Contact(text(form, f"{who}.name"), text(form, f"{who}.phone")) for who in _WHO)
    return Department(
        text(form, "id"),
        text(form, "zh"),
        text(form, "en"),
        text(form, "credit_code"),
        Contacts(*contacts),
        text(form, "active") != "no",
    )
