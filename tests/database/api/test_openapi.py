"""The OpenAPI document: it is the committed one, complete, and the API answers as it says."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.api.codes import Code
from services.api.schema import document_text
from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from tests.support.examples import examples
from tests.support.web import ORIGIN, PASSWORD, Web, application, entry, report

COMMITTED: Final = Path("docs/openapi.json")
DOCUMENT: Final = "/api/v1/openapi.json"
PEOPLE: Final = (
    (Role.AUTHORITY,),
    (Role.PROVIDER, Role.CONSUMER),
    (Role.OPERATOR,),
)


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def test_the_committed_document_is_the_one_that_the_api_answers(web: Web) -> None:
    answered = web.client().get(DOCUMENT).json()
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == answered
    assert COMMITTED.read_text(encoding="utf-8") == document_text()


def test_every_operation_says_who_may_ask_and_that_errors_are_problems(web: Web) -> None:
    document = web.client().get(DOCUMENT).json()
    assert document["openapi"].startswith("3.1")
    problem = document["components"]["schemas"]["Problem"]
    assert set(problem["properties"]["code"]["enum"]) == {code.value for code in Code}
    for path, methods in document["paths"].items():
        assert path.startswith("/api/v1/")
        for operation in methods.values():
            assert operation["summary"]
            assert "security" in operation
            assert operation["responses"]["403"] == {"$ref": "#/components/responses/Problem"}


def test_each_problem_is_what_the_document_says(web: Web) -> None:
    document = web.client().get(DOCUMENT).json()
    schema = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    browser = web.at(Role.CONSUMER, department="health")
    answers = [
        web.client().get("/api/v1/cases"),
        browser.get("/cases/1"),
        browser.get("/nowhere"),
        browser.post("/cases", {}),
        browser.post("/cases", application(applicant="tax")),
        browser.put("/catalogue/entries/x", {}),
        browser.ask("PATCH", "/cases", None),
    ]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        jsonschema.Draft202012Validator(schema).validate(answer.json())
        assert answer.json()["status"] == answer.status_code
    assert "health" not in answers[3].text


def headers_of(web: Web, roles: tuple[Role, ...]) -> dict[str, str]:
    """What a page of somebody's new session sends."""
    web.clock.pass_by(timedelta(minutes=2))
    person, client = web.hire(*roles, department="health"), web.client()
    answer = client.post("/api/v1/session", json={"login": person.login, "password": PASSWORD})
    cookie = f"govbus={client.cookies['govbus']}"
    return {"cookie": cookie, "x-csrf-token": answer.json()["csrf_token"], "origin": ORIGIN}


def fill(web: Web) -> None:
    """Something of everything, so that small numbers find something."""
    consumer = web.at(Role.CONSUMER, department="health")
    consumer.post("/cases", application())
    consumer.post("/tickets", report())
    web.at(Role.PROVIDER).post("/catalogue/entries", entry())


@pytest.mark.timeout(240)
def test_whatever_is_asked_the_answer_is_one_of_the_document(web: Web) -> None:
    fill(web)
    schema = schemathesis.openapi.from_asgi(DOCUMENT, web.app)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    paths = web.client().get(DOCUMENT).json()["paths"].values()
    assert len(operations) == sum(len(methods) for methods in paths), "every operation is asked"
    for operation in operations:
        for roles in PEOPLE:
            hammer(web, operation, headers_of(web, roles))


def hammer(web: Web, operation: Any, headers: dict[str, str]) -> None:
    """Ask for one operation in some random ways."""

    @examples(
        3,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def asked(case: Any) -> None:
        web.clock.pass_by(timedelta(milliseconds=200))
        for name in ("Authorization", "authorization"):
            case.headers.pop(name, None)
        case.cookies.clear()
        answer = case.call(headers=headers)
        checks = [
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ]
        case.validate_response(answer, checks=checks)

    asked()
