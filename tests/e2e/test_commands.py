"""The auditor's and operator's commands, as programs of their own, over the city on the real stack."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from services.control.definitions import Definitions
from services.ledger.quarantine import Quarantined, release
from services.ledger.writer import KafkaRecordWriter
from services.stack.settings import PREFIX
from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import delete, insert, number, renumber, update
from topics.event import ResourceId

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

SHAPES = Path(__file__).parents[2] / "docs" / "cli"
EDUCATION, HEALTH = "education-persons", "health-persons-gusu"
PERSONS = ResourceId("population.person.v1")
RAW, CANONICAL = "raw.police.public.person", "resource.population.person.v1"
WRONG = "320508199001010018"
UNLISTED_SEX = "7"


@dataclass(frozen=True)
class Ended:
    """A program that has ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


@dataclass(frozen=True)
class Govbus:
    """Runs `govbus` in a process of its own, with the stack's settings in its environment."""

    city: LiveCity

    def __call__(self, *arguments: str) -> Ended:
        settings = self.city.stack.settings
        named = {f"{PREFIX}{name.upper()}": value for name, value in settings.model_dump().items()}
        environment = {name: str(value) for name, value in named.items() if value is not None}
        program = Path(sys.executable).with_name("govbus")
        done = subprocess.run(
            [program, *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def json(self, shape: str, *arguments: str, code: int = 0) -> Any:
        """The answer, which has the documented shape."""
        ended = self(*arguments, "--json")
        assert ended.code == code, ended.out + ended.err
        schema = json.loads((SHAPES / f"{shape}.schema.json").read_text(encoding="utf-8"))
        assert list(jsonschema.Draft202012Validator(schema).iter_errors(ended.answer)) == []
        return ended.answer


@pytest.fixture(scope="module")
def govbus(city: LiveCity) -> Govbus:
    return Govbus(city)


def new_name() -> str:
    """A name that no other row has."""
    return f"查{uuid.uuid4().hex[:10]}"


def raw_of(city: LiveCity, text: str, topic: str = RAW) -> str:
    """The coordinate of the last raw record that holds the text."""
    return [record.coordinates for record in city.records(topic) if text.encode() in (record.value or b"")][
        -1
    ]


def stopped_of(city: LiveCity, text: str) -> Quarantined:
    return [entry for entry in city.quarantined() if text.encode() in (entry.raw.value or b"")][-1]


def noted(city: LiveCity, of: str, topic: str = "quarantine.police") -> list[dict[str, str]]:
    """The notes that people left about a coordinate or topic."""
    headers = [{name: text.decode() for name, text in one.headers} for one in city.records(topic)]
    return [found for found in headers if found.get("govbus_of") == of]


def state_of(govbus: Govbus, raw: str) -> str:
    answer = govbus.json(
        "quarantine-list", "quarantine", "list", "police", "--state", "all", "--limit", "1000"
    )
    [state] = [event["state"] for event in answer["events"] if event["raw"] == raw]
    return str(state)


def without_rule(definitions: Definitions, rule: str) -> Definitions:
    """The definitions in which persons are not checked by that kind of rule."""
    person = definitions.resources[PERSONS]
    rules = tuple(one for one in person.rules if one.rule != rule)
    assert len(rules) < len(person.rules)
    relaxed = person.model_copy(update={"rules": rules})
    return replace(definitions, resources={**definitions.resources, PERSONS: relaxed})


@pytest.mark.requirement("A11-02")
def test_explain_follows_an_accepted_record_to_each_department_and_back(
    city: LiveCity, govbus: Govbus
) -> None:
    row, name = city.new_id(), new_name()
    city.execute("police", insert(row, number(row % 90_000), name=name))
    city.settle()
    raw = raw_of(city, name)
    found = govbus.json("explain", "explain", raw)
    assert (found["outcome"], found["reason"]) == ("accepted", None)
    assert {stage["outcome"] for stage in found["stages"]} == {"passed"}
    by_grant = {entry["grant"]: entry for entry in found["grants"]}
    assert (by_grant[HEALTH]["outcome"], by_grant[EDUCATION]["outcome"]) == ("delivered", "delivered")
    without = {entry["consumer"]: entry["reason"] for entry in found["grants"] if entry["grant"] is None}
    assert without["archives"] == "NO_GRANT"
    [canonical] = found["canonical"]
    for side in (by_grant[HEALTH]["at"], canonical):
        again = govbus.json("explain", "explain", side)
        assert (again["raw"], again["outcome"]) == (raw, "accepted")


@pytest.mark.requirement("A11-02")
def test_explain_names_step_reason_and_quarantine_of_a_stopped_record(city: LiveCity, govbus: Govbus) -> None:
    row, name = city.new_id(), new_name()
    city.execute("police", insert(row, WRONG, name=name, birth_date=date(1990, 1, 1)))
    city.settle()
    found = govbus.json("explain", "explain", raw_of(city, name))
    assert (found["outcome"], found["reason"]) == ("stopped", "IDENTITY_INVALID")
    assert {stage["stage"]: stage["outcome"] for stage in found["stages"]}["identify"] == "stopped"
    assert found["quarantined_at"] == stopped_of(city, name).at
    reasons = {entry["grant"]: entry["reason"] for entry in found["grants"]}
    assert reasons[HEALTH] == reasons[EDUCATION] == "STOPPED_AT_GATE"


def test_explain_says_what_the_copy_of_a_grant_did_with_a_record_of_the_first_load(
    city: LiveCity, govbus: Govbus
) -> None:
    copied = next(
        record
        for record in city.records(city.topic_of(HEALTH))
        if dict(record.headers)["govbus_grant"] == f"{HEALTH}@1".encode() and record.value is not None
    )
    found = govbus.json("explain", "explain", copied.coordinates)
    [health] = [entry for entry in found["grants"] if entry["grant"] == HEALTH]
    assert (health["outcome"], health["reason"]) == ("withheld", "FILLED_BY_EPOCH")
    assert (health["epoch"]["by"], health["epoch"]["outcome"]) == ("copier", "delivered")
    assert health["epoch"]["at"] == health["at"] == copied.coordinates


def test_a_stopped_event_is_shown_masked_revealed_on_record_and_discarded(
    city: LiveCity, govbus: Govbus
) -> None:
    row, name = city.new_id(), new_name()
    city.execute("police", insert(row, WRONG, name=name, birth_date=date(1990, 1, 1)))
    city.settle()
    raw = stopped_of(city, name).raw.coordinates
    listed = govbus.json("quarantine-list", "quarantine", "list", "police", "--limit", "1000")
    assert raw in [event["raw"] for event in listed["events"]]
    masked = govbus.json("quarantine-show", "quarantine", "show", raw)
    assert name not in json.dumps(masked, ensure_ascii=False)
    assert noted(city, raw) == []
    shown = govbus.json("quarantine-show", "quarantine", "show", raw, "--reveal", "--why", "case 7")
    assert shown["value"]["after"]["name"] == name
    [note] = noted(city, raw)
    assert (note["govbus_disposition"], note["govbus_reason"]) == ("revealed", "case 7")
    done = govbus.json("quarantine-work", "quarantine", "discard", raw, "--why", "a test row")
    assert [event["outcome"] for event in done["events"]] == ["discarded"]
    assert state_of(govbus, raw) == "discarded"
    assert noted(city, raw)[-1]["govbus_actor"].startswith("console:")


@pytest.mark.requirement("A4-01")
def test_what_a_wrong_rule_stopped_is_released_accepted_and_delivered_once_the_rule_is_mended(
    city: LiveCity, govbus: Govbus
) -> None:
    row, name = city.new_id(), new_name()
    city.execute("police", insert(row, number(row % 90_000), name=name, sex=UNLISTED_SEX))
    city.settle()
    entry = stopped_of(city, name)
    raw = entry.raw.coordinates
    assert entry.reason == "QUALITY"
    still = govbus.json("quarantine-work", "quarantine", "release", raw, "--why", "too soon", code=4)
    assert [event["outcome"] for event in still["events"]] == ["stopped"]
    assert state_of(govbus, raw) == "stopped-again"
    again = stopped_of(city, name).raw.coordinates
    try:
        city.apply(without_rule(city.definitions, "code_list"))
        city.settle()
        done = govbus.json("quarantine-work", "quarantine", "release", again, "--why", "the list was wrong")
        assert [event["outcome"] for event in done["events"]] == ["accepted"]
        released = done["events"][0]["at"]
        city.settle()
    finally:
        city.apply(city.definitions)
    assert state_of(govbus, again) == "released"
    assert [note["govbus_disposition"] for note in noted(city, again)] == ["releasing", "released"]
    assert noted(city, again)[-1]["govbus_at"] == released
    assert [items["name"] for items in city.of_record(row).values()] == [name]
    assert name in {value["name"] for value in city.granted(HEALTH).values() if value is not None}
    found = govbus.json("explain", "explain", released)
    assert found["stages"][0] == {"stage": "release", "outcome": "passed", "reason": None, "detail": ""}


def test_a_release_after_a_newer_accepted_change_is_refused_and_never_listed_as_released(
    city: LiveCity, govbus: Govbus
) -> None:
    row, name = city.new_id(), new_name()
    right = number(row % 90_000)
    city.execute("police", insert(row, WRONG, name=name, birth_date=date(1990, 1, 1)))
    city.execute("police", renumber(row, right))
    city.execute("police", update(row, name="现在的名字"))
    city.settle()
    [entry] = [one for one in city.quarantined() if name.encode() in (one.raw.value or b"")]
    raw = entry.raw.coordinates
    done = govbus.json("quarantine-work", "quarantine", "release", raw, "--why", "try", code=4)
    assert (done["events"][0]["outcome"], done["events"][0]["reason"]) == ("refused", "NOTHING_PENDING")
    assert state_of(govbus, raw) == "open"

    operator = KafkaRecordWriter(city.stack.kafka_config("operator"), f"operator.{uuid.uuid4().hex}")
    [offset] = operator.write([release(entry)])
    city.settle()
    found = govbus.json("explain", "explain", f"{RAW}:{entry.raw.partition}:{offset}")
    assert (found["outcome"], found["reason"]) == ("superseded", "NOTHING_PENDING")
    assert [items["name"] for items in city.of_record(row).values()] == ["现在的名字"]


@pytest.mark.requirement("A11-13")
def test_tail_of_a_grant_topic_is_masked_and_revealing_it_is_recorded(city: LiveCity, govbus: Govbus) -> None:
    row, name = city.new_id(), new_name()
    city.execute("police", insert(row, number(row % 90_000), name=name))
    city.settle()
    topic = city.topic_of(HEALTH)
    govbus.json("tail", "tail", topic, "-o", "beginning", "-e")
    masked = govbus("tail", topic, "-o", "beginning", "-e", "--json")
    lines = [json.loads(line) for line in masked.out.splitlines()]
    assert len(lines) == len(city.records(topic))
    assert name not in masked.out
    why = f"case {uuid.uuid4().hex}"
    revealed = govbus("tail", topic, "-o", "beginning", "-e", "--json", "--reveal", "--why", why)
    assert name in revealed.out
    [note] = [one for one in noted(city, topic) if one["govbus_reason"] == why]
    assert note["govbus_disposition"] == "revealed"


@pytest.mark.requirement("A5-04")
def test_claims_show_what_was_published_beside_what_the_owner_says(city: LiveCity, govbus: Govbus) -> None:
    row, claimed, owned = city.new_id(), new_name(), new_name()
    city.execute("police", insert(row, number(row % 90_000), name=owned))
    city.settle()
    columns = "id, id_number, name, address, insurance_type, enrolled_on, monthly_base, status, updated_at"
    values = (row, number(row % 90_000), claimed, "人社的地址", "110", date(2020, 1, 1), "5000.00", "1")
    statement = f"INSERT INTO public.enrolment ({columns}) VALUES ({'%s, ' * 8} now())"
    city.execute("social_security", (statement, values))
    city.settle("social_security")
    raw = raw_of(city, claimed, "raw.social_security.public.enrolment")
    arguments = ("claims", "list", "--provider", "social_security", "--differing")
    masked: Mapping[str, Any] = govbus.json("claims-list", *arguments)
    assert claimed not in json.dumps(masked, ensure_ascii=False)
    shown = govbus.json("claims-list", *arguments, "--reveal", "--why", "case 7")
    [claim] = [one for one in shown["claims"] if one["raw"] == raw and one["item"] == "name"]
    assert (claim["claimed"], claim["then"], claim["owner"]) == (claimed, owned, "police")
    later = new_name()
    city.execute("police", update(row, name=later))
    city.settle()
    shown = govbus.json("claims-list", *arguments, "--reveal", "--why", "case 8")
    [claim] = [one for one in shown["claims"] if one["raw"] == raw and one["item"] == "name"]
    assert (claim["then"], claim["current"], claim["agrees"]) == (owned, later, False)
    assert noted(city, "claims.social_security", "quarantine.social_security")


@pytest.mark.requirement("A5-02")
def test_two_rows_with_one_number_are_both_delivered_and_listed_until_one_is_corrected(
    city: LiveCity, govbus: Govbus
) -> None:
    first, second = city.new_id(), city.new_id()
    names, shared = (new_name(), new_name()), number(first % 90_000)
    city.execute("police", insert(first, shared, name=names[0]), insert(second, shared, name=names[1]))
    city.settle()
    assert list(city.of_record(first)) == list(city.of_record(second)) == [f"resident_id:{shared}"]
    assert set(names) <= {value["name"] for value in city.granted(HEALTH).values() if value is not None}

    def pairs(*more: str) -> list[dict[str, Any]]:
        answer = govbus.json("conflicts-list", "conflicts", "list", "--resource", PERSONS, *more)
        wanted = {str(first), str(second)}
        return [one for one in answer["conflicts"] if wanted & {side["record_id"] for side in one["records"]}]

    [pair] = pairs()
    sides = {side["record_id"]: side["raw"] for side in pair["records"]}
    assert sides == {str(row): raw_of(city, name) for row, name in zip((first, second), names, strict=True)}
    assert (pair["provider"], pair["identity"]) == ("police", "***")
    assert [one["identity"] for one in pairs("--reveal", "--why", "case 7")] == [f"resident_id:{shared}"]
    assert noted(city, CANONICAL)[-1]["govbus_disposition"] == "revealed"
    city.execute("police", renumber(second, number(second % 90_000)))
    city.settle()
    assert pairs() == []
    city.execute("police", delete(first), delete(second))


def test_audit_balance_closes_over_all_that_these_commands_wrote(city: LiveCity, govbus: Govbus) -> None:
    city.settle()
    assert govbus.json("audit-balance", "audit", "balance")["closed"] is True


def test_status_is_not_healthy_while_something_that_the_policy_needs_does_not_run(govbus: Govbus) -> None:
    def watch_is() -> tuple[int, bool, list[str]]:
        ended = govbus("status", "--json")
        states = [part["state"] for part in ended.answer["components"] if part["name"] == "watch"]
        return ended.code, ended.answer["healthy"], states

    assert govbus("run", "watch").code == 0
    # A connector that is just being restarted is no healthy one.
    wait_until(lambda: watch_is() == (0, True, ["running"]), "the bus to be healthy")
    try:
        assert govbus("run", "watch", "--instances", "0").code == 0
        assert watch_is() == (1, False, ["stopped"])
    finally:
        # Other tests of the city need it: a capture that failed is started again by nobody else.
        assert govbus("run", "watch").code == 0
