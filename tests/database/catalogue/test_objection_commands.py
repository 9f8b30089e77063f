"""`govbus catalogue objection` and `govbus notice` on a real database, as accounts that may."""

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from services.cli import notice
from services.cli.output import ExitCode
from services.control.sending.courier import Means
from services.control.sending.webhook import Reach
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX
from tests.database.catalogue.test_derived_commands import Call, answered, govbus
from tests.support.stored_catalogue import brought, numbered, opened

__all__ = ["govbus"]


def objection(govbus: Call, *arguments: str, like: str = "step", code: ExitCode = ExitCode.OK) -> Any:
    like = f"catalogue-objection-{like}"
    return answered(govbus, "catalogue", "objection", *arguments, like=like, code=code)


@pytest.fixture
def published(control_database: ControlDatabase) -> str:
    """The code of a published entry of the police."""
    with control_database.begin() as connection:
        stored = brought(connection, opened(connection, numbered(1)))
    return str(stored.dossier.versions[-1].entry.code)


@pytest.mark.requirement("A10-04")
def test_an_objection_is_made_answered_and_listed(
    govbus: Call, published: str, control_database: ControlDatabase
) -> None:
    made = objection(govbus, "make", published, "--as", "chen", "--why", "应当开放")["objection"]
    number = str(made["number"])
    assert (made["state"], made["department"]) == ("received", "health")
    bare = objection(govbus, "step", "deny", number, "--as", "wang", code=ExitCode.REFUSED)
    assert {each["code"] for each in bare["problems"]} == {"TEXT_MISSING", "BASIS_MISSING"}
    stranger = ("step", "accept", number, "--as", "sun")
    assert govbus("catalogue", "objection", *stranger).code == ExitCode.REFUSED
    reasons = ("--why", "涉及个人信息", "--basis", "《个人信息保护法》")
    denied = ("step", "deny", number, "--as", "wang", *reasons)
    assert objection(govbus, *denied)["objection"]["state"] == "denied"
    (line,) = objection(govbus, "list", like="list")["objections"]
    assert (line["number"], line["due_on"]) == (int(number), None)
    shown = objection(govbus, "show", number, like="show")
    assert [each["action"] for each in shown["events"]] == ["deny"]
    assert "涉及个人信息" in govbus("catalogue", "objection", "show", number).out
    assert govbus("catalogue", "objection", "show", "99").code == ExitCode.NEGATIVE
    with control_database.begin() as connection:
        rows = connection.execute(OUTBOX.select().where(OUTBOX.c.what.startswith("objection.")))
        acts = [(row.what, row.who.partition(":")[0], "for" in row.facts) for row in rows]
    assert acts == [("objection.object", "console", True), ("objection.deny", "console", True)]


def test_addresses_of_notices_are_added_listed_rotated_and_removed(
    govbus: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    means = Means("https://portal", "govbus@localhost", None, Reach(), b"m" * 32, lookup=_resolved)
    monkeypatch.setattr(notice, "_means", lambda: means)
    mail = _notice(govbus, "add", "email", "office@health.example.cn", "--as", "chen")
    assert (mail["address"]["department"], mail["secret"]) == ("health", None)
    again = govbus("notice", "add", "email", "office@health.example.cn", "--as", "chen")
    assert again.code == ExitCode.REFUSED
    assert govbus("notice", "add", "email", "office", "--as", "chen").code == ExitCode.REFUSED
    hook = _notice(govbus, "add", "webhook", "https://hook.example.cn/x", "--as", "chen")
    assert hook["secret"]
    inside = govbus("notice", "add", "webhook", "https://inside.example.cn/x", "--as", "chen")
    assert (inside.code, "must not be reached" in inside.err) == (ExitCode.REFUSED, True)
    number = str(hook["address"]["number"])
    assert govbus("notice", "rotate", number, "--as", "wang").code == ExitCode.REFUSED
    rotated = _notice(govbus, "rotate", number, "--as", "chen")
    assert rotated["secret"] != hook["secret"]
    assert not _notice(govbus, "remove", number, "--as", "chen")["address"]["active"]
    assert govbus("notice", "remove", number, "--as", "chen").code == ExitCode.NEGATIVE
    assert govbus("notice", "rotate", number, "--as", "chen").code == ExitCode.NEGATIVE
    listed = answered(govbus, "notice", "addresses", "health", like="notice-addresses")["addresses"]
    assert [(each["way"], each["active"]) for each in listed] == [("email", True), ("webhook", False)]
    assert "office@health.example.cn" in govbus("notice", "addresses", "health").out


def _notice(govbus: Call, *arguments: str | Path) -> dict[str, Any]:
    return answered(govbus, "notice", *arguments, like="notice-address")


def _resolved(host: str, _port: int) -> Any:
    return [ip_address("10.0.0.7" if host.startswith("inside") else "8.8.8.8")]
