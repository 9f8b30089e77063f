"""A client that is not ours, Kafka's own console consumer, sees a department's topic and nothing else."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.stack.java import environment, runtime
from tests.e2e.live_city import LiveCity
from tests.e2e.people import insert, number

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

HEALTH, EDUCATION, TAX = "health-persons-gusu", "education-persons", "tax-enterprises"
REFUSED = "TopicAuthorizationException"
_PLACE = re.compile(r"^Partition:(\d+)\tOffset:(\d+)\t", re.MULTILINE)
_SHOWN = ("print.partition=true", "print.offset=true", "print.headers=true", "print.value=false")


def read_as(
    city: LiveCity, consumer: str, topic: str, folder: Path, *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    """Kafka's own console consumer with a department's credentials."""
    found: dict[str, Any] = json.loads(city.credentials(consumer).read_text(encoding="utf-8"))
    config = folder / f"{consumer}.properties"
    config.touch(0o600)
    jaas = "org.apache.kafka.common.security.scram.ScramLoginModule"
    config.write_text(
        f"security.protocol={found['security_protocol']}\nsasl.mechanism={found['sasl_mechanism']}\n"
        f'sasl.jaas.config={jaas} required username="{found["username"]}" password="{found["password"]}";\n'
        "isolation.level=read_committed\n"
    )
    classpath = city.stack.context.jars.classpath("kafka")
    main = ["-Xmx96m", "-cp", classpath, "org.apache.kafka.tools.consumer.ConsoleConsumer"]
    where = ["--bootstrap-server", found["bootstrap"], "--command-config", str(config), "--topic", topic]
    shown = [argument for each in _SHOWN for argument in ("--formatter-property", each)]
    group = ["--group", f"{consumer}.console.{uuid4()}", "--from-beginning"]
    return subprocess.run(
        [runtime(), *main, *where, *group, *shown, *arguments],
        env=environment(),
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.requirement("A11-04")
def test_a_department_s_own_client_sees_every_record_of_its_grant_and_none_besides(
    city: LiveCity, tmp_path: Path
) -> None:
    row = city.new_id()
    city.execute("police", insert(row, number(row % 90_000), name="别的客户端"))
    city.settle()
    topic = city.topic_of(HEALTH)
    wanted = {(record.partition, record.offset) for record in city.records(topic)}
    done = read_as(city, "health", topic, tmp_path, "--max-messages", str(len(wanted)))
    text = done.stdout.decode("utf-8", "replace")
    assert {(int(partition), int(offset)) for partition, offset in _PLACE.findall(text)} == wanted, (
        done.stderr
    )
    assert text.count(f"govbus_grant:{HEALTH}") == len(wanted)
    assert "ce_source:/govbus/population.person.v1" in text


@pytest.mark.requirement("A11-04")
def test_the_demo_s_department_without_a_grant_is_refused_for_the_topic_itself(city: LiveCity) -> None:
    assert city.story.refused_reader(city.definitions) == "TOPIC_AUTHORIZATION_FAILED"


@pytest.mark.requirement("A11-04")
@pytest.mark.parametrize(
    ("consumer", "topic"),
    [
        ("health", EDUCATION),
        ("health", TAX),
        ("health", "resource.population.person.v1"),
        ("health", "raw.police.public.person"),
        ("health", "quarantine.police"),
        ("archives", HEALTH),
        ("archives", "resource.population.person.v1"),
    ],
)
def test_a_department_s_own_client_is_refused_on_what_is_not_granted_to_it(
    city: LiveCity, tmp_path: Path, consumer: str, topic: str
) -> None:
    name = city.topic_of(topic) if topic in city.definitions.grants else topic
    assert city.records(name), "there is something to be kept from it"
    refused = read_as(city, consumer, name, tmp_path, "--timeout-ms", "20000")
    assert REFUSED.encode() in refused.stderr + refused.stdout
    assert _PLACE.findall(refused.stdout.decode("utf-8", "replace")) == []
