"""A decided case changes the running bus by itself, and so does one that is stopped: on the real stack."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import yaml

from services.cli.control import control_database, prepare_control
from services.cli.main import app
from services.cli.output import ExitCode, run
from services.control.acls import create_acls, read_acls
from services.control.apply import CorrectDefinitions
from services.control.catalogue import lifecycle
from services.control.clocks.calendar import civil_day
from services.control.definitions import packaged_definitions
from services.control.docket.written import application_document
from services.control.kafka_topics import end_offsets
from services.control.process.address import As
from services.control.provisioning.stopping import WITHDRAW
from services.control.stack_access import access_of
from services.control.state import Acl, Pattern, ResourceType, Right
from services.control.store.catalogue.dossiers import Change, EntryId, write
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.suspension.acts import read_acts
from tests.integration.apply_bench import DISTRICTS, EDUCATION, HEALTH, PERSONS, Bench, own_stack
from tests.integration.suspension_bench import (
    PARTITIONS,
    Reader,
    Writer,
    arrives,
    environment,
    silence,
    start_fanout,
    traffic,
)
from tests.support.desk import published
from tests.support.policy import sample_definitions
from tests.support.restoring import back_up, restore
from tests.support.sharing_cases import application
from tests.support.waiting import eventually
from tests.unit.cli.called import Ended, shape
from topics.delivery import read_delivery
from topics.engine.reference import ReferenceCodec
from topics.event import ConsumerId, GrantId, Operation, SourcePosition
from topics.grants.declaration import GrantState, RowFilter
from topics.resource import ShareType
from topics.wire import split

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

COMMANDS = typer.main.get_command(app)
CHEN, WANG, LI = "consumer:archives/chen", "provider:police/wang", "authority:data_bureau/li"
LIVE: Final = range(20)
"""Persons that the traffic updates; those with an even number are in the rows that are applied for."""
STRANGER: Final = Acl("consumer-tax", ResourceType.TOPIC, Pattern.PREFIXED, "sub.archives.", Right.READ)

SHARED: Final = {f"case-{one}": "case-act" for one in ("apply", "decide", "suspend", "resume", "terminate")}
"""Commands that answer alike."""

#: `govbus`, killed by the system once it has reported so many steps as done.
KILLED_PROGRAM: Final = """
import os, signal, sys
from services.control.provisioning.worker import ProvisioningWorker
nth, *arguments = sys.argv[1:]
original, calls = ProvisioningWorker._report_done, 0
def report(self, *given):
    global calls
    calls += 1
    if calls > int(nth):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self, *given)
ProvisioningWorker._report_done = report
sys.argv = ["govbus", *arguments]
from services.cli.__main__ import main
main()
"""


@dataclass
class City:
    """A bus with its control plane, and what a person at its shell does."""

    bench: Bench
    database: ControlDatabase

    def __call__(self, *arguments: str, code: int = ExitCode.OK) -> Any:
        ended = self.run(*arguments, "--json")
        assert ended.code == code, ended
        answer = ended.answer
        name = "-".join(arguments[:3] if arguments[1] == "credential" else arguments[:2])
        shape(SHARED.get(name, name)).validate(answer)
        return answer

    def run(self, *arguments: str) -> Ended:
        """A command in this process: a process of its own takes longer to start than most of them to end."""
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(lambda: COMMANDS(list(arguments)))
        return Ended(code, out.getvalue(), err.getvalue())

    def approved(self, **changes: Any) -> str:
        """The number of a case of the archives that was just approved."""
        today = civil_day(datetime.now(UTC))
        given: dict[str, Any] = {
            "applicant": ConsumerId("archives"),
            "rows": (RowFilter(item="household_district", values=(DISTRICTS[0],)),),
            "start": today,
            "end": today + timedelta(days=300),
        }
        path = self.bench.folder.parent / "application.yaml"
        content = application_document(application(**{**given, **changes}))
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        number = str(self("case", "apply", str(path), "--submit", "--for", CHEN)["number"])
        self("case", "decide", number, "--approve", "--for", WANG)
        return number

    def shown(self, number: str) -> Any:
        return self("case", "show", number)

    def grant(self, number: str) -> GrantId:
        return GrantId(self.shown(number)["grant"])

    def provision_killed(self, after: int) -> None:
        """Carry out what is owed, and be killed once so many steps are reported."""
        program = [sys.executable, "-c", KILLED_PROGRAM, str(after), "case", "provision"]
        ended = subprocess.run(
            program, env=environment(self.bench), capture_output=True, text=True, timeout=120, check=False
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("definitions") / "city"
    shutil.copytree(packaged_definitions(), folder)
    with own_stack() as stack, pytest.MonkeyPatch.context() as patch:
        bench = Bench(stack, access_of(stack), folder)
        for name, value in environment(bench).items():
            patch.setenv(name, value)
        patch.setenv("COLUMNS", "300")
        bench.apply()
        start_fanout(bench)
        prepare_control(stack, datetime.now(UTC))
        database = control_database(stack)
        found = City(bench, database)
        with database.begin() as connection:
            write(connection, [entry()])
        adopt = ("policy", "adopt", "national-2025", "yanjin-2019", "--dispute-level", "data_bureau")
        found(*adopt, "--reason", "the county's")
        yield found
        database.close()


def entry() -> Change:
    """The published entry of persons, shared conditionally."""
    declared = sample_definitions().resources[PERSONS]
    changes = {"share_type": ShareType.CONDITIONAL, "share_basis": "《户口登记条例》第三条"}
    who = lifecycle.Actor("wang", lifecycle.Role.PROVIDER, declared.provider)
    now = datetime.now(UTC)
    steps = (lifecycle.Step(1, lifecycle.Action.OPEN, None, lifecycle.State.DRAFT, who, now),)
    version = lifecycle.Version(1, published(declared.model_copy(update=changes)), lifecycle.State.PUBLISHED)
    return Change(EntryId(new_id(now)), None, lifecycle.Dossier(declared.provider, (version,), steps))


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


def state(city: City, grant: GrantId) -> GrantState:
    return city.bench.policy().grants[grant].grant.state


def rights(city: City, grant: GrantId) -> set[Acl]:
    topic = city.bench.policy().grants[grant].grant.topic
    return {acl for acl in read_acls(city.bench.access.admin()) if acl.name == topic}


def newest_states(bench: Bench) -> set[SourcePosition]:
    """Where the last state of each person stands who lives in the rows of the case now."""
    found = bench.policy().resources[PERSONS]
    codec = ReferenceCodec(json.loads(found.envelope_schema))
    last = {record.key: record.value for record in bench.read(found.resource.canonical_topic)}
    envelopes: list[Any] = [codec.decode(split(value)[1]) for value in last.values() if value is not None]
    return {
        SourcePosition(*(each[name] for name in ("generation", "incarnation", "commit", "ordinal")))
        for each in envelopes
        if each["operation"] != Operation.DELETE.value and each["state"]["household_district"] == DISTRICTS[0]
    }


def delivered(bench: Bench, grant: GrantId) -> set[SourcePosition]:
    """Where the records stand that a reader of the grant's topic ends up with."""
    return {read_delivery(record.headers).position for record in bench.held(grant).values()}


def assert_no_gap_and_no_regress(bench: Bench, grant: GrantId) -> None:
    eventually(lambda: delivered(bench, grant) == newest_states(bench), 30, lambda: "all states to arrive")
    last: dict[bytes, tuple[int, SourcePosition]] = {}
    for record in bench.read(bench.policy().grants[grant].grant.topic):
        delivery, key = read_delivery(record.headers), record.key or b""
        place = (delivery.grant_generation, delivery.position)
        assert key not in last or last[key] <= place, record.coordinates
        last[key] = place


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
    fetched = [fetch(city, code) for _ in range(2)]
    assert [each.returncode for each in fetched] == [ExitCode.OK, ExitCode.REFUSED]
    credential = json.loads(fetched[0].stdout.splitlines()[-1])
    assert credential["username"] == "consumer-archives"
    with (
        traffic(writer, LIVE),
        Reader(city.bench, city.grant(active), "archives", credential) as reader,
    ):
        arrives(reader)


def fetch(city: City, code: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "services.cli", "grant", "credential", "fetch"]
    return subprocess.run(
        program,
        env=environment(city.bench),
        input=f"{code}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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
    stop = ("--reason", "NO_LONGER_NEEDED", "--text", "a test", "--for", LI)
    city("case", "terminate", number, *stop)


@pytest.mark.requirement("A8-05")
def test_a_suspended_case_stops_with_a_receipt_and_is_resumed_by_an_epoch(
    city: City, writer: Writer, active: str
) -> None:
    bench, grant = city.bench, city.grant(active)
    topic = bench.policy().grants[grant].grant.topic
    stop = ("--reason", "RISK", "--text", "a leak is suspected", "--for", LI)
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
    assert (refused.code, "suspended by its case" in refused.err) == (ExitCode.REFUSED, True)
    writer.write((50, Operation.UPDATE, DISTRICTS[1]))
    writer.remove(52)
    city("case", "resume", active, "--text", "it is mended", "--for", LI)
    with traffic(writer, LIVE):
        assert city("case", "provision")["failed"] == []
    assert city.shown(active)["state"] == "active"
    assert_no_gap_and_no_regress(bench, grant)
    assert len(bench.held(grant)) == 28


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
    city("case", "terminate", active, "--reason", "BASIS_GONE", "--text", "the duty ended", "--for", LI)
    assert city("case", "provision")["waiting"] == []
    assert state(city, grant) is GrantState.REVOKED
    receipt = city.shown(active)["requests"][-1]["note"].removeprefix("receipt ")
    assert json.loads(receipts(bench, receipt).read_text(encoding="utf-8"))["state"] == "revoked"
    acts = read_acts(bench.access.admin(), bench.access.kafka_config("apply"))
    assert grant in {act.object for act in acts if act.what == WITHDRAW}
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
