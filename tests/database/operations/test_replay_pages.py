"""Replays as pages: who may, the dry run before one is asked for, approval by another, what it came to."""

import csv
import io
import re
from typing import Any, Final

import pytest
import yaml

from services.control.accounts.actions import Action
from services.control.accounts.permissions import COLUMNS, PERMISSIONS, Reach
from services.control.accounts.roles import Role
from services.control.replays.asking import approves, asks
from services.control.replays.life import Order, Replay, State, Step
from services.control.replays.running import Runner
from services.control.store.replays import work
from services.ledger.replay.scope import Scope
from services.ledger.replay.words import Purpose
from tests.support.operating import EDUCATION_GRANT, HEALTH_GRANT, Operated
from tests.support.portal import Page, Reader
from topics.event import GrantId, ResourceId

RESOURCE: Final = "population.person.v1"
WHY: Final = {"reason": "yearly audit", "basis": "Audit Law, article 3"}
_ENGLISH: Final = re.compile(r"\b(?:the|and|is|of|nothing|was)\b", re.IGNORECASE)


@pytest.fixture
def auditor(portal: Operated) -> Reader:
    return portal.reader(Role.AUDITOR, department="data_bureau")


def asked(reader: Reader, **fields: str) -> str:
    """Ask on the page; where that leads."""
    sent = reader.send(reader.open("/replays/new"), "/replays/new", do="ask", **{**WHY, **fields})
    assert sent.status_code == 303, sent.text
    return sent.headers["location"]


def counted(reader: Reader, **fields: str) -> Page:
    return reader.sent(reader.open("/replays/new"), "/replays/new", do="count", **fields)


def known(portal: Operated, number: int) -> Replay:
    with portal.parts.database.reading() as connection:
        found = work.load(connection, number)
    assert found is not None
    return found


def requested(portal: Operated, purpose: Purpose = Purpose.AUDIT, who: str = "somebody") -> int:
    """A replay that somebody else asked for."""
    scope = Scope(resource=ResourceId(RESOURCE), grant=GrantId(HEALTH_GRANT))
    with portal.parts.database.begin() as connection:
        order = Order(purpose, scope, "yearly audit", "Audit Law, article 3", {})
        return work.request(connection, order, who, portal.clock.now).number


def run(portal: Operated, number: int) -> None:
    """Approve and run, as another person and a command do."""
    runner = Runner(portal.parts.database, portal.known(), None, portal.clock)  # type: ignore[arg-type]
    with portal.parts.database.begin() as connection:
        work.step(connection, number, Step.APPROVE, "bo", portal.clock.now)
    runner.run(number, "anna")


@pytest.mark.requirement("A11-02")
def test_a_replay_is_counted_asked_for_approved_by_another_and_its_result_stands_on_its_page(
    portal: Operated, auditor: Reader
) -> None:
    dry = counted(auditor, resource=RESOURCE)
    assert (dry.status, dry.faults) == (200, [])
    assert "Only counted; nothing was decided." in dry.text
    assert re.search(r"Records to decide \d*[1-9]", dry.text)
    assert dry.form("/replays/new").fields["resource"] == RESOURCE
    path = asked(auditor, resource=RESOURCE)
    page = auditor.open(path)
    assert page.faults == []
    assert "You asked for it: another person approves it." in page.text
    assert "approve" not in page.actions
    other = portal.reader(Role.OPERATOR, department="data_bureau")
    approved = other.sent(other.open(path), f"{path}/approve")
    assert "govbus replay run 1 --as " + str(other.person and other.person.login) in approved.text
    assert known(portal, 1).state is State.APPROVED
    Runner(portal.parts.database, portal.known(), None, portal.clock).run(1, "anna")  # type: ignore[arg-type]
    done = auditor.open(path)
    assert done.faults == []
    assert "Key, value and headers of every output are what the ledger recorded." in done.text
    assert "yearly audit" in done.text
    said = [("replay.request", "1", "yearly audit"), ("replay.approve", "1", "yearly audit")]
    assert portal.owed()[:2] == said
    assert "identical" in auditor.open("/replays").text


def test_who_asked_does_not_approve_though_he_sends_the_form_himself(
    portal: Operated, auditor: Reader
) -> None:
    path = asked(auditor, resource=RESOURCE)
    token = auditor.open(path).form("/logout").fields["csrf_token"]
    answer = auditor.client.post(f"{path}/approve", data={"csrf_token": token})
    assert answer.status_code == 403
    assert "another" in answer.text
    assert known(portal, 1).state is State.REQUESTED


def test_a_form_without_the_sessions_token_changes_nothing(portal: Operated, auditor: Reader) -> None:
    number = requested(portal)
    assert auditor.client.post(f"/replays/{number}/approve", data={}).status_code == 403
    assert auditor.client.post("/replays/new", data={**WHY, "purpose": "audit"}).status_code == 403
    assert known(portal, number).state is State.REQUESTED


@pytest.mark.parametrize("role", COLUMNS)
def test_pages_open_to_whom_the_table_names(portal: Operated, role: Role) -> None:
    reader = portal.reader(role, department="data_bureau")
    token = reader.open("/").form("/logout").fields["csrf_token"]

    def allowed(action: Action) -> bool:
        return PERMISSIONS[action].of(role) is not Reach.NONE

    number = requested(portal)
    looks = allowed(Action.REPLAY_LOOK)
    for path in ("/replays", f"/replays/{number}"):
        assert reader.look(path).status_code == (200 if looks else 403), path
    may_ask = allowed(Action.REPLAY_AUDIT) or allowed(Action.REPLAY_RUN)
    assert reader.look("/replays/new").status_code == (200 if may_ask else 403)
    for purpose in Purpose:
        fields = {**WHY, "csrf_token": token, "purpose": purpose.value, "grant": HEALTH_GRANT, "do": "ask"}
        sent = reader.client.post("/replays/new", data=fields)
        assert sent.status_code == (303 if allowed(asks(purpose)) else 403), purpose
        for step, action in (("approve", approves(purpose)), ("cancel", asks(purpose))):
            at = requested(portal, purpose)
            given = {"csrf_token": token, "confirm": str(at)}
            sent = reader.client.post(f"/replays/{at}/{step}", data=given)
            assert sent.status_code == (303 if looks and allowed(action) else 403), (purpose, step)


def test_cancelling_asks_for_the_number(portal: Operated, auditor: Reader) -> None:
    number = requested(portal)
    page = auditor.open(f"/replays/{number}")
    refused = auditor.sent(page, f"/replays/{number}/cancel", confirm="no")
    assert (refused.status, refused.faults) == (422, [])
    assert known(portal, number).state is State.REQUESTED
    done = auditor.sent(page, f"/replays/{number}/cancel", confirm=str(number))
    assert "It was cancelled." in done.text
    assert known(portal, number).state is State.CANCELLED
    again = auditor.client.post(
        f"/replays/{number}/cancel", data={**page.form(f"/replays/{number}/cancel").fields, "confirm": "1"}
    )
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "it is not said what it is about"),
        ({"resource": RESOURCE, "reason": " "}, "this is missing, too short or too long"),
        ({"resource": RESOURCE, "basis": "x" * 501}, "this is missing, too short or too long"),
        ({"resource": "r" * 201}, "no name is that long"),
        ({"from_offset": "1"}, "name the topic"),
        ({"topic": "raw.a", "to_offset": "1"}, "name the partition"),
        ({"topic": "raw.a", "partition": "-1"}, "this is no number"),
        ({"topic": "raw.a", "partition": "0", "from_offset": "5", "to_offset": "5"}, "give a later end"),
        ({"since": "2026-03-02T00:00", "until": "2026-03-01T00:00"}, "give a later end"),
        ({"since": "yesterday"}, "this is no moment"),
        ({"resource": RESOURCE, "throttle": "0"}, "nothing would ever be decided"),
        (
            {"purpose": "what-if", "resource": RESOURCE, "policy_version": "9999"},
            "there is no such version yet",
        ),
        ({"purpose": "what-if", "resource": RESOURCE, "declaration": "a: ["}, "this declares no grant"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_asked_for(
    portal: Operated, auditor: Reader, fields: dict[str, str], said: str
) -> None:
    page = auditor.sent(auditor.open("/replays/new"), "/replays/new", **{**WHY, "do": "ask", **fields})
    assert (page.status, page.faults) == (422, [])
    assert said in page.text
    for name, value in fields.items():
        if name in ("resource", "topic", "basis"):
            assert page.form("/replays/new").fields[name] == value, "what was typed stays"
    with portal.parts.database.reading() as connection:
        assert work.listed(connection) == []


def test_a_redelivery_names_its_grant(portal: Operated) -> None:
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    fields = {**WHY, "purpose": "redeliver", "resource": RESOURCE, "do": "ask"}
    page = operator.sent(operator.open("/replays/new"), "/replays/new", **fields)
    assert page.status == 422
    assert "a redelivery is under one grant" in page.text
    assert asked(operator, purpose="redeliver", grant=HEALTH_GRANT) == "/replays/1"
    assert "The authority" not in operator.open("/replays/1").text
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    sent = authority.sent(authority.open("/replays/1"), "/replays/1/approve")
    assert "--as LOGIN" in sent.text


def test_a_redelivery_goes_to_a_separate_topic_where_the_box_is_ticked(portal: Operated) -> None:
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    asked(operator, purpose="redeliver", grant=HEALTH_GRANT, separate="yes")
    asked(operator, purpose="redeliver", grant=HEALTH_GRANT)
    asked(operator, purpose="audit", grant=HEALTH_GRANT, separate="yes")
    assert [known(portal, number).order.separate for number in (1, 2, 3)] == [True, False, False]
    page = operator.open("/replays/1")
    assert page.faults == []
    assert "Delivered to a separate topic" in page.text
    assert "a separate topic" not in operator.open("/replays/2").text
    assert operator.open("/replays").text.count("a separate topic") == 1


def test_a_ticked_box_stays_ticked_when_something_else_is_wrong(portal: Operated) -> None:
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    fields = {**WHY, "purpose": "redeliver", "separate": "yes", "do": "ask"}
    page = operator.sent(operator.open("/replays/new"), "/replays/new", **fields)
    assert (page.status, page.faults) == (422, [])
    assert page.form("/replays/new").fields["separate"] == ["yes"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"grant": HEALTH_GRANT, "consumer": "education"}, "the grant is about something else"),
        ({"grant": HEALTH_GRANT, "topic": "raw.police.public.person"}, "the grant is about something else"),
        ({"grant": "nobody"}, "there is no such grant"),
    ],
)
def test_a_redelivery_is_about_nothing_but_its_grant(
    portal: Operated, fields: dict[str, str], said: str
) -> None:
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    sent = {**WHY, "purpose": "redeliver", "do": "ask", **fields}
    page = operator.sent(operator.open("/replays/new"), "/replays/new", **sent)
    assert (page.status, page.faults) == (422, [])
    assert said in page.text


def test_moments_are_official_time_and_the_end_is_left_out(portal: Operated, auditor: Reader) -> None:
    asked(auditor, since="2026-03-01T08:00", until="2026-03-01T09:00")
    scope = known(portal, 1).order.scope
    assert (scope.from_ms, scope.to_ms) == (1_772_323_200_000, 1_772_326_800_000)


def test_a_dry_run_says_what_it_cannot_count(portal: Operated, auditor: Reader) -> None:
    assert "No version of the policy knows" in counted(auditor, resource="nobody.knows.v1").text
    assert "Nothing was decided in this scope" in counted(auditor, since="2031-01-01T00:00").text
    portal.down = True
    down = counted(auditor, resource="population.person.v2")
    assert (down.status, down.faults) == (200, [])
    assert "It could not be counted: KafkaUnavailable" in down.text
    assert asked(auditor, resource=RESOURCE) == "/replays/1", "asking works without the bus"


def test_who_approves_can_count_first(portal: Operated, auditor: Reader) -> None:
    number = requested(portal)
    page = auditor.open(f"/replays/{number}?count=yes")
    assert (page.status, page.faults) == (200, [])
    assert "Records to decide" in page.text


def declared(portal: Operated) -> str:
    """Education's grant without one of its items."""
    grant = portal.memory.policy.grants[GrantId(EDUCATION_GRANT)].grant
    left = grant.items[:-1]
    masks = {name: mask for name, mask in grant.masks.items() if name in left}
    narrower = grant.model_copy(update={"items": left, "masks": masks})
    return str(yaml.safe_dump(narrower.model_dump(mode="json")))


@pytest.mark.requirement("A11-02")
def test_the_difference_of_a_what_if_is_a_table_by_grant_item_and_reason_and_a_file(
    portal: Operated, auditor: Reader
) -> None:
    path = asked(auditor, purpose="what-if", grant=EDUCATION_GRANT, declaration=declared(portal))
    run(portal, 1)
    rows: list[dict[str, Any]] = list((known(portal, 1).result or {})["rows"])
    assert rows
    with portal.parts.database.reading() as connection:
        (short,) = work.listed(connection, whole=False)
    assert short.result is not None
    assert (short.result["verdict"], "rows" in short.result) == ("different", False)
    item = portal.memory.policy.grants[GrantId(EDUCATION_GRANT)].grant.items[-1]
    page = auditor.open(path)
    assert page.faults == []
    assert f"{EDUCATION_GRANT} {item} shown not shown 1" in page.text
    file = auditor.look(f"{path}/difference.csv")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    read = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert [{**row, "records": str(row["records"])} for row in rows] == read
    assert auditor.open(f"{path}?grant={EDUCATION_GRANT}").text.count(item) >= 1
    assert item not in auditor.open(f"{path}?grant=other").text


def test_the_first_difference_of_an_audit_stands_on_its_page(portal: Operated, auditor: Reader) -> None:
    number = requested(portal)
    first = {"block": "ledger.delivery:0:7", "input": "resource.a:0:1-2", "part": "digest", "topic": "sub.x"}
    rest = {"partition": 0, "offset": 9, "recorded": "aa", "repeated": "bb", "event": None}
    counts = {"identical": 3, "different": 1, "not-retained": 0, "not-told": 0}
    result = {"verdict": "different", "records": 4, "outputs": 4, "blocks": counts, "copier_blocks": 2}
    with portal.parts.database.begin() as connection:
        work.step(connection, number, Step.APPROVE, "bo", portal.clock.now)
        work.step(connection, number, Step.START, "anna", portal.clock.now)
        work.note_progress(connection, number, {"done": 2, "of": 4, "rate": 1})
    running = auditor.open(f"/replays/{number}")
    assert "2 of 4 records, 1 a second" in running.text
    assert running.faults == []
    whole = {**result, "first_difference": first | rest, "chains": []}
    with portal.parts.database.begin() as connection:
        work.step(connection, number, Step.FINISH, "anna", portal.clock.now, "", whole)
    page = auditor.open(f"/replays/{number}")
    assert page.faults == []
    for each in ("ledger.delivery:0:7", "digest", "sub.x", "aa", "bb"):
        assert each in page.text
    assert "2 copier blocks not judged" in page.text
    assert "2 copier blocks not judged" in auditor.open("/replays").text


def test_a_failed_run_says_why_and_how_to_go_on(portal: Operated, auditor: Reader) -> None:
    number = requested(portal)
    with portal.parts.database.begin() as connection:
        work.step(connection, number, Step.APPROVE, "bo", portal.clock.now)
        work.step(connection, number, Step.START, "anna", portal.clock.now)
        why = {"verdict": "failed", "why": "KafkaUnavailable: nobody answers"}
        work.step(connection, number, Step.FAIL, "anna", portal.clock.now, "root@host", why)
    page = auditor.open(f"/replays/{number}")
    assert (page.status, page.faults) == (200, [])
    assert "KafkaUnavailable: nobody answers" in page.text
    assert f"govbus replay run {number} --as" in page.text
    assert "root@host" in page.text


def test_what_is_not_there_is_not_found(auditor: Reader, portal: Operated) -> None:
    number = requested(portal)
    for path in ("/replays/77", "/replays/x", "/replays/" + "9" * 30, f"/replays/{number}/difference.csv"):
        assert auditor.look(path).status_code == 404, path


def test_the_list_is_filtered_and_goes_on_below_its_last(portal: Operated, auditor: Reader) -> None:
    for _ in range(52):
        requested(portal)
    page = auditor.open("/replays")
    assert "/replays/52" in page.links
    assert "/replays/2" not in page.links
    (following,) = [link for link in page.links if "before=" in link]
    rest = auditor.open(following)
    assert {"/replays/1", "/replays/2"} <= set(rest.links)
    assert "No replay is like that." in auditor.open("/replays?state=done").text
    assert "/replays/52" in auditor.open("/replays?state=requested").links


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_pages_are_whole_in_both_languages(portal: Operated, language: str) -> None:
    reader = portal.reader(Role.AUDITOR, department="data_bureau", language=language)
    empty = reader.open("/replays")
    path = asked(reader, purpose="what-if", grant=EDUCATION_GRANT, declaration=declared(portal))
    waiting = reader.open(f"{path}?count=yes")
    run(portal, 1)
    audit = requested(portal)
    run(portal, audit)
    form = reader.open("/replays/new?purpose=what-if")
    wrong = reader.sent(form, "/replays/new", do="ask", since="x")
    pages = [empty, waiting, form, wrong, *map(reader.open, ("/replays", path, f"/replays/{audit}"))]
    for page in pages:
        assert page.status in (200, 422), page.text
        assert page.faults == [], page.path
        assert page.language == language
        if language == "zh-CN":
            spoken = page.text.replace("yearly audit", "").replace("Audit Law, article 3", "")
            assert not _ENGLISH.findall(spoken), (page.path, spoken)


def test_nothing_of_a_page_asks_the_bus_but_a_dry_run(portal: Operated, auditor: Reader) -> None:
    number = requested(portal)
    portal.down = True
    for path in ("/replays", f"/replays/{number}"):
        assert auditor.look(path).status_code == 200, path
