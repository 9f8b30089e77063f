"""How departments, accounts, tokens and the table of permissions are shown."""

from collections.abc import Sequence
from typing import Any

from services.cli.output import emit_json, table
from services.control.accounts.decision import scope_of
from services.control.accounts.people import Department, Person
from services.control.accounts.permissions import COLUMNS, PERMISSIONS, Permission, Reach
from services.control.accounts.tokens import Token
from services.control.accounts.words import said
from services.control.catalogue.vocabulary import Language


def show_departments(found: Sequence[Department], as_json: bool) -> None:
    """Show departments."""
    rows = [_department_row(each) for each in found]
    if as_json:
        emit_json({"departments": rows})
        return
    columns = ["id", "zh", "en", "credit_code", "head", "deputy", "clerk"]
    shown = [
        [
            *(row[name] for name in columns[:4]),
            *(f"{row[who]['name']} {row[who]['phone']}" for who in columns[4:]),
        ]
        for row in rows
    ]
    table("Departments", columns, shown)


def show_people(found: Sequence[Person], as_json: bool) -> None:
    """Show accounts."""
    rows = [person_row(each) for each in found]
    if as_json:
        emit_json({"accounts": rows})
        return
    columns = ["login", "name", "department", "roles", "oversees", "active", "must_change_password"]
    table("Accounts", columns, [[_cell(row[name]) for name in columns] for row in rows])


def show_tokens(found: Sequence[Token], as_json: bool) -> None:
    """Show tokens, never their text."""
    rows = [_token_row(each) for each in found]
    if as_json:
        emit_json({"tokens": rows})
        return
    columns = ["prefix", "name", "scopes", "expires_at", "used_at", "revoked_at"]
    table("Tokens", columns, [[_cell(row[name]) for name in columns] for row in rows])


def show_permissions(as_json: bool) -> None:
    """Show the matrix in both languages: 本/own, 他/other, 全/all."""
    if as_json:
        roles = [{"role": role.value, **_words(role)} for role in COLUMNS]
        emit_json({"roles": roles, "permissions": [_permission_row(each) for each in PERMISSIONS.values()]})
        return
    columns = ["action", "操作", "does", *(f"{said(role, Language.ZH)} {role.value}" for role in COLUMNS)]
    rows = [
        [each.action.value, *_words(each.action).values(), *(_reach(each.of(role)) for role in COLUMNS)]
        for each in PERMISSIONS.values()
    ]
    table("Permissions 权限表", columns, rows)


def person_row(person: Person) -> dict[str, Any]:
    """An account as JSON's own types."""
    return {
        "id": str(person.id),
        "login": person.login,
        "name": person.name,
        "department": person.department,
        "roles": sorted(role.value for role in person.roles),
        "oversees": sorted(person.oversees),
        "email": person.email,
        "active": person.active,
        "must_change_password": person.must_change_password,
    }


def _department_row(department: Department) -> dict[str, Any]:
    contacts = department.contacts
    named = {"head": contacts.head, "deputy": contacts.deputy, "clerk": contacts.clerk}
    return {
        "id": department.id,
        "zh": department.zh,
        "en": department.en,
        "credit_code": department.credit_code,
        **{who: {"name": contact.name, "phone": contact.phone} for who, contact in named.items()},
        "active": department.active,
    }


def _token_row(token: Token) -> dict[str, Any]:
    return {
        "prefix": token.prefix,
        "person": token.person,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "used_at": None if token.used_at is None else token.used_at.isoformat(),
        "revoked_at": None if token.revoked_at is None else token.revoked_at.isoformat(),
    }


def _permission_row(permission: Permission) -> dict[str, Any]:
    return {
        "action": permission.action.value,
        "area": permission.action.area.value,
        "kind": permission.kind.value,
        "scope": scope_of(permission),
        **_words(permission.action),
        "reach": {role.value: permission.of(role).value for role in COLUMNS},
    }


def _words(value: Any) -> dict[str, str]:
    return {"zh": said(value, Language.ZH), "en": said(value, Language.EN)}


def _reach(reach: Reach) -> str:
    return "" if reach is Reach.NONE else f"{said(reach, Language.ZH)} {said(reach, Language.EN)}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)
