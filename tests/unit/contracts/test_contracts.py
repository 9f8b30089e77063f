"""Contracts are valid by the official schemas, and say exactly what the bus compiles and delivers."""

import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.catalogue.vocabulary import Language
from services.control.contracts.agreement import (
    Addresses,
    Agreement,
    NothingToDescribe,
    agreement_in_force,
    declared_agreement,
)
from services.control.contracts.asyncapi import asyncapi_document
from services.control.contracts.odcs import odcs_document
from services.control.contracts.wording import WORDING
from services.control.desired import Declared, desired_state
from services.fanout.plan import compile_grants
from tests.support.agreements import EVERY_TYPE, grants, in_force, policy_with
from tests.support.examples import examples
from tests.support.memory_bus import MemoryCity
from tests.support.official import asyncapi, odcs, problems
from tests.support.policy import sample_definitions, sample_policy
from tests.unit.cli.called import ENROLMENT, PERSON
from topics import names
from topics.engine.reference import ReferenceCodec, without_logical_types
from topics.engine.schema import RecordType, parse
from topics.event import ConsumerId, GrantId, KafkaRecord, ResourceId
from topics.grants.declaration import DropMask, Grant, GrantState, PartialMask, YearMask
from topics.wire import split

SAMPLE_GRANTS = sorted(sample_definitions().grants)
ADDRESSES = Addresses("kafka-1:9092,kafka-2:9092", "https://registry/apis/ccompat/v7")
EN = Language.EN


def sample(grant: str) -> Agreement:
    return agreement_in_force(sample_policy(), GrantId(grant))


def wanted(resource: str = "test.everything.v3", **given: Any) -> Grant:
    found: dict[str, Any] = {
        "id": "a-grant",
        "consumer": ConsumerId("tax"),
        "resource": ResourceId(resource),
        "items": tuple(EVERY_TYPE),
        "purpose": "一个用途",
        "legal_basis": "一个依据",
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        **given,
    }
    return Grant.model_validate(found)


def properties(agreement: Agreement) -> dict[str, dict[str, Any]]:
    [schema] = odcs_document(agreement, language=EN)["schema"]
    return {each["name"]: each for each in schema["properties"]}


@pytest.mark.parametrize("grant", SAMPLE_GRANTS)
@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("addresses", [None, ADDRESSES], ids=["offline", "running"])
def test_both_contracts_of_every_grant_of_the_city_are_valid(
    grant: str, language: Language, addresses: Addresses | None
) -> None:
    for agreement in (sample(grant), declared_agreement(sample_definitions(), GrantId(grant))):
        assert problems(asyncapi(), asyncapi_document(agreement, addresses, language)) == []
        assert problems(odcs(), odcs_document(agreement, addresses, language)) == []


@given(grants(), st.integers(1, 9), st.sampled_from(Language), st.sampled_from([None, ADDRESSES]))
@examples(60, deadline=None)
def test_any_valid_grant_gives_valid_contracts_with_exactly_the_items_that_the_fan_out_compiles(
    grant: Grant, generation: int, language: Language, addresses: Addresses | None
) -> None:
    policy = policy_with(grant, generation)
    agreement = agreement_in_force(policy, grant.id)
    by_asyncapi = asyncapi_document(agreement, addresses, language)
    by_odcs = odcs_document(agreement, addresses, language)
    assert problems(asyncapi(), by_asyncapi) == []
    assert problems(odcs(), by_odcs) == []

    [resource] = compile_grants(policy, [policy.grants[grant.id]], {1: bytes(32)}).resources.values()
    [compiled] = resource.grants
    payload = by_asyncapi["components"]["messages"]["record"]["payload"]["schema"]
    assert parse(without_logical_types(payload)) == compiled.value_codec.type
    assert isinstance(compiled.value_codec.type, RecordType)
    delivered = [field.name for field in compiled.value_codec.type.fields]
    assert [each["name"] for each in by_odcs["schema"][0]["properties"]] == delivered
    assert set(delivered) == set(grant.items)
    key = by_asyncapi["components"]["messages"]["record"]["bindings"]["kafka"]["key"]
    assert ReferenceCodec(key["x-avro-schema"]).type == compiled.key_codec.type
    assert by_asyncapi["channels"]["records"]["address"] == compiled.topic
    assert by_odcs["schema"][0]["physicalName"] == compiled.topic
    assert json.loads(json.dumps(by_odcs)) == by_odcs
    assert json.loads(json.dumps(by_asyncapi)) == by_asyncapi


@pytest.mark.parametrize("standard", ["asyncapi", "odcs"])
def test_the_official_schemas_refuse_a_contract_that_was_damaged(standard: str) -> None:
    agreement = sample("tax-enterprises")
    if standard == "asyncapi":
        document = asyncapi_document(agreement, ADDRESSES)
        document["components"]["messages"]["record"]["payload"]["schema"]["fields"][0]["name"] = "no name"
        assert problems(asyncapi(), document)
        document = asyncapi_document(agreement, ADDRESSES)
        binding = document["channels"]["records"]["bindings"]["kafka"]
        binding["topicConfiguration"]["cleanup.policy"] = "compact"
        assert problems(asyncapi(), document)
    else:
        document = odcs_document(agreement, ADDRESSES)
        document["schema"][0]["properties"][0]["logicalType"] = "varchar"
        assert problems(odcs(), document)
        document = odcs_document(agreement, ADDRESSES)
        del document["servers"][0]["host"]
        assert problems(odcs(), document)


def delivered_by(city: MemoryCity, topic: str) -> list[KafkaRecord]:
    return [
        record
        for place, records in sorted(city.memory.records.items())
        if place.topic == topic
        for record in records
    ]


@pytest.mark.parametrize("grant", ["education-persons", "health-persons-gusu"])
def test_what_the_bus_delivers_is_what_the_contract_describes_by_key_headers_and_items(grant: str) -> None:
    city = MemoryCity()
    city.change("c", after=PERSON)
    city.change("u", before=PERSON, after={**PERSON, "sex": None})
    city.change("c", after=ENROLMENT, enrolment=True)
    city.change("d", before={**PERSON, "sex": None})
    city.pump()
    agreement = agreement_in_force(city.policy, GrantId(grant))
    document = asyncapi_document(agreement)
    messages = document["components"]["messages"]
    records = delivered_by(city, document["channels"]["records"]["address"])
    assert [record.value is None for record in records] == [False, False, True]
    for record in records:
        message = messages["withdrawal" if record.value is None else "record"]
        other = messages["record" if record.value is None else "withdrawal"]
        headers = {name: value.decode() for name, value in record.headers}
        jsonschema.validate(headers, message["headers"])
        assert set(headers) <= set(message["headers"]["properties"])
        assert not jsonschema.Draft7Validator(other["headers"]).is_valid(headers)
        key = message["bindings"]["kafka"]["key"]
        jsonschema.validate(ReferenceCodec(key["x-avro-schema"]).decode(split(record.key or b"")[1]), key)
    value = ReferenceCodec(messages["record"]["payload"]["schema"]).decode(split(records[0].value or b"")[1])
    assert list(value) == list(properties(agreement))
    told = messages["record"]["headers"]["properties"]["govbus_marks"]["description"]
    marks = dict(records[1].headers)["govbus_marks"].decode().split(",")
    assert "sex.required" in marks
    assert all(mark in told for mark in marks)


def test_the_channel_says_of_the_topic_what_apply_makes() -> None:
    found = sample_definitions()
    declared = Declared(
        found.providers,
        found.consumers,
        found.resources,
        found.grants,
        found.code_lists,
        found.item_schemas,
    )
    topics, subjects = desired_state(declared).topics, desired_state(declared).subjects
    for grant in SAMPLE_GRANTS:
        document = asyncapi_document(sample(grant))
        binding = document["channels"]["records"]["bindings"]["kafka"]
        topic = topics[binding["topic"]]
        name = found.grants[GrantId(grant)].topic
        assert binding["partitions"] == topic.partitions
        assert binding["topicConfiguration"] == {
            "cleanup.policy": ["compact"],
            **{name: int(text) for name, text in topic.configs.items() if name != "cleanup.policy"},
        }
        message = document["components"]["messages"]["record"]
        assert message["payload"]["schema"] == subjects[names.value_subject(name)]
        key = message["bindings"]["kafka"]["key"]["x-avro-schema"]
        assert key == subjects[names.key_subject(name)]


def test_the_department_reads_in_its_own_groups_only() -> None:
    document = asyncapi_document(sample("tax-enterprises"))
    pattern = document["operations"]["receive"]["bindings"]["kafka"]["groupId"]["pattern"]
    for own in ("tax", "tax.", "tax.tax-enterprises"):
        assert re.fullmatch(pattern, own + ("x" if own.endswith(".") else ""))
    for foreign in ("taxes", "taxx.a", "health", "health.tax"):
        assert not re.fullmatch(pattern, foreign)
    assert document["components"]["securitySchemes"]["login"]["type"] == "scramSha512"


def test_keys_are_a_primary_key_only_where_the_records_show_them() -> None:
    shown = properties(sample("tax-enterprises"))
    assert [name for name, each in shown.items() if each.get("primaryKey")] == ["id"]
    assert not any("primaryKey" in each for each in properties(sample("education-persons")).values())
    two = properties(in_force(wanted()))
    assert {name: each["primaryKeyPosition"] for name, each in two.items() if "primaryKey" in each} == {
        "number": 1,
        "small": 2,
    }


def test_masks_types_and_facts_of_others_are_told_as_they_are_delivered() -> None:
    masks = {"text": PartialMask(keep_first=1), "picture": DropMask(), "perhaps_day": YearMask()}
    found = properties(in_force(wanted(masks=masks)))
    assert found["text"]["transformDescription"].startswith("The first 1 and the last 0 characters")
    assert json.loads(found["text"]["transformLogic"]) == {"kind": "partial", "keep_first": 1, "keep_last": 0}
    assert "logicalTypeOptions" not in found["text"]
    assert found["perhaps_day"]["logicalType"] == "date"
    assert (found["small"]["logicalType"], found["small"]["logicalTypeOptions"]) == (
        "integer",
        {"format": "i32"},
    )
    assert found["exact_moment"]["logicalTypeOptions"] == {"timezone": True}
    assert (found["day"]["required"], found["large"]["required"]) == (True, False)
    assert found["theirs"]["customProperties"][0]["value"] == "social_security"
    bare = properties(in_force(wanted()))
    assert bare["text"]["logicalTypeOptions"] == {"minLength": 0, "maxLength": 40, "pattern": "^[A-Z]*$"}


def test_rules_about_items_not_given_are_not_told_and_those_about_masked_ones_are_not_repeatable() -> None:
    document = odcs_document(sample("education-persons"), language=EN)
    told = json.dumps(document["schema"], ensure_ascii=False)
    assert "address" not in told
    assert "id_number" not in told
    assert "identity_birth_date" not in told
    [schema] = document["schema"]
    assert [each["name"] for each in schema["quality"]] == ["timeliness"]
    [required, length] = properties(sample("education-persons"))["name"]["quality"]
    assert required["type"] == length["type"] == "custom"
    assert required["description"].endswith("Judged before the mask.")
    full = properties(sample("health-persons-gusu"))
    kinds = {each["name"]: each for each in full["sex"]["quality"]}
    assert kinds["sex.code_list"]["arguments"] == {"validValues": ["0", "1", "2", "9"]}
    assert (kinds["sex.required"]["severity"], kinds["sex.required"]["metric"]) == (
        "warning",
        "missingValues",
    )


@pytest.mark.parametrize("state", GrantState)
def test_roles_are_the_rights_that_the_grant_gives_in_kafka(state: GrantState) -> None:
    agreement = in_force(wanted(state=state))
    document = odcs_document(agreement)
    assert document["status"] == state.value
    roles = {(each["role"], each["access"]) for each in document["roles"]}
    readable = state in (GrantState.ACTIVE, GrantState.FILLING)
    assert roles == ({("consumer-tax", "read")} if readable else set())


def test_the_promises_are_those_of_resource_topic_and_days() -> None:
    document = odcs_document(sample("tax-permits"))
    promised = {each["property"]: each["value"] for each in document["slaProperties"]}
    assert promised == {
        "frequency": "real_time",
        "latency": 300,
        "retention": 7,
        "generalAvailability": "2025-01-01",
        "endOfLife": "2034-12-31",
    }


def test_versions_rise_with_resource_and_generation() -> None:
    assert odcs_document(in_force(wanted(), generation=4))["version"] == "3.4.0"
    declared = declared_agreement(sample_definitions(), GrantId("tax-permits"))
    assert asyncapi_document(declared)["info"]["version"] == "1.0.0"
    assert "policyVersion" not in asyncapi_document(declared)["info"]["x-govbus"]


def test_no_login_stands_in_a_contract_whatever_the_addresses_hold() -> None:
    addresses = Addresses("kafka:9092", "https://reader:s3cret@registry:8443/apis")
    for document in (
        asyncapi_document(sample("tax-permits"), addresses),
        odcs_document(sample("tax-permits"), addresses),
    ):
        text = json.dumps(document)
        assert "s3cret" not in text
        assert "reader:" not in text
        assert "https://registry:8443/apis" in text


def test_a_grant_that_is_not_there_or_whose_resource_is_gone_has_no_contract() -> None:
    policy = sample_policy()
    with pytest.raises(NothingToDescribe, match="no grant nobody"):
        agreement_in_force(policy, GrantId("nobody"))
    with pytest.raises(NothingToDescribe, match="no grant nobody"):
        declared_agreement(sample_definitions(), GrantId("nobody"))
    for part, gone in (("resources", "population.person.v1"), ("consumers", "education")):
        left = {key: each for key, each in getattr(policy, part).items() if key != gone}
        with pytest.raises(NothingToDescribe, match=gone):
            agreement_in_force(policy.model_copy(update={part: left}), GrantId("education-persons"))


def test_every_sentence_is_said_in_both_languages_with_the_same_facts() -> None:
    for phrase, said in WORDING.items():
        assert said[Language.ZH], phrase
        braces = [set(re.findall(r"{(\w+)}", text)) for text in said.values()]
        assert braces[0] == braces[1], phrase
        assert re.search(r"[\u4e00-\u9fff]", said[Language.ZH]), phrase
