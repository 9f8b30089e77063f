"""One grant as a data contract by the Open Data Contract Standard (ODCS) 3.1; pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from services.control.catalogue.vocabulary import Cycle, Language, word
from services.control.contracts import quality
from services.control.contracts.agreement import Addresses, Agreement
from services.control.contracts.terms import days_of, mask_of, rows_of, title_of, titled
from services.control.contracts.wording import Phrase, say
from services.control.desired import DAY_MS
from services.control.rights import grant_rights
from services.control.state import Pattern
from topics.canonical import schema_text
from topics.quality import declaration as declared
from topics.quality.verdict import Severity
from topics.resource import Item
from topics.schema_rules import ItemForm, item_forms

VERSION: Final = "v3.1.0"
_NUMBERS: Final[Mapping[str, tuple[str, str]]] = {
    "int": ("integer", "i32"),
    "long": ("integer", "i64"),
    "float": ("number", "f32"),
    "double": ("number", "f64"),
}
_BITS: Final[Mapping[str, str]] = {"bytes": "binary"}


def odcs_document(
    agreement: Agreement, addresses: Addresses | None = None, language: Language = Language.ZH
) -> dict[str, Any]:
    """The contract of a grant.

    Args:
        agreement: the grant and what is compiled of it.
        addresses: where the bus is reached; None where that is not known: then there are no servers.
        language: of titles and sentences.
    """
    created = _created(agreement)
    return {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": agreement.grant.id,
        "name": title_of(agreement, language),
        "version": agreement.version,
        "status": agreement.grant.state.value,
        "domain": agreement.resource.domain,
        "tenant": agreement.consumer.id,
        **({"contractCreatedTs": created} if created else {}),
        "description": _description(agreement, language),
        "schema": [_schema(agreement, language)],
        "roles": list(_roles(agreement, language)),
        "slaProperties": list(_promises(agreement, language)),
        **({"servers": list(_servers(addresses))} if addresses else {}),
        "team": {
            "name": titled(agreement.provider.titles, language),
            "description": say(Phrase.PROVIDES, language),
        },
        "customProperties": list(_custom(_facts(agreement))),
    }


def _created(agreement: Agreement) -> str | None:
    if agreement.issued_ms is None:
        return None
    return datetime.fromtimestamp(agreement.issued_ms // 1000, UTC).isoformat().replace("+00:00", "Z")


def _description(agreement: Agreement, language: Language) -> dict[str, str]:
    return {
        "purpose": agreement.grant.purpose,
        "usage": say(Phrase.READ, language),
        "limitations": " ".join([rows_of(agreement, language), days_of(agreement, language)]),
    }


def _schema(agreement: Agreement, language: Language) -> dict[str, Any]:
    key = Phrase.KEY_CANONICAL if agreement.has_canonical_key else Phrase.KEY_PSEUDONYM
    forms = item_forms(agreement.value_schema)
    return {
        "name": agreement.value_schema["name"],
        "physicalName": agreement.topic.name,
        "logicalType": "object",
        "physicalType": "topic",
        "businessName": titled(agreement.resource.titles, language),
        "description": say(Phrase.RECORD, language),
        "properties": [
            _property(agreement, field, forms[field["name"]], language)
            for field in agreement.value_schema["fields"]
        ],
        "quality": quality.across(agreement, language),
        "customProperties": list(
            _custom({"recordKey": dict(agreement.key_schema), "recordKeyMeaning": say(key, language)})
        ),
    }


def _property(
    agreement: Agreement, field: Mapping[str, Any], form: ItemForm, language: Language
) -> dict[str, Any]:
    item = agreement.resource.item(field["name"])
    mask = agreement.grant.masks.get(item.name)
    return {
        "name": item.name,
        "businessName": titled(item.titles, language),
        **({"description": field["doc"]} if "doc" in field else {}),
        **_type(agreement, field, form),
        "required": not form.nullable,
        **_key(agreement, item),
        **({"classification": "sensitive"} if item.sensitive else {}),
        **(
            {
                "transformLogic": schema_text(mask.model_dump(mode="json")),
                "transformDescription": mask_of(mask, language),
            }
            if mask
            else {}
        ),
        **_owner(agreement, item, language),
        "quality": quality.of_item(agreement, item.name, language),
    }


def _type(agreement: Agreement, field: Mapping[str, Any], form: ItemForm) -> dict[str, Any]:
    logical, options = _logical(form)
    if logical == "string":
        options |= _text_options(agreement, field["name"])
    return {
        "logicalType": logical,
        **({"logicalTypeOptions": options} if options else {}),
        "physicalType": _avro_text(field["type"]),
    }


def _avro_text(avro_type: Any) -> str:
    return avro_type if isinstance(avro_type, str) else schema_text(avro_type)


def _logical(form: ItemForm) -> tuple[str, dict[str, Any]]:
    """The logical type of an item and what belongs to it."""
    if form.is_date:
        return "date", {}
    if form.logical is not None and form.logical.startswith("timestamp-"):
        return "timestamp", {"timezone": True}
    if form.logical is not None and form.logical.startswith("local-timestamp-"):
        return "timestamp", {"timezone": False}
    if form.type in _NUMBERS:
        kind, bits = _NUMBERS[form.type]
        return kind, {"format": bits}
    if form.type == "boolean":
        return "boolean", {}
    return "string", {"format": _BITS[form.type]} if form.type in _BITS else {}


def _text_options(agreement: Agreement, item: str) -> dict[str, Any]:
    """Length and pattern that every delivered text has: rules that stop, on an item that no mask changes."""
    found: dict[str, Any] = {}
    if item in agreement.grant.masks:
        return found
    for check in quality.checks(agreement):
        rule = check.declaration
        if check.rule.severity is not Severity.STOP or check.rule.items != (item,):
            continue
        if isinstance(rule, declared.LengthDeclaration):
            found |= {"minLength": rule.min, **({"maxLength": rule.max} if rule.max is not None else {})}
        elif isinstance(rule, declared.PatternDeclaration):
            found["pattern"] = rule.pattern
    return found


def _key(agreement: Agreement, item: Item) -> dict[str, Any]:
    """The source's primary key, where the records' keys show it; a pseudonym is no item."""
    columns = agreement.resource.source.primary_key
    if not agreement.has_canonical_key or item.source_column not in columns:
        return {}
    return {"primaryKey": True, "primaryKeyPosition": columns.index(item.source_column) + 1}


def _owner(agreement: Agreement, item: Item, language: Language) -> dict[str, Any]:
    """Whose fact an item is that another department owns: the gate cuts it, so it is null."""
    if item.owner is None or item.owner == agreement.resource.provider:
        return {}
    told = say(Phrase.FOREIGN, language, owner=item.owner)
    return {"customProperties": [{"property": "owner", "value": item.owner, "description": told}]}


def _roles(agreement: Agreement, language: Language) -> Iterator[dict[str, Any]]:
    """The rights that the grant gives in Kafka; a suspended or revoked one gives none."""
    who = titled(agreement.consumer.titles, language)
    for acl in sorted(grant_rights(agreement.grant)):
        if acl.allow:
            topic = f"{acl.name}…" if acl.pattern is Pattern.PREFIXED else acl.name
            told = say(Phrase.READER, language, consumer=who, right=acl.right.value, topic=topic)
            yield {"role": acl.user, "access": acl.right.value, "description": told}


def _promises(agreement: Agreement, language: Language) -> Iterator[dict[str, Any]]:
    grant, cycle = agreement.grant, agreement.resource.update_cycle
    said = word(Cycle(cycle.value), language)
    frequency = say(Phrase.FREQUENCY, language, cycle=said)
    yield {"property": "frequency", "value": cycle.value, "description": frequency}
    yield {
        "property": "latency",
        "value": declared.WITHIN_SECONDS[cycle],
        "unit": "s",
        "driver": "regulatory",
        "description": say(Phrase.LATENCY, language, cycle=said),
    }
    yield {
        "property": "retention",
        "value": int(agreement.topic.configs["min.compaction.lag.ms"]) // DAY_MS,
        "unit": "d",
        "description": say(Phrase.RETENTION, language),
    }
    for name, day, phrase in (
        ("generalAvailability", grant.valid_from, Phrase.BEGINS),
        ("endOfLife", grant.valid_until, Phrase.ENDS),
    ):
        yield {"property": name, "value": day.isoformat(), "description": say(phrase, language)}


def _servers(addresses: Addresses) -> Iterator[dict[str, Any]]:
    for number, host in enumerate(addresses.brokers, start=1):
        yield {
            "server": f"broker{number}",
            "type": "kafka",
            "host": host,
            "format": "avro",
            "customProperties": list(_custom({"schemaRegistryUrl": addresses.public_registry_url})),
        }


def _facts(agreement: Agreement) -> dict[str, Any]:
    """What the standard has no place for, in its own way of naming."""
    grant, resource = agreement.grant, agreement.resource
    facts: dict[str, Any] = {
        "resource": resource.id,
        "catalogueCode": resource.code,
        "shareType": resource.share_type.value,
        "provider": resource.provider,
        "consumer": grant.consumer,
        "legalBasis": grant.legal_basis,
        "rows": [row.model_dump(mode="json") for row in grant.rows],
    }
    if resource.share_basis:
        facts["shareBasis"] = resource.share_basis
    if agreement.policy_version is not None:
        facts |= {"generation": agreement.generation, "policyVersion": agreement.policy_version}
    return facts


def _custom(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    return ({"property": name, "value": value} for name, value in facts.items())
