"""A decided case changes the running bus by itself, and so does one that is stopped: on the real stack."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from services.cli.control import control_database
from services.cli.output import ExitCode
from services.control.acls import create_acls, read_acls
from services.control.apply import CorrectDefinitions
from services.control.kafka_topics import end_offsets
from services.control.process.address import As
from services.control.state import Acl, Pattern, ResourceType, Right
from services.control.suspension.acts import ActWord, read_acts
from tests.integration.apply_bench import DISTRICTS, EDUCATION, HEALTH, Bench
from tests.integration.city_of_cases import (
    LI,
    LIVE,
    City,
    assert_no_gap_and_no_regress,
    opened_city,
    rights,
    state,
)
from tests.integration.credential_bench import fetch, handed_over, let_expire, opens
from tests.integration.suspension_bench import (
    PARTITIONS,
    Reader,
    Writer,
    arrives,
    silence,
    traffic,
)
from tests.support.restoring import back_up, restore
from tests.support.waiting import eventually
from topics.event import GrantId, Operation
from topics.grants.declaration import GrantState

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

STRANGER: Final = Acl("consumer-tax", ResourceType.TOPIC, Pattern.PREFIXED, "sub.archives.", Right.READ)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with opened_city(tmp_path_factory.mktemp("definitions") / "city") as found:
        yield found


@pytest.fixture(scope="module")
def writer(city: City) -> Writer:
    found = Writer(city.bench)
    found.write(*((number, Operation.CREATE, None) for number in range(60)))
    eventually(lambda: len(city.bench.held(HEALTH)) == 30, 60)
    return found


@pytest.fixture(scope="module")
def active(city: City, writer: Writer) -> str:
    """The number of a case that was carried out under live updates."""
    number = city.approved()
    with traffic(writer, LIVE):
        done = city("case", "provision")
    assert (done["waiting"], done["failed"]) == ([], [])
    return number


def test_grants_of_files_become_cases_once_and_apply_then_refuses_files(city: City) -> None:
    bench = city.bench
    before = bench.policy()
    imported = city("grant", "import", "--reason", "cases begin", "--definitions", str(bench.folder))
    assert {case["grant"] for case in imported["cases"]} == set(before.grants)
    after = bench.policy()
    assert (after.by_cases, after.grants) == (True, before.grants)
    with pytest.raises(CorrectDefinitions, match="cases decide about grants"):
        bench.apply()
    shutil.rmtree(bench.folder / "grants")
    assert bench.steps() == [], "topics, rights and schemas of grants are taken from the policy"
    bench.apply()
    assert bench.policy().grants == before.grants
    assert city("grant", "drift")["findings"] == []
    # The sample city's own files cannot lose that folder: they count without it.
    planned = city.run("plan", "--json")
    assert (planned.code, planned.answer["refusals"]) == (ExitCode.OK, [])


@pytest.mark.requirement("A6-05")
def test_an_approved_case_is_delivered_without_gap_or_regress_under_live_updates(
    city: City, writer: Writer, active: str
) -> None:
    bench, shown, grant = city.bench, city.shown(active), city.grant(active)
    assert shown["state"] == "active"
    assert {step["progress"] for step in shown["steps"]} == {"done"}
    assert [each["outcome"] for each in shown["requests"]] == ["done", "done"]
    assert state(city, grant) is GrantState.ACTIVE
    assert {(acl.user, acl.right) for acl in rights(city, grant)} == {("consumer-archives", Right.READ)}
    assert_no_gap_and_no_regress(bench, grant)
    assert len(bench.held(grant)) == 30
    assert grant in {each["grant"] for each in city("grant", "list")["grants"]}
    assert bench.steps() == [("write-credentials", "consumer-archives")]
    bench.apply()
    assert state(city, grant) is GrantState.ACTIVE


def test_the_consumer_fetches_its_credential_once_and_reads_with_it(
    city: City, writer: Writer, active: str
) -> None:
    code = city("grant", "credential", "issue", active)["code"]
    fetched = [fetch(city.bench, code) for _ in range(2)]
    assert [each.returncode for each in fetched] == [ExitCode.OK, ExitCode.REFUSED]
    credential = json.loads(fetched[0].stdout.splitlines()[-1])
    assert credential["username"] == "consumer-archives"
    with (
        traffic(writer, LIVE),
        Reader(city.bench, city.grant(active), "archives", credential) as reader,
    ):
        arrives(reader)


def test_a_new_credential_shuts_the_old_one_out_and_an_expired_one_opens_nothing(
    city: City, active: str
) -> None:
    bench = city.bench
    old = handed_over(bench, city("grant", "credential", "issue", active)["code"])
    code = city("credential", "rotate", "archives")["code"]
    assert opens(bench, old), "the order alone changes nothing"
    new = handed_over(bench, code)
    assert (new["version"], fetch(bench, code).returncode) == (old["version"] + 1, ExitCode.REFUSED)
    eventually(lambda: not opens(bench, old), 10)
    assert opens(bench, new)
    let_expire(bench, city.database)
    eventually(lambda: not opens(bench, new), 10)
    assert not opens(bench, old)
    shown = city("credential", "show", "archives")["versions"]
    assert [each["standing"] for each in shown] == ["over", "replaced"]
    assert bench.steps() == [("write-credentials", "consumer-archives")]
    again = handed_over(bench, city("credential", "rotate", "archives")["code"])
    assert opens(bench, again)
    bench.apply()
    assert bench.credentials("archives")["password"] == again["password"]
    assert opens(bench, again)


# After the policy version; after other steps, in the long tests.
@pytest.mark.parametrize(
    "steps", [pytest.param(n, marks=() if n == 4 else pytest.mark.soak) for n in range(1, 7)]
)
def test_killed_between_two_steps_the_next_worker_finishes(city: City, writer: Writer, steps: int) -> None:
    number = city.approved(items=("name", "household_district"))
    with traffic(writer, LIVE):
        city.provision_killed(steps)
        assert city.shown(number)["state"] == "provisioning"
        assert city("case", "provision")["failed"] == []
    shown = city.shown(number)
    assert shown["state"] == "active"
    assert {step["attempts"] for step in shown["steps"]} == {1}
    assert_no_gap_and_no_regress(city.bench, city.grant(number))
    stop = ("--reason", "NO_LONGER_NEEDED", "--text", "a test", "--as", LI)
    city("case", "terminate", number, *stop)


@pytest.mark.requirement("A8-05")
def test_a_suspended_case_stops_with_a_receipt_and_is_resumed_by_an_epoch(
    city: City, writer: Writer, active: str
) -> None:
    bench, grant = city.bench, city.grant(active)
    topic = bench.policy().grants[grant].grant.topic
    stop = ("--reason", "RISK", "--text", "a leak is suspected", "--as", LI)
    with traffic(writer, LIVE), Reader(bench, grant, "archives") as reader:
        arrives(reader)
        city("case", "suspend", active, *stop)
        assert city("case", "provision")["waiting"] == []
        silence(reader)
    receipt = city.shown(active)["requests"][-1]["note"].removeprefix("receipt ")
    proof = city("grant", "receipt", receipt)
    assert proof["by"].startswith("console:")
    cut = {int(partition): offset for partition, offset in proof["grants"][0]["cut"].items()}
    assert cut == end_offsets(bench.access.admin(), topic, PARTITIONS, stable=False)
    assert not any(acl.allow for acl in rights(city, grant))
    assert state(city, GrantId(EDUCATION)) is GrantState.ACTIVE
    refused = city.run("grant", "resume", grant, "--reason", "settled", "--yes", grant)
    assert (refused.code, "belongs to a case" in refused.err) == (ExitCode.REFUSED, True)
    writer.write((50, Operation.UPDATE, DISTRICTS[1]))
    writer.remove(52)
    city("case", "resume", active, "--text", "it is mended", "--as", LI)
    with traffic(writer, LIVE):
        assert city("case", "provision")["failed"] == []
    assert city.shown(active)["state"] == "active"
    assert_no_gap_and_no_regress(bench, grant)
    assert len(bench.held(grant)) == 28


@pytest.mark.alone
@pytest.mark.requirement("A8-05")
def test_an_order_of_the_switch_suspends_the_case_which_alone_lifts_it_and_records_flow_again(
    city: City, writer: Writer, active: str
) -> None:
    bench, grant = city.bench, city.grant(active)
    why = ("--reason", "data found on a market", "--stop-reason", "UNLAWFUL_USE")
    with traffic(writer, LIVE), Reader(bench, grant, "archives") as reader:
        arrives(reader)
        receipt = city("grant", "suspend", grant, *why, "--yes", grant)
        assert receipt["steps"]["read_removed"] - receipt["requested_ms"] <= 2_000
        silence(reader)
    assert city("case", "provision")["waiting"] == []
    shown = city.shown(active)
    event, request = shown["events"][-1], shown["requests"][-1]
    assert (shown["state"], event["action"], event["order"]) == ("suspended", "suspend", receipt["id"])
    assert (event["who"]["person"], event["text"]) == (receipt["by"], receipt["reason"])
    assert event["stop_reason"] == "UNLAWFUL_USE"
    assert (request["outcome"], request["receipt"]) == ("done", receipt["id"])
    assert suspensions(bench, grant)[-1:] == [receipt["id"]], "no second order was carried out"
    assert list(bench.policy().holds) == [receipt["id"]]
    refused = city.run("grant", "resume", grant, "--reason", "settled", "--yes", grant)
    assert (refused.code, "belongs to a case" in refused.err) == (ExitCode.REFUSED, True)
    writer.remove(54)
    city("case", "resume", active, "--text", "it is mended", "--as", LI)
    with traffic(writer, LIVE):
        assert city("case", "provision")["failed"] == []
        with Reader(bench, grant, "archives") as reader:
            arrives(reader)
    assert city.shown(active)["state"] == "active"
    [counted] = [each for each in city.shown(active)["requests"] if each["event"] == shown["version"] + 1]
    assert (counted["records"], counted["withdrawn"] >= 1) == (len(bench.held(grant)), True)
    assert bench.policy().holds == {}
    assert_no_gap_and_no_regress(bench, grant)
    assert city("grant", "drift")["findings"] == []


def suspensions(bench: Bench, grant: GrantId) -> list[str]:
    """The ids of the suspensions of a grant in the ledger, oldest first."""
    acts = read_acts(bench.access.admin(), bench.access.kafka_config("apply"))
    return [act.id for act in acts if (act.what, act.object) == (ActWord.SUSPEND, grant)]


def test_drift_is_found_and_what_is_too_much_goes(city: City, active: str) -> None:
    admin = city.bench.access.admin()
    assert city("grant", "drift")["findings"] == []
    create_acls(admin, [STRANGER])
    [found] = city("grant", "drift", code=ExitCode.NEGATIVE)["findings"]
    assert (found["kind"], found["repaired"]) == ("strange_right", False)
    [repaired] = city("grant", "drift", "--repair")["findings"]
    assert repaired["repaired"]
    eventually(lambda: STRANGER not in read_acls(admin), 10)


@pytest.mark.requirement("A8-05")
def test_a_terminated_case_is_withdrawn_and_a_restored_old_database_does_not_bring_it_back(
    city: City, writer: Writer, active: str
) -> None:
    bench, grant = city.bench, city.grant(active)
    # Who backs up and restores owns the tables, which the program's own login does not.
    owner = control_database(bench.stack, As.OWNER)
    back_up(owner)
    city("case", "terminate", active, "--reason", "BASIS_GONE", "--text", "the duty ended", "--as", LI)
    assert city("case", "provision")["waiting"] == []
    assert state(city, grant) is GrantState.REVOKED
    receipt = city.shown(active)["requests"][-1]["note"].removeprefix("receipt ")
    assert json.loads(receipts(bench, receipt).read_text(encoding="utf-8"))["state"] == "revoked"
    acts = read_acts(bench.access.admin(), bench.access.kafka_config("apply"))
    assert grant in {act.object for act in acts if act.what == ActWord.WITHDRAW}
    restore(owner)
    owner.close()
    assert city.shown(active)["state"] == "active"
    [found] = city("grant", "drift", "--repair", code=ExitCode.REFUSED)["findings"]
    assert (found["kind"], found["grant"], found["repaired"]) == ("older_database", grant, False)
    city("case", "provision")
    assert state(city, grant) is GrantState.REVOKED
    assert not any(acl.allow for acl in rights(city, grant))


def receipts(bench: Bench, name: str) -> Path:
    return bench.stack.settings.home / "receipts" / f"{name}.json"
