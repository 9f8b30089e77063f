"""The table at the top of topics/names.py says of each topic who writes and reads it, and it is true."""

import re

import pytest
from confluent_kafka.admin import AclOperation

import topics.names
from services.control.definitions import load_definitions, packaged_definitions
from services.control.rights import rights
from services.control.state import Acl, Pattern, ResourceType, Right
from services.stack.acls import doctor_acls

CITY = load_definitions(packaged_definitions())
GIVEN = rights(CITY.providers, CITY.consumers, CITY.resources, CITY.grants.values())
_ROW = re.compile(r"^\| (\S.*?) +\| (\S.*?) +\| (\S.*?) +\|$", re.MULTILINE)
_WORDS = {"connect": "Connect", "fanout": "fan-out", "ledger": "audit"}
GRANT = "health-persons-gusu"
#: One topic of the sample city for each row, and whose it is.
SAMPLES = {
    "raw.<provider>.<schema>.<table>": ("raw.police.public.person", "police"),
    "raw.<provider>.publish.<domain>.<name>": (
        "raw.market_regulation.publish.licence.permit",
        "market_regulation",
    ),
    "resource.<domain>.<name>.v<N>": ("resource.population.person.v1", "police"),
    "quarantine.<provider>": ("quarantine.police", "police"),
    'stopped.<captured raw topic without "raw.">': ("stopped.police.public.person", "police"),
    'versions.<published raw topic without "raw.">': (
        "versions.market_regulation.publish.licence.permit",
        "market_regulation",
    ),
    "claims.<provider>": ("claims.police", "police"),
    "sub.<consumer>.<resource>.<grant>": (f"sub.health.population.person.v1.{GRANT}", "health"),
    "<topic of the grant>.replay.<N>": (f"sub.health.population.person.v1.{GRANT}.replay.7", "health"),
    "epochs.<grant>": (f"epochs.{GRANT}", "health"),
    "epochs.<resource>": ("epochs.population.person.v1", "police"),
    "ledger.intake": ("ledger.intake", ""),
    "ledger.delivery": ("ledger.delivery", ""),
    "ledger.acts": ("ledger.acts", ""),
    "ledger.checkpoints": ("ledger.checkpoints", ""),
    "policy": ("policy", ""),
    "disputes": ("disputes", ""),
    "policy-acks": ("policy-acks", ""),
    "heartbeat.raw.<provider>": ("heartbeat.raw.police", "police"),
    "signal.<provider>": ("signal.police", "police"),
    "notify.<provider>": ("notify.police", "police"),
    "parked.<consumer>": ("parked.health", "health"),
}


def table() -> list[tuple[str, set[str], set[str]]]:
    rows = _ROW.findall(topics.names.__doc__ or "")
    return [(name, set(writers.split(", ")), set(readers.split(", "))) for name, writers, readers in rows[1:]]


def covers(acl: Acl, topic: str) -> bool:
    if acl.resource is not ResourceType.TOPIC:
        return False
    return topic == acl.name if acl.pattern is Pattern.LITERAL else topic.startswith(acl.name)


def allowed(topic: str, right: Right, owner: str) -> set[str]:
    """Who may do so, in the words of the table."""
    users = {acl.user for acl in GIVEN if acl.right is right and acl.allow and covers(acl, topic)}
    own = {f"provider-{owner}": "that provider", f"consumer-{owner}": "that consumer"}
    return {own.get(user, _WORDS.get(user, user)) for user in users}


@pytest.mark.requirement("A11-04")
@pytest.mark.parametrize(("name", "writers", "readers"), table(), ids=[row[0] for row in table()])
def test_the_rights_are_those_of_the_table(name: str, writers: set[str], readers: set[str]) -> None:
    topic, owner = SAMPLES[name]
    assert allowed(topic, Right.WRITE, owner) == writers
    assert allowed(topic, Right.READ, owner) == readers


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_doctor_writes_to_no_topic(name: str) -> None:
    assert "doctor" not in allowed(SAMPLES[name][0], Right.WRITE, SAMPLES[name][1])


def test_the_doctor_only_reads_and_describes() -> None:
    assert {acl.right for acl in GIVEN if acl.user == "doctor"} == {Right.READ}
    operations = {binding.operation for binding in doctor_acls()}
    assert operations == {AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS}


def test_the_table_has_a_row_for_every_kind_of_topic() -> None:
    assert {row[0] for row in table()} == set(SAMPLES)
