"""Connector configurations as they are rendered from the templates."""

import json
from dataclasses import replace

import pytest

from producers.connector import (
    CaptureDeclaration,
    ConnectEnvironment,
    CorrectDeclaration,
    SinkDeclaration,
    TableName,
    capture_config,
    connector_name,
    fill,
    publication_name,
    read_template,
    sink_config,
    slot_name,
)
from topics.event import ProviderId, TopicName

PROVIDER = ProviderId("police-3205")
CAPTURE = CaptureDeclaration(
    provider=PROVIDER,
    host="127.0.0.1",
    port=5432,
    database="police",
    tables=(TableName("public", "person"), TableName("public", "household")),
    incarnation=7,
    secret_set="police",
)
ENVIRONMENT = ConnectEnvironment("/secrets/connect", "127.0.0.1:9092")
SINK = SinkDeclaration(
    grant_topic=TopicName("sub.tax.legal.enterprise.v1.tax-enterprises"),
    parked_topic=TopicName("parked.tax"),
    jdbc_url="jdbc:postgresql://127.0.0.1/tax",
    table="public.enterprise",
    key_fields=("pseudonym",),
    secret_set="tax",
    login_set="consumer-tax",
)


def rendered() -> dict[str, str]:
    return capture_config(read_template("debezium-postgres"), CAPTURE, ENVIRONMENT)


def test_a_provider_names_everything_of_its_capture() -> None:
    config = rendered()
    assert connector_name(PROVIDER) == "capture.police-3205"
    assert config["topic.prefix"] == "raw.police-3205"
    assert config["slot.name"] == slot_name(PROVIDER) == "govbus_police_3205"
    assert config["publication.name"] == publication_name(PROVIDER) == "govbus_police_3205"
    assert config["signal.kafka.topic"] == config["signal.kafka.groupId"] == "signal.police-3205"
    assert config["notification.sink.topic.name"] == "notify.police-3205"
    assert config["table.include.list"] == r"public\.household,public\.person"
    assert config["transforms.incarnation.header"] == "govbus.incarnation"
    assert config["transforms.incarnation.value.literal"] == "7"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("publication.autocreate.mode", "disabled"),
        ("exactly.once.support", "required"),
        ("poll.interval.ms", "40"),
        ("skipped.operations", "none"),
        ("tombstones.on.delete", "true"),
        ("decimal.handling.mode", "string"),
        ("read.only", "true"),
        ("heartbeat.interval.ms", "5000"),
        ("topic.heartbeat.prefix", "heartbeat"),
        ("errors.max.retries", "-1"),
        ("retriable.restart.connector.wait.ms", "2000"),
        ("slot.drop.on.stop", "false"),
        ("offset.mismatch.strategy", "trust_offset"),
        ("message.prefix.exclude.list", ".*"),
        ("snapshot.mode", "initial"),
        ("schema.name.adjustment.mode", "avro"),
        ("field.name.adjustment.mode", "avro"),
    ],
)
def test_best_practice_is_built_in(setting: str, value: str) -> None:
    assert rendered()[setting] == value


def test_no_topic_is_ever_made_by_a_connector() -> None:
    assert not [name for name in rendered() if name.startswith("topic.creation")]


def test_secrets_are_references_to_files_only() -> None:
    config = rendered()
    assert config["database.user"] == "${file:/secrets/connect/police.properties:user}"
    assert config["database.password"] == "${file:/secrets/connect/police.properties:password}"
    assert (
        'password="${file:/secrets/connect/kafka.properties:password}"'
        in config["signal.consumer.sasl.jaas.config"]
    )
    sink = sink_config(read_template("jdbc-sink"), SINK, ENVIRONMENT)
    assert sink["connection.password"] == "${file:/secrets/connect/tax.properties:password}"


@pytest.mark.parametrize("client", ["consumer", "producer", "admin"])
def test_the_sink_logs_in_as_its_department_whatever_it_does(client: str) -> None:
    login = sink_config(read_template("jdbc-sink"), SINK, ENVIRONMENT)[f"{client}.override.sasl.jaas.config"]
    assert login.startswith("org.apache.kafka.common.security.scram.ScramLoginModule required ")
    assert 'username="${file:/secrets/connect/consumer-tax.properties:user}"' in login
    assert 'password="${file:/secrets/connect/consumer-tax.properties:password}"' in login


def test_the_sink_is_idempotent_and_parks_what_it_cannot_read() -> None:
    sink = sink_config(read_template("jdbc-sink"), SINK, ENVIRONMENT)
    assert (sink["insert.mode"], sink["primary.key.mode"], sink["primary.key.fields"]) == (
        "upsert",
        "record_key",
        "pseudonym",
    )
    assert sink["delete.enabled"] == "true"
    assert sink["errors.deadletterqueue.topic.name"] == "parked.tax"
    assert sink["consumer.override.isolation.level"] == "read_committed"
    assert sink["schema.evolution"] == "none"
    assert (
        sink_config(read_template("jdbc-sink"), replace(SINK, evolves=True), ENVIRONMENT)["schema.evolution"]
        == "basic"
    )


@pytest.mark.parametrize("config", [rendered(), sink_config(read_template("jdbc-sink"), SINK, ENVIRONMENT)])
def test_nothing_is_left_unfilled(config: dict[str, str]) -> None:
    assert "GOVBUS_" not in json.dumps(config)
    assert all(config.values())


@pytest.mark.parametrize(
    "value", ["", "a\nb", "a\rb", "${file:/secrets/connect/other.properties:password}", "x\0"]
)
def test_a_value_that_would_be_read_as_something_else_is_refused(value: str) -> None:
    with pytest.raises(CorrectDeclaration, match="GOVBUS_DATABASE_NAME"):
        capture_config(read_template("debezium-postgres"), replace(CAPTURE, database=value), ENVIRONMENT)


@pytest.mark.parametrize("provider", ["", "Police", "1police", "a.b", "a b", "a" * 42, "公安"])
def test_a_provider_id_that_cannot_name_a_slot_is_refused(provider: str) -> None:
    with pytest.raises(CorrectDeclaration):
        slot_name(ProviderId(provider))
    assert len(slot_name(ProviderId("a" * 41))) <= 63


def test_no_table_and_a_table_that_cannot_be_listed_are_refused() -> None:
    template = read_template("debezium-postgres")
    with pytest.raises(CorrectDeclaration, match="no table"):
        capture_config(template, replace(CAPTURE, tables=()), ENVIRONMENT)
    with pytest.raises(CorrectDeclaration, match="comma"):
        capture_config(template, replace(CAPTURE, tables=(TableName("public", "a,b"),)), ENVIRONMENT)


def test_a_template_may_not_ask_for_what_nothing_declares() -> None:
    with pytest.raises(CorrectDeclaration, match="GOVBUS_X"):
        fill({"a": "${GOVBUS_X}"}, {})
    assert fill({"a": "${file:x}-${GOVBUS_X}"}, {"GOVBUS_X": "1"}) == {"a": "${file:x}-1"}
