"""A sink exists while its grant may be read, logs in as its department, and says what its database lacks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from producers.connect_client import Written
from services.control import sinks
from services.control.access import Access, CaptureSource
from services.control.definitions import load_definitions, packaged_definitions
from services.control.desired import Declared, desired_state
from services.control.difference import StepKind, difference
from services.control.rights import rights
from services.control.sink_target import Found, Target, judge_target
from services.control.sinks import SinkWork, desired_sinks, jdbc_url
from services.control.state import Acl, LiveState, Pattern, ResourceType, Right
from tests.support.access import access as closed
from tests.support.access import never
from topics.event import GrantId
from topics.grants.declaration import GrantState
from topics.grants.projection import projected_schema
from topics.sink import Sink

CITY = load_definitions(packaged_definitions())
EDUCATION, TAX = GrantId("education-persons"), GrantId("tax-enterprises")
NAME = "sink.education-persons"
SOURCE = CaptureSource("db.education.example", 5432, "school places", "writer", "secret")
DECLARED = Declared(
    CITY.providers, CITY.consumers, CITY.resources, CITY.grants, CITY.code_lists, CITY.item_schemas
)
SINK = Sink(grant=EDUCATION, database="education_copy", table="public.person")


def with_sinks(*declared: Sink, **values: Any) -> Declared:
    return replace(DECLARED, sinks={sink.grant: sink for sink in declared}, **values)


def with_grant(grant: GrantId, **values: Any) -> dict[GrantId, Any]:
    return {**DECLARED.grants, grant: DECLARED.grants[grant].model_copy(update=values)}


class PlayedConnect:
    """Takes what it is given."""

    def __init__(self) -> None:
        self.configs: dict[str, Mapping[str, str]] = {}
        self.deleted: list[str] = []

    def put_config(self, name: str, config: Mapping[str, str]) -> Written:
        self.configs[name] = config
        return Written.CREATED

    def delete(self, name: str) -> None:
        self.deleted.append(name)

    def close(self) -> None:
        return


def access(folder: Path, connect: Any = never, source: CaptureSource | None = SOURCE) -> Access:
    return replace(
        closed(folder),
        connect=connect,
        capture_source=lambda name: source if name == "education_copy" else None,
    )


def test_a_sink_reads_its_grant_s_topic_and_is_keyed_as_that_topic_is(tmp_path: Path) -> None:
    [(name, sink)] = desired_sinks(with_sinks(SINK), access(tmp_path)).wanted.items()
    assert name == sink.config["name"] == NAME
    assert sink.config["topics"] == "sub.education.population.person.v1.education-persons"
    assert sink.config["primary.key.fields"] == "pseudonym"
    assert sink.config["errors.deadletterqueue.topic.name"] == "parked.education"
    everything = Sink(grant=TAX, database="education_copy", table="public.enterprise")
    [tax] = desired_sinks(with_sinks(everything), access(tmp_path)).wanted.values()
    assert tax.config["primary.key.fields"] == "identity,record_id"


@pytest.mark.requirement("A8-05")
@pytest.mark.parametrize(
    "without",
    [
        {"grants": with_grant(EDUCATION, state=GrantState.SUSPENDED)},
        {"grants": with_grant(EDUCATION, state=GrantState.REVOKED)},
        {"day": date(2035, 1, 1)},
        {"day": date(2024, 12, 31)},
        {"grants": {}},
        {"consumers": {}},
    ],
)
def test_a_sink_goes_with_its_grant_and_its_department(tmp_path: Path, without: dict[str, Any]) -> None:
    declared = with_sinks(SINK, **without)
    assert desired_sinks(declared, access(tmp_path)).wanted == {}
    group = f"connect-{NAME}"
    assert group not in {acl.name for acl in desired_state(declared).acls}
    live = LiveState(connectors={NAME: {}})
    plan = difference(desired_state(declared), live, [], None, {})
    assert [step.target for step in plan.of(StepKind.DELETE_CONNECTOR)] == [NAME]


@pytest.mark.parametrize("day", [date(2025, 1, 1), date(2034, 12, 31)])
def test_a_sink_is_there_on_the_first_and_on_the_last_day_of_its_grant(tmp_path: Path, day: date) -> None:
    assert set(desired_sinks(with_sinks(SINK, day=day), access(tmp_path)).wanted) == {NAME}


def test_a_capture_that_nobody_declares_is_not_deleted() -> None:
    plan = difference(desired_state(DECLARED), LiveState(connectors={"capture.old": {}}), [], None, {})
    assert plan.of(StepKind.DELETE_CONNECTOR) == []


def test_the_department_may_read_in_the_sink_s_group_and_connect_gets_no_right_at_all() -> None:
    plain = rights(CITY.providers, CITY.consumers, CITY.resources, CITY.grants.values())
    found = rights(CITY.providers, CITY.consumers, CITY.resources, CITY.grants.values(), sinks=[EDUCATION])
    group = Acl("consumer-education", ResourceType.GROUP, Pattern.LITERAL, f"connect-{NAME}", Right.READ)
    assert found - plain == {group}


def test_a_sink_whose_connection_is_not_known_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    found = desired_sinks(with_sinks(SINK), access(tmp_path, source=None))
    assert dict(found.wanted) == {}
    assert found.unknown == {NAME}
    assert found.notes == ("no sink of education-persons: there is no connection secret set education_copy",)


def test_the_driver_is_told_to_quote_no_row_in_its_errors() -> None:
    assert jdbc_url(SOURCE).startswith("jdbc:postgresql://db.education.example:5432/school%20places?")
    assert "logServerErrorDetail=false" in jdbc_url(SOURCE)
    assert "secret" not in jdbc_url(SOURCE)


def carried_out(
    folder: Path, declared: Declared, monkeypatch: pytest.MonkeyPatch, *problems: dict[str, str]
) -> tuple[PlayedConnect, SinkWork]:
    monkeypatch.setattr(sinks, "target_problems", lambda _source, _target: list(problems))
    connect = PlayedConnect()
    way = access(folder, connect=lambda: connect)
    work = SinkWork(way, desired_sinks(declared, way), lambda _text: None)
    work.carry_out(["sink.gone"], [NAME, "capture.police"])
    return connect, work


def test_a_login_is_handed_to_connect_for_departments_with_a_sink_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "consumer-health.properties").write_text("user=consumer-health\n")
    (tmp_path / "police.properties").write_text("user=capture\n")
    connect, work = carried_out(tmp_path, with_sinks(SINK), monkeypatch)
    assert {path.name for path in tmp_path.iterdir()} == {
        "consumer-education.properties",
        "police.properties",
    }
    login = tmp_path / "consumer-education.properties"
    assert login.read_text() == "user=consumer-education\npassword=password of consumer-education\n"
    assert login.stat().st_mode & 0o777 == 0o600
    assert (list(connect.configs), connect.deleted) == ([NAME], ["sink.gone"])
    assert work.connectors == {"sink.gone": "deleted", NAME: "created"}


def test_a_database_that_is_not_ready_holds_its_sink_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = {"what": "there is no table", "remedy": "CREATE TABLE"}
    connect, work = carried_out(tmp_path, with_sinks(SINK), monkeypatch, problem)
    assert connect.configs == {}
    assert work.held_back == {NAME: [problem]}


TARGET = Target(
    "public",
    "person",
    ("pseudonym",),
    projected_schema(CITY.item_schemas[CITY.grants[EDUCATION].resource], CITY.grants[EDUCATION]),
)
COLUMNS = {"pseudonym": True, "name": False, "birth_date": False, "household_district": False}
WELL = Found(COLUMNS, (frozenset({"pseudonym"}),), ())


def test_the_table_that_is_asked_for_has_the_key_and_every_item() -> None:
    assert TARGET.create_sql() == (
        'CREATE TABLE "public"."person" (\n'
        '  "pseudonym" text,\n  "name" text,\n  "birth_date" date,\n  "household_district" text,\n'
        '  PRIMARY KEY ("pseudonym")\n);'
    )


@pytest.mark.parametrize(
    ("found", "evolves", "remedies"),
    [
        (WELL, False, []),
        (replace(WELL, columns={**COLUMNS, "seen_at": False}), False, []),
        (
            replace(WELL, columns={"pseudonym": True, "name": False}),
            False,
            [
                'ALTER TABLE "public"."person" '
                'ADD COLUMN "birth_date" date, ADD COLUMN "household_district" text;'
            ],
        ),
        (replace(WELL, columns={"pseudonym": True, "name": False}), True, []),
        (
            replace(WELL, columns={"pseudonym": True, "birth_date": False, "household_district": False}),
            True,
            ['ALTER TABLE "public"."person" ADD COLUMN "name" text;'],
        ),
        (replace(WELL, unique=()), False, ['ALTER TABLE "public"."person" ADD PRIMARY KEY ("pseudonym");']),
        (
            replace(WELL, unique=(frozenset({"pseudonym", "name"}),)),
            True,
            ['ALTER TABLE "public"."person" ADD PRIMARY KEY ("pseudonym");'],
        ),
        (
            replace(WELL, columns={**COLUMNS, "clerk": True}),
            False,
            ['ALTER TABLE "public"."person" ALTER COLUMN "clerk" DROP NOT NULL;'],
        ),
        (
            replace(WELL, missing_rights=("DELETE",)),
            False,
            ['GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."person" TO "writer";'],
        ),
    ],
)
def test_what_a_table_lacks_is_said_with_the_sql_that_mends_it(
    found: Found, evolves: bool, remedies: list[str]
) -> None:
    problems = list(judge_target(replace(TARGET, evolves=evolves), found, "writer"))
    assert [problem["remedy"] for problem in problems] == remedies
