"""A bus with its control plane for tests of cases on the real stack: what a person does at its shell."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
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
from services.control.acls import read_acls
from services.control.catalogue import lifecycle
from services.control.clocks.calendar import civil_day
from services.control.definitions import packaged_definitions
from services.control.docket.written import application_document
from services.control.stack_access import access_of
from services.control.state import Acl
from services.control.store.catalogue.dossiers import Change, EntryId, write
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from tests.integration.apply_bench import DISTRICTS, PERSONS, Bench, own_stack
from tests.integration.suspension_bench import environment, start_fanout
from tests.support.desk import published
from tests.support.policy import sample_definitions
from tests.support.sharing_cases import application
from tests.support.staff import staffed
from tests.support.waiting import eventually
from tests.unit.cli.called import Ended, shape
from topics.delivery import read_delivery
from topics.engine.reference import ReferenceCodec
from topics.event import ConsumerId, GrantId, Operation, SourcePosition
from topics.grants.declaration import GrantState, RowFilter
from topics.resource import ShareType
from topics.wire import split

COMMANDS = typer.main.get_command(app)
QIAN, WANG, LI = "qian", "wang", "li"
LIVE: Final = range(20)
"""Persons that the traffic updates; those with an even number are in the rows that are applied for."""

SHARED: Final = {
    **{f"case-{one}": "case-act" for one in ("apply", "decide", "suspend", "resume", "terminate")},
    "grant-suspend": "grant-receipt",
}
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
        number = str(self("case", "apply", str(path), "--submit", "--as", QIAN)["number"])
        self("case", "decide", number, "--approve", "--as", WANG)
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


@contextmanager
def opened_city(folder: Path) -> Iterator[City]:
    """A stack of its own with the sample definitions in a folder, adopted policy packs and one entry."""
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
            staffed(connection)
            write(connection, [entry()])
        adopt = ("policy", "adopt", "national-2025", "yanjin-2019", "--dispute-level", "data_bureau")
        found(*adopt, "--reason", "the county's", "--as", LI)
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
