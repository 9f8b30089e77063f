"""What keys, routes or scopes a record is refused under the same version, with file, line and remedy."""

import shutil
from pathlib import Path

import pytest

from services.control.definitions import Definitions, load_definitions, packaged_definitions
from tests.support.policy import sample_policy
from topics.definition_rules import in_place_problems
from topics.event import ProviderId, ResourceId
from topics.resource import Resource

POLICY = sample_policy()
PERSON = ResourceId("population.person.v1")
PERSON_FILE, PERMIT_FILE = "resources/person.yaml", "resources/permit.yaml"


def edited(tmp_path: Path, file: str, old: str, new: str) -> Definitions:
    """The sample city with one text replaced by another."""
    folder = Path(shutil.copytree(packaged_definitions(), tmp_path / "definitions"))
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, f"the test expects {old!r} in {file}"
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return load_definitions(folder)


DISTRICT, NUMBER, ADDRESS = (f"  - name: {name}\n" for name in ("household_district", "id_number", "address"))
TITLES = "titles: {zh: 户籍所在行政区划, en: District of the household register}"
RECORD_ID = "primary_key: [permit_number]"
CASES: list[tuple[str, str, str, str, list[str]]] = [
    ("scope item, column", PERSON_FILE, DISTRICT, DISTRICT + "    column: district\n", ["items.5.column"]),
    ("scope item, its own name", PERSON_FILE, DISTRICT, DISTRICT + "    column: household_district\n", []),
    (
        "scope item, conversion",
        PERSON_FILE,
        TITLES,
        TITLES + "\n    conversion: upper",
        ["items.5.conversion"],
    ),
    ("scope item, no conversion", PERSON_FILE, TITLES, TITLES + "\n    conversion: none", []),
    ("scope item, owner", PERSON_FILE, TITLES, TITLES + "\n    owner: social_security", ["items.5.owner"]),
    ("scope item, its own provider", PERSON_FILE, TITLES, TITLES + "\n    owner: police", []),
    ("scope item, titles", PERSON_FILE, TITLES, "titles: {zh: 区划, en: District}", []),
    ("identity item, column", PERSON_FILE, NUMBER, NUMBER + "    column: number\n", ["items.0.column"]),
    ("another item, column", PERSON_FILE, ADDRESS, ADDRESS + "    column: home\n", []),
    ("identity, kind", PERMIT_FILE, "kind: credit_code,", "kind: organisation_code,", ["identity.kind"]),
    ("identity, item", PERMIT_FILE, "item: credit_code}", "item: permit_number}", ["identity.item"]),
    ("record id", PERMIT_FILE, RECORD_ID, "primary_key: [credit_code]", ["source.primary_key"]),
    (
        "record id, longer",
        PERMIT_FILE,
        RECORD_ID,
        "primary_key: [permit_number, kind]",
        ["source.primary_key"],
    ),
    ("table", PERSON_FILE, "table: person", "table: resident", ["source"]),
    ("kind of source", PERMIT_FILE, "kind: publish,", "kind: capture, table: permit,", ["source"]),
    ("rules", PERSON_FILE, "max: 200", "max: 300", []),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "fields"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_keys_routes_or_scopes_a_record_is_refused_where_it_changes(
    tmp_path: Path, file: str, old: str, new: str, fields: list[str]
) -> None:
    found = [error for _, error in edited(tmp_path, file, old, new).in_place_changes(POLICY)]
    assert [error.field for error in found] == fields
    for error in found:
        text = (tmp_path / "definitions" / file).read_text(encoding="utf-8").splitlines()[error.line - 1]
        assert (error.file, error.field.split(".")[-1] in text) == (file, True)


def test_the_refusal_names_the_new_version_and_how_it_is_filled(tmp_path: Path) -> None:
    [(resource, error)] = edited(
        tmp_path, PERSON_FILE, DISTRICT, DISTRICT + "    column: district\n"
    ).in_place_changes(POLICY)
    assert resource == PERSON
    assert str(error) == (
        "resources/person.yaml:37: items.5.column: household_district keys or scopes records and changes in "
        "place from household_district to district; declare it as version 2 (population.person.v2) and take "
        "its full volume with `govbus apply --recapture police`"
    )


def test_without_a_policy_everything_may_be_declared(tmp_path: Path) -> None:
    found = edited(tmp_path, PERSON_FILE, DISTRICT, DISTRICT + "    column: district\n")
    assert list(found.in_place_changes(None)) == []


def changed(resource_id: ResourceId, **changes: object) -> list[tuple[str | int, ...]]:
    """Where the sample's resource may not change so."""
    before = POLICY.resources[resource_id].resource
    return [each.path for each in in_place_problems(before, before.model_copy(update=changes))]


def test_a_resource_goes_to_no_other_provider_in_place() -> None:
    assert changed(PERSON, provider=ProviderId("social_security"))[0] == ("provider",)


def test_a_country_item_is_part_of_the_identity() -> None:
    before = POLICY.resources[PERSON].resource
    with_country = before.identity.model_copy(update={"country_item": "sex"})
    assert changed(PERSON, identity=with_country) == [("identity", "country_item")]


def test_scope_items_may_come_and_go() -> None:
    assert changed(PERSON, scope_items=()) == []
    assert changed(PERSON, scope_items=("household_district", "sex")) == []


def test_an_item_that_becomes_a_scope_item_keeps_its_column() -> None:
    before: Resource = POLICY.resources[PERSON].resource
    items = tuple(
        item.model_copy(update={"column": "gender"}) if item.name == "sex" else item for item in before.items
    )
    assert changed(PERSON, items=items) == []
    assert changed(PERSON, items=items, scope_items=("sex",)) == [("items", 3, "column")]
