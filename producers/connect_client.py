"""A small client of Kafka Connect's REST interface: declare a connector, verify it, watch it, restart it.

Every write is idempotent and is verified by reading back. What is tried again: no connection, 5xx, and the
three of the four conflicts (409) that pass by themselves. After a 5xx or a timeout of a write Kafka Connect
may have done it all the same (it gives up waiting for itself after 90 s), so the client looks first.
"""

import random as random_module
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

import requests

from producers.connect_errors import (
    ConnectError,
    ConnectorConfigInvalid,
    ConnectorNotFound,
    ConnectRefused,
    ConnectUnavailable,
    FieldError,
    WriteNotVerified,
    classify_conflict,
)
from producers.connect_status import ConnectorStatus, Health, parse_status
from producers.redaction import redact_text, secret_values

# Kafka Connect answers 500 after 90 s although the write may still happen: wait longer than it does.
_WRITE_TIMEOUT_SECONDS: Final = (5.0, 100.0)
_READ_TIMEOUT_SECONDS: Final = (5.0, 30.0)
_AT_ONCE_SECONDS: Final = (2.0, 2.0)
_LONGEST_MESSAGE: Final = 2_000


class Written(StrEnum):
    """What a declaration of a connector did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long apart; the wait doubles up to a cap, and a random part of it is taken."""

    attempts: int = 10
    first_seconds: float = 0.5
    longest_seconds: float = 8.0

    def wait(self, attempt: int, share: float) -> float:
        """Seconds to wait after the attempt (0 is the first); ``share`` is random, from 0 to 1."""
        return share * min(self.longest_seconds, self.first_seconds * 2.0**attempt)


class _TryAgain(Exception):  # noqa: N818 - inside this module only
    """The request may be repeated; ``uncertain`` if it may have been done."""

    def __init__(self, message: str, *, uncertain: bool) -> None:
        super().__init__(message)
        self.uncertain = uncertain


class ConnectClient:
    """Connectors of one Connect cluster.

    Args:
        url: base address, e.g. ``http://127.0.0.1:28083``.
        username: user of the REST interface.
        password: its password; shown nowhere.
        session: HTTP session; a new one where not given.
        retries: how often and how long apart to try again.
        sleep: waits so many seconds.
        random: returns a number from 0 to 1.
    """

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        session: requests.Session | None = None,
        retries: RetryPolicy | None = None,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self._url = url.rstrip("/")
        self._username = username
        self._secrets = frozenset({password}) if password else frozenset()
        self._session = session or _direct_session()
        self._session.auth = (username, password)
        self._retries = retries or RetryPolicy()
        self._sleep = sleep
        self._random = random

    def __repr__(self) -> str:
        return f"ConnectClient({self._url!r}, {self._username!r})"

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    # --- declare ---------------------------------------------------------------------------------------

    def put_config(self, name: str, config: Mapping[str, str]) -> Written:
        """Make the connector have exactly this configuration: validate, write if it differs, read back.

        Raises:
            ConnectorConfigInvalid: fields have errors; nothing was written.
            WriteNotVerified: another configuration was read back.
            ConnectRefused: no right, or the request is wrong.
            ConnectUnavailable: no answer within all attempts.
        """
        wanted = {**config, "name": name}
        errors = self.validate(name, wanted)
        if errors:
            raise ConnectorConfigInvalid(name, errors)
        present = self._config_or_none(name)
        if present == wanted:
            return Written.UNCHANGED
        path = f"/connectors/{_quoted(name)}/config"
        self._write("PUT", path, wanted, done=lambda: self._config_or_none(name) == wanted)
        self._verify(name, wanted)
        return Written.CREATED if present is None else Written.UPDATED

    def validate(self, name: str, config: Mapping[str, str]) -> list[FieldError]:
        """Every field's errors as Kafka Connect and the connector see them; empty if it is valid.

        The connector reaches for its database here, so wrong credentials show up as a field's error.
        """
        plugin = config.get("connector.class", "")
        if not plugin:
            return [FieldError("connector.class", "is missing")]
        path = f"/connector-plugins/{_quoted(plugin)}/config/validate"
        answer = self._write("PUT", path, {**config, "name": name})
        fields = [field["value"] for field in answer["configs"]]
        # The answer holds the resolved values of secrets: they are hidden in the messages made from it.
        secrets = secret_values(config) | secret_values(
            {value["name"]: value.get("value") for value in fields}
        )
        return sorted(
            FieldError(str(value["name"]), self._clean(text, secrets))
            for value in fields
            for text in value["errors"]
        )

    def delete(self, name: str) -> None:
        """Delete the connector, if it is there. Its offsets stay, and so does the provider's slot."""
        try:
            self._write(
                "DELETE", f"/connectors/{_quoted(name)}", done=lambda: self._config_or_none(name) is None
            )
        except ConnectorNotFound:
            return

    # --- look ------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Every connector, sorted."""
        return sorted(self._read("/connectors"))

    def config(self, name: str) -> dict[str, str]:
        """The stored configuration: secrets appear as references to files only.

        Raises:
            ConnectorNotFound: there is no such connector.
        """
        answer: dict[str, str] = self._read(f"/connectors/{_quoted(name)}/config")
        return answer

    def status(self, name: str) -> ConnectorStatus:
        """The states and stack traces of the connector and its tasks, secrets hidden.

        Raises:
            ConnectorNotFound: there is no such connector, or none yet.
        """
        return self._status(self._read(f"/connectors/{_quoted(name)}/status"))

    def health(self, name: str) -> Health:
        """The worst state of the connector and its tasks; MISSING where there is none."""
        try:
            return self.status(name).health
        except ConnectorNotFound:
            return Health.MISSING

    def offsets(self, name: str) -> list[dict[str, Any]]:
        """Where the connector stands in its source (or sink topics)."""
        answer: list[dict[str, Any]] = self._read(f"/connectors/{_quoted(name)}/offsets")["offsets"]
        return answer

    def offsets_at_once(self, name: str) -> list[dict[str, Any]]:
        """The same, asked once and not waited for.

        Raises:
            ConnectUnavailable: Connect does not say at once: it may be waiting for the end of its own topic.
        """
        try:
            answer = self._once("GET", f"/connectors/{_quoted(name)}/offsets", None, _AT_ONCE_SECONDS)
        except _TryAgain as error:
            raise ConnectUnavailable(str(error)) from error
        offsets: list[dict[str, Any]] = answer["offsets"]
        return offsets

    def statuses(self) -> list[ConnectorStatus]:
        """The states and stack traces of all connectors, in one question; secrets hidden."""
        body = self._read("/connectors?expand=status")
        return [self._status(each["status"]) for _, each in sorted(body.items())]

    # --- steer -----------------------------------------------------------------------------------------

    def restart_failed_tasks(self, name: str) -> None:
        """Start again what has failed, the connector itself included; what runs is left alone."""
        self._write(
            "POST",
            f"/connectors/{_quoted(name)}/restart?includeTasks=true&onlyFailed=true",
            done=lambda: not self.status(name).has_failed,
        )

    def restart(self, name: str) -> None:
        """Start the connector and all its tasks again, whatever they are doing."""
        self._write("POST", f"/connectors/{_quoted(name)}/restart?includeTasks=true&onlyFailed=false")

    def pause(self, name: str) -> None:
        """Let the tasks idle without losing their place."""
        self._write("PUT", f"/connectors/{_quoted(name)}/pause")

    def resume(self, name: str) -> None:
        """Let a paused or stopped connector run."""
        self._write("PUT", f"/connectors/{_quoted(name)}/resume")

    def stop(self, name: str) -> None:
        """Shut the tasks down; the configuration and the offsets stay."""
        self._write("PUT", f"/connectors/{_quoted(name)}/stop")

    def reset_offsets(self, name: str) -> None:
        """Forget where a *stopped* connector stands: at its next start it takes the full volume again.

        Raises:
            ConnectRefused: the connector is not stopped.
        """
        self._write("DELETE", f"/connectors/{_quoted(name)}/offsets")

    def _status(self, body: dict[str, Any]) -> ConnectorStatus:
        for part in (body["connector"], *body.get("tasks", [])):
            if part.get("trace"):
                part["trace"] = redact_text(part["trace"], self._secrets)
        return parse_status(body)

    # --- the wire --------------------------------------------------------------------------------------

    def _config_or_none(self, name: str) -> dict[str, str] | None:
        try:
            return self.config(name)
        except ConnectorNotFound:
            return None

    def _verify(self, name: str, wanted: Mapping[str, str]) -> None:
        """Read back until it is what was written: a follower may be a moment behind the leader."""
        found: dict[str, str] | None = None
        for attempt in range(self._retries.attempts):
            found = self._config_or_none(name)
            if found == wanted:
                return
            self._sleep(self._retries.wait(attempt, self._random()))
        differing = sorted(
            key for key in {*wanted, *(found or {})} if wanted.get(key) != (found or {}).get(key)
        )
        raise WriteNotVerified(f"connector {name}: read back other values of: {', '.join(differing)}")

    def _read(self, path: str) -> Any:
        return self._repeat("GET", path, None, None)

    def _write(
        self,
        method: str,
        path: str,
        body: Mapping[str, str] | None = None,
        done: Callable[[], bool] | None = None,
    ) -> Any:
        return self._repeat(method, path, body, done)

    def _repeat(
        self, method: str, path: str, body: Mapping[str, str] | None, done: Callable[[], bool] | None
    ) -> Any:
        failure = ""
        for attempt in range(self._retries.attempts):
            try:
                return self._once(method, path, body)
            except _TryAgain as error:
                failure = str(error)
                if error.uncertain and done is not None and done():
                    return None
            if attempt + 1 < self._retries.attempts:
                self._sleep(self._retries.wait(attempt, self._random()))
        raise ConnectUnavailable(f"gave up after {self._retries.attempts} attempts: {failure}")

    def _once(
        self,
        method: str,
        path: str,
        body: Mapping[str, str] | None,
        read_timeout: tuple[float, float] = _READ_TIMEOUT_SECONDS,
    ) -> Any:
        timeout = read_timeout if method == "GET" else _WRITE_TIMEOUT_SECONDS
        where = f"{method} {self._url}{path.partition('?')[0]}"
        try:
            answer = self._session.request(method, self._url + path, json=body, timeout=timeout)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _TryAgain(f"{where}: {type(error).__name__}", uncertain=True) from error
        except requests.RequestException as error:
            raise ConnectRefused(f"{where}: {type(error).__name__}", 0) from error
        if answer.ok:
            return answer.json() if answer.content else None
        raise self._failure(where, path, answer, secret_values(body or {}))

    def _failure(
        self, where: str, path: str, answer: requests.Response, secrets: frozenset[str]
    ) -> ConnectError | _TryAgain:
        message = f"{where}: HTTP {answer.status_code}: {self._clean(_message(answer), secrets)}"
        if answer.status_code == requests.codes.not_found and path.startswith("/connectors/"):
            return ConnectorNotFound(message)
        if answer.status_code == requests.codes.conflict and classify_conflict(message).passes:
            return _TryAgain(message, uncertain=False)
        if answer.status_code >= requests.codes.internal_server_error:
            return _TryAgain(message, uncertain=True)
        return ConnectRefused(message, answer.status_code)

    def _clean(self, text: str, secrets: frozenset[str]) -> str:
        return redact_text(text, secrets | self._secrets)[:_LONGEST_MESSAGE]


def _direct_session() -> requests.Session:
    """Connect's REST interface is near: no proxy, and no credentials from files of the environment."""
    session = requests.Session()
    session.trust_env = False
    return session


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _message(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return answer.text
    return str(body.get("message", "")) if isinstance(body, dict) else str(body)
