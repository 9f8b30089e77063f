"""`govbus publish` before anything is sent: what is wrong with the call is said, and is no answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from producers.publisher import PrepareTopic
from services.cli import publish as command
from services.cli.main import app
from services.cli.output import ExitCode, run

RESOURCE = "licence.permit.v1"
SECRET = "never-shown"
LOGIN = {
    "bootstrap": "127.0.0.1:1",
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "SCRAM-SHA-512",
    "username": "provider-x",
    "password": SECRET,
    "registry": {"url": "http://127.0.0.1:1", "username": "x", "password": SECRET},
}


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("GOVBUS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "rows.csv").write_text("a\n")

    def publish(*arguments: str) -> tuple[int, str]:
        code = run(lambda: app(["publish", RESOURCE, str(tmp_path / "rows.csv"), *arguments]))
        told = capsys.readouterr()
        assert told.out == ""
        assert "Traceback" not in told.err
        assert SECRET not in told.err
        return code, " ".join(told.err.split())

    return publish


@pytest.mark.parametrize("encoding", ["klingon", "hex", "rot13", "undefined"])
def test_an_encoding_that_there_is_not_is_named(call: Any, encoding: str) -> None:
    code, told = call("--encoding", encoding)
    assert code == ExitCode.USAGE
    assert f"there is no encoding {encoding} (--encoding)" in told


def text_without(*path: str, value: object = None) -> str:
    login: dict[str, Any] = json.loads(json.dumps(LOGIN))
    inner = login
    for name in path[:-1]:
        inner = inner[name]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(login)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{}", "bootstrap, security_protocol"),
        (b"[1]", "no JSON object"),
        (f"never said {SECRET}".encode(), "cannot be read as JSON"),
        (b"", "cannot be read as JSON"),
        (b"\xff\xfe", "cannot be read as JSON"),
        (text_without("registry", "password").encode(), "registry.password"),
        (text_without("registry", value="x").encode(), "misstates registry"),
        (text_without("username", value=7).encode(), "misstates username"),
    ],
)
def test_a_file_that_is_none_of_credentials_is_told_without_its_content(
    call: Any, tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "login.json"
    path.write_bytes(content)
    path.chmod(0o600)
    code, said = call("--credentials", str(path))
    assert code == ExitCode.USAGE
    assert told in said


def test_credentials_that_others_can_read_are_refused_with_the_command_that_mends_it(
    call: Any, tmp_path: Path
) -> None:
    path = tmp_path / "login.json"
    path.write_text(json.dumps(LOGIN))
    for mode in (0o640, 0o604):
        path.chmod(mode)
        code, said = call("--credentials", str(path))
        assert code == ExitCode.USAGE
        assert f"chmod 600 {path}" in said


def test_good_credentials_are_what_the_publisher_logs_in_with(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "login.json"
    path.write_text(json.dumps(LOGIN))
    path.chmod(0o600)
    seen: list[Any] = []

    def publisher(_resource: Any, kafka: Any, registry: Any, **_options: Any) -> None:
        seen.extend([kafka, registry])
        raise PrepareTopic("enough")

    monkeypatch.setattr(command, "Publisher", publisher)
    assert call("--credentials", str(path))[0] == ExitCode.USAGE
    kafka, registry = seen
    assert (kafka["sasl.username"], kafka["sasl.password"]) == ("provider-x", SECRET)
    assert (registry.url, registry.username, registry.password) == ("http://127.0.0.1:1", "x", SECRET)
