"""One grant as an AsyncAPI 3.1 document with Kafka bindings 0.5.0; pure."""

from collections.abc import Mapping
from typing import Any, Final

from services.control.catalogue.vocabulary import Language
from services.control.contracts.agreement import Addresses, Agreement
from services.control.contracts.headers import header_schema
from services.control.contracts.terms import description_of, title_of
from services.control.contracts.wording import Phrase, say
from services.control.credentials import SASL
from services.control.rights import consumer_rights
from services.control.state import Pattern, ResourceType, Topic
from topics import names
from topics.delivery import CONTENT_TYPE

VERSION: Final = "3.1.0"
BINDING: Final = "0.5.0"
AVRO: Final = "application/vnd.apache.avro+json;version=1.9.0"
_SCHEMES: Final = {"SCRAM-SHA-256": "scramSha256", "SCRAM-SHA-512": "scramSha512"}
_PROTOCOLS: Final = {"SASL_PLAINTEXT": "kafka", "SASL_SSL": "kafka-secure"}
_LOGIN: Final = "login"
_CHANNEL: Final = "records"
_JSON_TYPES: Final = {"string": "string", "int": "integer", "long": "integer", "boolean": "boolean"}


def asyncapi_document(
    agreement: Agreement, addresses: Addresses | None = None, language: Language = Language.ZH
) -> dict[str, Any]:
    """The document of a grant.

    Args:
        agreement: the grant and what is compiled of it.
        addresses: where the bus is reached; None where that is not known: then there are no servers.
        language: of titles and sentences.
    """
    servers = _servers(addresses) if addresses else {}
    return {
        "asyncapi": VERSION,
        "id": f"urn:govbus:grant:{agreement.grant.id}",
        "info": {
            "title": title_of(agreement, language),
            "version": agreement.version,
            "description": description_of(agreement, language),
            "x-govbus": _provenance(agreement),
        },
        "defaultContentType": CONTENT_TYPE,
        **({"servers": servers} if servers else {}),
        "channels": {_CHANNEL: _channel(agreement, list(servers), language)},
        "operations": {"receive": _operation(agreement, language)},
        "components": {
            "messages": {
                "record": _record(agreement, language),
                "withdrawal": _withdrawal(agreement, language),
            },
            "securitySchemes": {
                _LOGIN: {
                    "type": _SCHEMES[SASL["sasl_mechanism"]],
                    "description": say(Phrase.LOGIN, language),
                }
            },
        },
    }


def _provenance(agreement: Agreement) -> dict[str, Any]:
    grant, resource = agreement.grant, agreement.resource
    found: dict[str, Any] = {
        "grant": grant.id,
        "state": grant.state.value,
        "consumer": grant.consumer,
        "provider": resource.provider,
        "resource": resource.id,
        "catalogueCode": resource.code,
        "epochsTopic": names.epochs(grant.id),
    }
    if agreement.policy_version is not None:
        found |= {"generation": agreement.generation, "policyVersion": agreement.policy_version}
    return found


def _servers(addresses: Addresses) -> dict[str, Any]:
    return {
        f"broker{number}": {
            "host": host,
            "protocol": _PROTOCOLS[addresses.security_protocol],
            "security": [{"$ref": f"#/components/securitySchemes/{_LOGIN}"}],
            "bindings": {
                "kafka": {
                    "schemaRegistryUrl": addresses.public_registry_url,
                    "schemaRegistryVendor": "confluent",
                    "bindingVersion": BINDING,
                }
            },
        }
        for number, host in enumerate(addresses.brokers, start=1)
    }


def _channel(agreement: Agreement, servers: list[str], language: Language) -> dict[str, Any]:
    topic = agreement.topic
    return {
        "address": topic.name,
        "title": title_of(agreement, language),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in ("record", "withdrawal")},
        **({"servers": [{"$ref": f"#/servers/{name}"} for name in servers]} if servers else {}),
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": topic_configuration(topic),
                "bindingVersion": BINDING,
            }
        },
    }


def topic_configuration(topic: Topic) -> dict[str, Any]:
    """The topic's settings in the types of the binding: a list of policies, numbers as numbers."""
    found: dict[str, Any] = {}
    for name, text in topic.configs.items():
        if name == "cleanup.policy":
            found[name] = text.split(",")
        else:
            found[name] = int(text) if text.lstrip("-").isdigit() else text
    return found


def _operation(agreement: Agreement, language: Language) -> dict[str, Any]:
    messages = f"#/channels/{_CHANNEL}/messages"
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{_CHANNEL}"},
        "summary": say(Phrase.READ, language),
        "messages": [{"$ref": f"{messages}/{name}"} for name in ("record", "withdrawal")],
        "security": [{"$ref": f"#/components/securitySchemes/{_LOGIN}"}],
        "bindings": {
            "kafka": {
                "groupId": {"type": "string", "pattern": group_pattern(agreement)},
                "bindingVersion": BINDING,
            }
        },
        "x-isolation-level": "read_committed",
    }


def group_pattern(agreement: Agreement) -> str:
    """The groups in which the department may read, by its rights."""
    groups = sorted(
        acl for acl in consumer_rights(agreement.consumer.id) if acl.resource is ResourceType.GROUP
    )
    literal = [_literal(acl.name) for acl in groups if acl.pattern is Pattern.LITERAL]
    prefixed = [f"{_literal(acl.name)}.+" for acl in groups if acl.pattern is Pattern.PREFIXED]
    return f"^({'|'.join([*literal, *prefixed])})$"


def _literal(name: str) -> str:
    return name.replace(".", r"\.")


def _record(agreement: Agreement, language: Language) -> dict[str, Any]:
    return {
        "name": "record",
        "title": title_of(agreement, language),
        "summary": say(Phrase.RECORD, language),
        "contentType": CONTENT_TYPE,
        "headers": header_schema(agreement, language, withdrawal=False),
        "payload": {"schemaFormat": AVRO, "schema": dict(agreement.value_schema)},
        "bindings": {"kafka": _message_binding(agreement, language, with_value=True)},
    }


def _withdrawal(agreement: Agreement, language: Language) -> dict[str, Any]:
    return {
        "name": "withdrawal",
        "title": title_of(agreement, language),
        "summary": say(Phrase.WITHDRAWAL, language),
        "headers": header_schema(agreement, language, withdrawal=True),
        "payload": {"type": "null"},
        "bindings": {"kafka": _message_binding(agreement, language, with_value=False)},
    }


def _message_binding(agreement: Agreement, language: Language, *, with_value: bool) -> dict[str, Any]:
    registry = {
        "schemaIdLocation": "payload",
        "schemaIdPayloadEncoding": "confluent",
        "schemaLookupStrategy": "TopicNameStrategy",
    }
    return {
        "key": key_json_schema(agreement, language),
        **(registry if with_value else {}),
        "bindingVersion": BINDING,
    }


def key_json_schema(agreement: Agreement, language: Language) -> dict[str, Any]:
    """The key as JSON Schema, which is all that the binding takes, with the Avro schema itself beside it."""
    schema: Mapping[str, Any] = agreement.key_schema
    phrase = Phrase.KEY_CANONICAL if agreement.has_canonical_key else Phrase.KEY_PSEUDONYM
    fields = {field["name"]: {"type": _JSON_TYPES[field["type"]]} for field in schema["fields"]}
    return {
        "type": "object",
        "description": say(phrase, language),
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
        "x-avro-schema": dict(schema),
    }
