"""The Connect client against a server that misbehaves in every way that Kafka Connect does."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from producers.connect_client import ConnectClient, RetryPolicy, Written
from producers.connect_errors import (
    ConflictCause,
    ConnectorConfigInvalid,
    ConnectorNotFound,
    ConnectRefused,
    ConnectUnavailable,
    FieldError,
    WriteNotVerified,
    classify_conflict,
)
from producers.connect_status import Health
from producers.redaction import HIDDEN, redact_text, redacted

Answer = tuple[int, Any]
REBALANCE = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"
NO_LEADER = (
    "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."
)
STALE = (
    "Cannot complete request momentarily due to stale configuration "
    "(typically caused by a concurrent config change)"
)
CONFIG = {"connector.class": "x.Source", "database.password": "${file:/s/p.properties:password}"}


class FakeConnect:
    """Keeps connectors as Kafka Connect does; ``disturb`` may answer a request before it does."""

    def __init__(self) -> None:
        self.connectors: dict[str, dict[str, str]] = {}
        self.tasks: dict[str, list[str]] = {}
        self.requests: list[tuple[str, str]] = []
        self.errors: list[dict[str, Any]] = []
        self.disturb: Callable[[str, str], Answer | None] = lambda _method, _path: None
        self.lose_answer_of: str | None = None

    def answer(self, method: str, path: str, body: Any) -> Answer:
        self.requests.append((method, path))
        disturbed = self.disturb(method, path)
        if disturbed is not None:
            return disturbed
        done = self._do(method, path.partition("?")[0].split("/")[1:], body)
        if self.lose_answer_of == method and "validate" not in path:
            self.lose_answer_of = None
            return 500, {"error_code": 500, "message": "Request timed out"}
        return done

    def _do(self, method: str, parts: list[str], body: Any) -> Answer:
        if parts[0] == "connector-plugins":
            return 200, {
                "error_count": len(self.errors),
                "configs": [{"value": error} for error in self.errors],
            }
        if len(parts) == 1:
            return 200, list(self.connectors)
        name, action = parts[1], parts[2] if len(parts) > 2 else ""
        if method == "PUT" and action == "config":
            self.connectors[name] = body
            self.tasks.setdefault(name, ["RUNNING"])
            return 200, {}
        if name not in self.connectors:
            return 404, {"error_code": 404, "message": f"Connector {name} not found"}
        return self._of_existing(method, name, action)

    def _of_existing(self, method: str, name: str, action: str) -> Answer:
        if method == "DELETE" and not action:
            del self.connectors[name]
            return 204, None
        if action == "restart":
            self.tasks[name] = ["RUNNING"] * len(self.tasks[name])
            return 202, {}
        if action == "status":
            tasks = [
                {
                    "id": n,
                    "state": state,
                    "worker_id": "w",
                    "trace": 'Bad password="hunter22"' if state == "FAILED" else None,
                }
                for n, state in enumerate(self.tasks[name])
            ]
            return 200, {"name": name, "connector": {"state": "RUNNING", "worker_id": "w"}, "tasks": tasks}
        if action == "offsets":
            return 200, {"offsets": [{"partition": {}, "offset": {"lsn": 1}}]}
        return (200, self.connectors[name]) if action == "config" else (202, None)


@pytest.fixture
def connect() -> Iterator[tuple[FakeConnect, ConnectClient, list[float]]]:
    fake, waits = FakeConnect(), list[float]()

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = fake.answer(self.command, self.path, body)
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - names of http.server

        def log_message(self, *_arguments: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        client = ConnectClient(
            url,
            "govbus",
            "rest-password",
            retries=RetryPolicy(4, 1.0, 8.0),
            sleep=waits.append,
            random=lambda: 1.0,
        )
        yield fake, client, waits
        client.close()
        server.shutdown()
        thread.join()


Connected = tuple[FakeConnect, ConnectClient, list[float]]


def times(count: int, status: int, message: str, method: str = "PUT") -> Callable[[str, str], Answer | None]:
    left = [count]

    def disturb(asked: str, path: str) -> Answer | None:
        if asked != method or "validate" in path or not left[0]:
            return None
        left[0] -= 1
        return status, {"error_code": status, "message": message}

    return disturb


@pytest.mark.parametrize(
    ("message", "cause", "passes"),
    [
        ("Connector capture already exists", ConflictCause.ALREADY_EXISTS, False),
        (NO_LEADER, ConflictCause.NO_LEADER, True),
        (REBALANCE, ConflictCause.REBALANCE, True),
        (STALE, ConflictCause.STALE_CONFIGURATION, True),
        ("something else", ConflictCause.UNKNOWN, False),
    ],
)
def test_the_four_causes_of_a_conflict_are_told_apart(
    message: str, cause: ConflictCause, passes: bool
) -> None:
    assert classify_conflict(message) is cause
    assert cause.passes is passes


def test_a_connector_is_created_then_unchanged_then_updated(connect: Connected) -> None:
    fake, client, _ = connect
    assert client.put_config("c", CONFIG) is Written.CREATED
    assert client.put_config("c", CONFIG) is Written.UNCHANGED
    assert client.put_config("c", {**CONFIG, "tasks.max": "2"}) is Written.UPDATED
    assert [path for method, path in fake.requests if method == "PUT" and "plugins" not in path] == [
        "/connectors/c/config"
    ] * 2
    assert fake.connectors["c"]["name"] == "c"


def test_nothing_is_written_when_fields_have_errors_and_no_secret_is_shown(connect: Connected) -> None:
    fake, client, _ = connect
    fake.errors = [
        {"name": "b.port", "value": "x", "errors": ["is no number", "for user with hunter22"]},
        {"name": "database.password", "value": "hunter22", "errors": []},
        {"name": "a.host", "value": "h", "errors": ["refused hunter22"]},
    ]
    with pytest.raises(ConnectorConfigInvalid) as caught:
        client.put_config("c", CONFIG)
    assert caught.value.errors == (
        FieldError("a.host", f"refused {HIDDEN}"),
        FieldError("b.port", f"for user with {HIDDEN}"),
        FieldError("b.port", "is no number"),
    )
    assert not fake.connectors
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize("message", [REBALANCE, NO_LEADER, STALE])
def test_conflicts_that_pass_are_tried_again_with_growing_waits(connect: Connected, message: str) -> None:
    fake, client, waits = connect
    fake.disturb = times(3, 409, message)
    assert client.put_config("c", CONFIG) is Written.CREATED
    assert waits == [1.0, 2.0, 4.0]


def test_a_conflict_that_does_not_pass_is_refused_at_once(connect: Connected) -> None:
    fake, client, waits = connect
    fake.disturb = times(1, 409, "Connector c already exists")
    with pytest.raises(ConnectRefused) as caught:
        client.put_config("c", CONFIG)
    assert (caught.value.status, waits) == (409, [])


def test_a_write_whose_answer_was_lost_is_looked_up_and_not_repeated(connect: Connected) -> None:
    fake, client, waits = connect
    fake.lose_answer_of = "PUT"
    assert client.put_config("c", CONFIG) is Written.CREATED
    assert fake.requests.count(("PUT", "/connectors/c/config")) == 1
    assert waits == []
    fake.lose_answer_of = "DELETE"
    client.delete("c")
    assert fake.requests.count(("DELETE", "/connectors/c")) == 1


def test_a_write_that_did_not_happen_is_repeated(connect: Connected) -> None:
    fake, client, _ = connect
    fake.disturb = times(2, 500, "Request timed out")
    assert client.put_config("c", CONFIG) is Written.CREATED
    assert fake.requests.count(("PUT", "/connectors/c/config")) == 3


def test_it_gives_up_and_says_so(connect: Connected) -> None:
    fake, client, waits = connect
    fake.disturb = times(99, 503, "starting", "GET")
    with pytest.raises(ConnectUnavailable, match=r"gave up after 4 attempts: .*HTTP 503: starting"):
        client.names()
    assert waits == [1.0, 2.0, 4.0]


def test_no_connection_is_unavailable() -> None:
    client = ConnectClient("http://127.0.0.1:9", "u", "p", retries=RetryPolicy(2), sleep=lambda _s: None)
    with pytest.raises(ConnectUnavailable):
        client.names()
    client.close()


def test_wrong_credentials_are_refused_without_another_try(connect: Connected) -> None:
    fake, client, waits = connect
    fake.disturb = times(9, 401, "no", "GET")
    with pytest.raises(ConnectRefused):
        client.names()
    assert waits == []


def test_another_writer_is_noticed_when_reading_back(connect: Connected) -> None:
    fake, client, _ = connect
    fake.connectors["c"] = {"name": "c"}
    fake.disturb = lambda method, path: (200, {}) if method == "PUT" and "validate" not in path else None
    with pytest.raises(WriteNotVerified, match=r"connector.class, database.password"):
        client.put_config("c", CONFIG)


def test_deleting_what_is_not_there_is_done_already(connect: Connected) -> None:
    _, client, _ = connect
    client.delete("c")
    with pytest.raises(ConnectorNotFound):
        client.status("c")
    assert client.health("c") is Health.MISSING


def test_a_running_connector_with_a_failed_task_has_failed_until_it_is_restarted(connect: Connected) -> None:
    fake, client, _ = connect
    client.put_config("c", CONFIG)
    fake.tasks["c"] = ["RUNNING", "FAILED"]
    status = client.status("c")
    assert status.health is Health.FAILED
    assert [task.id for task in status.failed_tasks] == [1]
    assert status.failed_tasks[0].trace == f"Bad password={HIDDEN}"
    client.restart_failed_tasks("c")
    assert client.health("c") is Health.RUNNING


def test_every_step_reaches_the_connector(connect: Connected) -> None:
    fake, client, _ = connect
    client.put_config("c", CONFIG)
    client.pause("c")
    client.resume("c")
    client.stop("c")
    assert [path.rsplit("/", 1)[1] for method, path in fake.requests if method == "PUT"][-3:] == [
        "pause",
        "resume",
        "stop",
    ]
    assert client.offsets("c") == [{"partition": {}, "offset": {"lsn": 1}}]
    assert client.names() == ["c"]


def test_no_representation_shows_the_password(connect: Connected) -> None:
    _, client, _ = connect
    assert "rest-password" not in repr(client)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('password="a b"; more', f"password={HIDDEN}; more"),
        ("sasl.jaas.config = X; y", f"sasl.jaas.config = {HIDDEN}; y"),
        ("my.SECRET.key: abc, z", f"my.SECRET.key: {HIDDEN}, z"),
        ('{"credential": "abc"}', f'{{"credential": {HIDDEN}}}'),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_assigned_secrets_are_hidden_in_texts(text: str, expected: str) -> None:
    assert redact_text(text) == expected


def test_settings_with_secrets_are_hidden_by_name() -> None:
    shown = redacted({"a.Password": "x", "b.jaas.config": "y", "c": "z"})
    assert shown == {"a.Password": HIDDEN, "b.jaas.config": HIDDEN, "c": "z"}
