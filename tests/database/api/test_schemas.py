"""The steps of the schemas under an entry over HTTP: what changed, whom it breaks, who is told of what."""

import pytest

from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from tests.support.retiring import publish_entry
from tests.support.schema_steps import CODE, GONE, seen
from tests.support.web import NOW, Web

PERSON = "population.person.v1"


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def test_an_entry_says_what_became_of_its_schemas_by_id_and_by_code(web: Web) -> None:
    with web.parts.database.begin() as connection:
        id_ = seen(connection, NOW)
    for name in (str(id_), CODE):
        answer = web.at(Role.PROVIDER).get(f"/catalogue/schemas/{name}")
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["as_of"], told["trouble"]) == ("2026-03-02T01:00:00Z", None)
        [topic] = told["items"]
        assert (topic["resource"], topic["topic"]) == (PERSON, f"resource.{PERSON}")
        newest, first = topic["steps"]
        assert (first["before"], first["after"]) == ("1", "2")
        assert {each["path"]: each["what"] for each in first["changes"]} == {
            "state.birth_date": "added",
            f"state.{GONE}": "removed",
        }
        assert newest["breaks"] == [{"item": "sex", "how": "gone", "was": "", "now": ""}]
        assert {each["path"] for each in newest["changes"]} == {"state.address", "state.sex"}


def test_who_may_not_look_at_the_operation_is_told_nothing_of_what_the_entry_leaves_out(web: Web) -> None:
    with web.parts.database.begin() as connection:
        id_ = seen(connection, NOW)
    told = web.at(Role.CONSUMER, department="health").get(f"/catalogue/schemas/{id_}").json()
    newest, first = told["items"][0]["steps"]
    assert [each["path"] for each in newest["changes"]] == ["state.sex"]
    assert [each["path"] for each in first["changes"]] == ["state.birth_date"]
    assert first["breaks"] == []


def test_before_a_look_there_are_no_steps_and_without_an_entry_there_is_nothing(web: Web) -> None:
    with web.parts.database.begin() as connection:
        id_ = publish_entry(connection)
    reader = web.at(Role.CONSUMER, department="health")
    told = reader.get(f"/catalogue/schemas/{id_}").json()
    assert told == {
        "items": [{"resource": PERSON, "topic": f"resource.{PERSON}", "steps": []}],
        "as_of": None,
        "trouble": None,
    }
    assert reader.get("/catalogue/schemas/none").status_code == 404
