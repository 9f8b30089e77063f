"""A small client of the schema registry's Confluent-compatible REST API: ids, lookups, compatibility.

Reading is all that processors, publishers and subscribers may do; ``register`` needs apply's credentials.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from topics.event import SchemaId

_JSON: Final = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
_TIMEOUT_SECONDS: Final = (3.0, 20.0)


class RegistryUnavailable(Exception):  # noqa: N818 - the caller waits and tries again
    """The registry does not answer now; nothing can be said about the schema. Wait and try again."""


class SchemaNotFound(Exception):  # noqa: N818 - the caller stops the record
    """The registry answers, and it does not know the id or subject."""


class RegistryRefused(Exception):  # noqa: N818 - the caller shows the reason
    """The registry refused the request: no right, or an incompatible or invalid schema."""


@dataclass(frozen=True, slots=True)
class RegistryCredentials:
    """Where the registry is and as whom to speak to it."""

    url: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"RegistryCredentials({self.url!r}, {self.username!r})"


class SchemaRegistry:
    """Schemas by id (kept for ever: an id never changes its schema) and by subject."""

    def __init__(self, credentials: RegistryCredentials, session: requests.Session | None = None) -> None:
        self._url = credentials.url.rstrip("/")
        self._session = session or _retrying_session()
        self._session.auth = (credentials.username, credentials.password)
        self._by_id: dict[SchemaId, dict[str, Any]] = {}

    def schema(self, schema_id: SchemaId) -> dict[str, Any]:
        """The schema of that id.

        Raises:
            SchemaNotFound: no schema has that id.
            RegistryUnavailable: it cannot be told now.
        """
        if schema_id not in self._by_id:
            answer = self._call("GET", f"/schemas/ids/{schema_id}")
            self._by_id[schema_id] = json.loads(answer["schema"])
        return self._by_id[schema_id]

    def id_of(self, subject: str, schema: Mapping[str, Any]) -> SchemaId:
        """The id under which exactly this schema is registered for the subject.

        Raises:
            SchemaNotFound: it is not registered there.
            RegistryUnavailable: it cannot be told now.
        """
        answer = self._call("POST", f"/subjects/{quote(subject, safe='')}", {"schema": json.dumps(schema)})
        return SchemaId(int(answer["id"]))

    def latest(self, subject: str) -> tuple[SchemaId, dict[str, Any]]:
        """Id and schema of the newest version of the subject.

        Raises:
            SchemaNotFound: the subject does not exist.
            RegistryUnavailable: it cannot be told now.
        """
        answer = self._call("GET", f"/subjects/{quote(subject, safe='')}/versions/latest")
        return SchemaId(int(answer["id"])), json.loads(answer["schema"])

    def versions(self, subject: str) -> list[int]:
        """The numbers of the subject's versions.

        Raises:
            SchemaNotFound: the subject does not exist.
        """
        answer: list[int] = self._call("GET", f"/subjects/{quote(subject, safe='')}/versions")
        return answer

    def version(self, subject: str, number: int) -> dict[str, Any]:
        """The schema of one version of the subject.

        Raises:
            SchemaNotFound: the subject has no such version.
            RegistryUnavailable: it cannot be told now.
        """
        answer = self._call("GET", f"/subjects/{quote(subject, safe='')}/versions/{number}")
        schema: dict[str, Any] = json.loads(answer["schema"])
        return schema

    def subjects(self) -> list[str]:
        """Every subject, sorted."""
        answer: list[str] = self._call("GET", "/subjects")
        return sorted(answer)

    def is_compatible(self, subject: str, schema: Mapping[str, Any]) -> tuple[bool, list[str]]:
        """Whether the schema may become the subject's next version, and the registry's messages if not."""
        path = f"/compatibility/subjects/{quote(subject, safe='')}/versions/latest?verbose=true"
        try:
            answer = self._call("POST", path, {"schema": json.dumps(schema)})
        except SchemaNotFound:
            return True, []
        return bool(answer["is_compatible"]), [str(text) for text in answer.get("messages", [])]

    def register(self, subject: str, schema: Mapping[str, Any]) -> SchemaId:
        """Register the schema under the subject and return its id; the same schema gets the same id.

        Raises:
            RegistryRefused: no right to register, or an incompatible schema.
            RegistryUnavailable: the registry does not answer.
        """
        path = f"/subjects/{quote(subject, safe='')}/versions"
        return SchemaId(int(self._call("POST", path, {"schema": json.dumps(schema)})["id"]))

    def accept_anything(self, subject: str) -> None:
        """Let the subject's next versions be whatever they are, until ``check_again``."""
        self._call("PUT", f"/config/{quote(subject, safe='')}", {"compatibility": "NONE"})

    def is_checked(self, subject: str) -> bool:
        """Whether the subject is held to the global compatibility level."""
        return self._level(f"/{quote(subject, safe='')}") == self._level()

    def check_again(self, subject: str) -> None:
        """Hold the subject to the global compatibility level again, and see that it is.

        By a rule of its own with that level: Apicurio answers the deletion of a subject's rule with success
        and leaves the rule where it was.

        Raises:
            RegistryRefused: the subject still accepts something else.
            RegistryUnavailable: the registry does not answer.
        """
        level, path = self._level(), f"/config/{quote(subject, safe='')}"
        self._call("PUT", path, {"compatibility": level})
        found = self._level(f"/{quote(subject, safe='')}")
        if found != level:
            raise RegistryRefused(f"{subject} is held to {found} and not to {level}")

    def _level(self, subject: str = "") -> str:
        return str(self._call("GET", f"/config{subject}?defaultToGlobal=true")["compatibilityLevel"])

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            answer = self._session.request(
                method, self._url + path, json=body, headers=_JSON, timeout=_TIMEOUT_SECONDS
            )
        except requests.RequestException as error:
            raise RegistryUnavailable(f"{method} {path}: {type(error).__name__}") from error
        if answer.status_code == requests.codes.not_found:
            raise SchemaNotFound(f"{method} {path}")
        if answer.status_code >= requests.codes.internal_server_error:
            raise RegistryUnavailable(f"{method} {path}: HTTP {answer.status_code}")
        if not answer.ok:
            raise RegistryRefused(f"{method} {path}: HTTP {answer.status_code}: {_message(answer)}")
        return answer.json()


def _message(answer: requests.Response) -> str:
    try:
        return str(answer.json().get("message", ""))[:500]
    except ValueError:
        return answer.text[:500]


def _retrying_session() -> requests.Session:
    session = requests.Session()
    retry = Retry(total=3, backoff_factor=0.2, status_forcelist=(502, 503, 504), allowed_methods={"GET"})
    adapter = HTTPAdapter(max_retries=retry)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
