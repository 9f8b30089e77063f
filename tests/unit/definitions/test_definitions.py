"""The sample city's definitions load, and whatever is wrong in a folder is said at once, with its line."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.load import resource_schema
from services.control.definition_error import DefinitionError
from services.control.definitions import (
    Definitions,
    DefinitionsInvalid,
    load_definitions,
    packaged_definitions,
)
from topics.event import ConsumerId, GrantId, ResourceId
from topics.quality.compiler import compile_rules
from topics.quality.rules import CodeList
from topics.resource import Resource

PERSON = ResourceId("population.person.v1")
Edit = Callable[[str, str, str], None]
FILES = {
    "person": "resources/person.yaml",
    "enterprise": "resources/enterprise.yaml",
    "enrolment": "resources/enrolment.yaml",
    "health": "grants/health.yaml",
    "education": "grants/education.yaml",
    "providers": "providers.yaml",
}


@pytest.fixture(scope="module")
def city() -> Definitions:
    return load_definitions(packaged_definitions())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(packaged_definitions(), tmp_path / "definitions"))


@pytest.fixture
def edit(folder: Path) -> Edit:
    def replace(file: str, old: str, new: str) -> None:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"the test expects {old!r} in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


def errors_of(folder: Path) -> tuple[DefinitionError, ...]:
    with pytest.raises(DefinitionsInvalid) as caught:
        load_definitions(folder)
    return caught.value.errors


def line_of(folder: Path, file: str, text: str) -> int:
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_the_sample_city_has_four_resources_and_four_grants(city: Definitions) -> None:
    assert set(city.resources) == {
        PERSON,
        "legal.enterprise.v1",
        "social.enrolment.v1",
        "licence.permit.v1",
    }
    assert set(city.grants) == {"health-persons-gusu", "education-persons", "tax-enterprises", "tax-permits"}
    assert set(city.item_schemas) == set(city.resources)


@pytest.mark.requirement("A3-08", "A3-09")
def test_the_grants_of_the_city_differ_in_rows_items_and_masks(city: Definitions) -> None:
    health, education = city.grants[GrantId("health-persons-gusu")], city.grants[GrantId("education-persons")]
    assert set(health.items) == {item.name for item in city.resources[PERSON].items}
    assert not health.masks
    assert health.rows[0].item == "household_district"
    assert set(education.masks) == set(education.items)
    assert "id_number" not in education.items
    assert not education.rows
    assert ConsumerId("archives") in city.consumers
    assert all(grant.consumer != "archives" for grant in city.grants.values())


@pytest.mark.requirement("A5-02", "A5-03")
def test_persons_are_keyed_by_resident_number_and_enterprises_by_credit_code(city: Definitions) -> None:
    kinds = {id_: resource.identity.kind for id_, resource in city.resources.items()}
    assert kinds == {
        PERSON: "resident_id",
        "legal.enterprise.v1": "credit_code",
        "social.enrolment.v1": "resident_id",
        "licence.permit.v1": "credit_code",
    }


def test_definitions_survive_the_way_through_a_policy_record(city: Definitions) -> None:
    named = {tuple(key.split("@")): codes for key, codes in city.code_lists.items()}
    lists = [CodeList(name, version, frozenset(codes)) for (name, version), codes in named.items()]
    for resource in city.resources.values():
        again = Resource.model_validate_json(resource.model_dump_json(by_alias=True))
        assert again == resource
        assert compile_rules(again.rules, lists) == compile_rules(resource.rules, lists)


@pytest.mark.parametrize(
    ("where", "old", "new", "field", "said"),
    [
        ("person", "provider: police", "provider: polise", "provider", "no provider polise"),
        ("person", "  - name: sex\n", "  - name: gender\n", "items.3.name", "no plain field gender"),
        ("person", "[household_district]", "[birth_date]", "scope_items.0", "not text"),
        ("person", "list: sex,", "list: sexes,", "rules.5", "sexes"),
        ("person", "rule: required, item: name}", "rule: required, item: nam}", "rules.0", "nam,"),
        ("person", '[0-9]{5}$"', '[0-9]{5}"', "rules.10", "anchor"),
        ("person", "code_list, item: sex", "code_list, item: birth_date", "rules.5", "is date"),
        ("person", "birth_date_item: birth_date", "birth_date_item: name", "rules.3", "is text"),
        ("enterprise", "later: term_until", "later: status", "rules.10", "is text"),
        ("enterprise", "unit: date, max: now", "unit: timestamp-millis, max: now", "rules.9", "is date"),
        ("enterprise", "range, item: registered_capital", "range, item: term_until", "rules.4", "is date"),
        ("person", "kind: resident_id, item: id_number", "kind: resident_id, item: name2", "",
         "not declared: name2"),
        ("person", "item: id_number}", "item: address}", "identity.item", "not plain text"),
        ("person", "person.v1.avsc", "persons.v1.avsc", "avro_schema", "no schema"),
        ("person", "retention_days: 400", "retention_days: 30", "retention_days", "184"),
        ("person", "partitions: 4", "partition: 4", "partition", "not known"),
        ("person", "domain: population\n", "", "domain", "missing"),
        ("person", "domain: population\n", "domain: 7\n", "domain", "a number, not text"),
        ("person", "domain: population\n", "domain: population\ndomain: x\n", "domain", "twice"),
        ("enrolment", "column: name, owner: police", "column: status, owner: police",
         "foreign_items.0.column", "feeds an item"),
        ("enrolment", "owner: police", "owner: social_security", "foreign_items.0.owner", "itself"),
        ("enrolment", "owner: police", "owner: market_regulation", "foreign_items.0.owner",
         "belongs to police"),
        ("enrolment", "item: name}", "item: nickname}", "foreign_items.0.item", "no item nickname"),
        ("enrolment", "resource: population.person.v1", "resource: population.person.v2",
         "foreign_items.0.resource", "no resource"),
        ("health", "consumer: health", "consumer: hospital", "consumer", "no consumer"),
        ("health", "population.person.v1", "population.person.v9", "resource", "no resource"),
        ("health", "item: household_district", "item: address", "rows.0.item", "no scope item"),
        ("health", '["320508"]', "[320508]", "rows.0.values.0", "a number, not text"),
        ("health", "sex, address", "sexes, address", "items.3", "no item sexes"),
        ("health", "sex, address", "name, address", "items.3", "named twice"),
        ("health", "2034-12-31", "2014-12-31", "", "before valid_from"),
        ("education", "{kind: year}", "{kind: partial, keep_first: 4}", "masks.birth_date", "fit"),
        ("education", "{kind: year}", "{kind: decade}", "masks.birth_date", "decade"),
        ("education", "  name: {kind", "  sex: {kind", "", "does not include: sex"),
        ("providers", "- id: police", "- id: Police!", "id", "does not match"),
        ("providers", "- id: market_regulation", "- id: police", "", "declared already"),
    ],
)  # fmt: skip
@pytest.mark.requirement("A11-01")
def test_each_mistake_is_said_with_file_line_field_and_remedy(
    folder: Path, edit: Edit, where: str, old: str, new: str, field: str, said: str
) -> None:
    file = FILES[where]
    edit(file, old, new)
    found = [error for error in errors_of(folder) if error.file == file and said in error.problem]
    assert found, errors_of(folder)
    assert found[0].field == field
    assert found[0].remedy
    assert f"{file}:{found[0].line}: " in str(found[0])


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("grants/health.yaml", "item: household_district", "item: address"),
        ("resources/person.yaml", "provider: police", "provider: polise"),
        ("resources/enrolment.yaml", "item: address}", "item: nickname}"),
        ("grants/education.yaml", "{kind: year}", "{kind: decade}"),
        ("consumers.yaml", "- id: tax", "- id: 税务"),
    ],
)
def test_the_line_is_the_one_that_holds_the_mistake(
    folder: Path, edit: Edit, file: str, old: str, new: str
) -> None:
    edit(file, old, new)
    lines = {error.line for error in errors_of(folder) if error.file == file}
    assert line_of(folder, file, new) in lines


def test_all_mistakes_are_said_at_once(folder: Path, edit: Edit) -> None:
    edit("resources/person.yaml", "provider: police", "provider: polise")
    edit("resources/enterprise.yaml", "status, list: enterprise_status", "status, list: states")
    edit("grants/tax.yaml", "consumer: tax", "consumer: taxes")
    edit("consumers.yaml", "- id: archives", "- id: archives\n  budget: 3")
    assert {error.file for error in errors_of(folder)} >= {
        "resources/person.yaml",
        "resources/enterprise.yaml",
        "grants/tax.yaml",
        "consumers.yaml",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("a: [1", "not YAML"),
        ("a: b\nc: *d\n", "alias"),
        ("- a: &x 1\n- *x\n", "alias"),
        ("a: 2025-13-45\n", "not YAML"),
        ("just text", "not a list"),
        ("? [a, b]\n: c\n", ""),
        pytest.param("[" * 200_000, "levels deep", id="deep"),
    ],
)
def test_files_that_are_no_definitions_are_refused(folder: Path, text: str, said: str) -> None:
    (folder / "providers.yaml").write_text(text, encoding="utf-8")
    assert any(error.file == "providers.yaml" and said in error.problem for error in errors_of(folder))


def test_a_missing_file_and_one_that_is_not_utf8_are_refused(folder: Path) -> None:
    (folder / "providers.yaml").unlink()
    (folder / "consumers.yaml").write_bytes("卫健委".encode("gb18030"))
    said = {(error.file, error.problem.split(" at ")[0]) for error in errors_of(folder)}
    assert {("providers.yaml", "the file is missing"), ("consumers.yaml", "not UTF-8")} <= said


def test_two_resources_cannot_have_one_source(folder: Path) -> None:
    person = (folder / "resources/person.yaml").read_text(encoding="utf-8")
    twin = person.replace("name: person\n", "name: people\n")
    (folder / "resources/zz.yaml").write_text(twin, encoding="utf-8")
    assert any("same source" in error.problem for error in errors_of(folder))


@pytest.mark.requirement("A3-01")
def test_a_resource_that_is_not_shared_cannot_be_granted(folder: Path, edit: Edit) -> None:
    edit("resources/person.yaml", "share_type: conditional", "share_type: not_shared")
    refused = {error.file for error in errors_of(folder) if "not shared" in error.problem}
    assert refused == {"grants/health.yaml", "grants/education.yaml"}


def test_a_field_of_the_schema_that_is_no_item_is_said(folder: Path) -> None:
    def widened(name: str) -> dict[str, object]:
        schema = resource_schema(name)
        schema["fields"].append({"name": "phone", "type": ["null", "string"], "default": None})
        return schema

    with pytest.raises(DefinitionsInvalid) as caught:
        load_definitions(folder, widened)
    assert sum("field phone" in error.problem for error in caught.value.errors) == 4


def test_a_dangerous_schema_is_refused_with_its_reason(folder: Path) -> None:
    def dangerous(name: str) -> dict[str, object]:
        schema = resource_schema(name)
        schema["fields"][1]["type"] = {"type": "array", "items": "null"}
        return schema

    with pytest.raises(DefinitionsInvalid, match="take no bytes"):
        load_definitions(folder, dangerous)


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("providers", "database: police", "databse: police", 4),
        ("person", "titles: {zh: 人口基本信息", "titels: {zh: 人口基本信息", None),
    ],
)
def test_what_could_not_be_read_is_told_once_and_not_as_missing_wherever_it_is_named(
    folder: Path, edit: Edit, file: str, old: str, new: str, line: int | None
) -> None:
    edit(FILES[file], old, new)
    found = errors_of(folder)
    assert {error.file for error in found} == {FILES[file]}
    assert not [error for error in found if error.problem.startswith("there is no")]
    assert line is None or found[0].line == line


def test_a_folder_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    [error] = errors_of(tmp_path / "nowhere")
    assert "there is no such folder" in str(error)


def test_sinks_are_read_where_there_is_a_file_of_them(folder: Path) -> None:
    (folder / "sinks.yaml").write_text(
        "- grant: education-persons\n  database: education_copy\n  table: public.person\n", encoding="utf-8"
    )
    [sink] = load_definitions(folder).sinks.values()
    assert (sink.grant, sink.database, sink.table, sink.evolves) == (
        "education-persons",
        "education_copy",
        "public.person",
        False,
    )
    assert load_definitions(packaged_definitions()).sinks == {}


@pytest.mark.parametrize(
    ("entry", "line", "field"),
    [
        ("grant: nobody\n  database: copy\n  table: public.person", 1, "grant"),
        ("grant: education-persons\n  database: ../police\n  table: public.person", 2, "database"),
        ("grant: education-persons\n  database: copy\n  table: person", 3, "table"),
        ("grant: education-persons\n  database: copy\n  table: public.${topic}", 3, "table"),
        (
            "grant: education-persons\n  database: copy\n  table: public.person\n"
            "- grant: health-persons-gusu\n  database: copy\n  table: public.person",
            6,
            "table",
        ),
    ],
)
def test_a_sink_that_cannot_be_is_said_with_its_line(folder: Path, entry: str, line: int, field: str) -> None:
    (folder / "sinks.yaml").write_text(f"- {entry}\n", encoding="utf-8")
    [error] = errors_of(folder)
    assert (error.file, error.line, error.field) == ("sinks.yaml", line, field)
