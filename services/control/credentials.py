"""Each department's way in, written once to a file that only its owner can read."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from services.control.access import Access
from services.control.desired import Declared
from topics import names
from topics.event import ConsumerId, ProviderId

_CONSUMER: Final = "consumer-"
_PROVIDER: Final = "provider-"
_SHARED_READER: Final = "reader"
SASL: Final = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-512"}


def credentials_path(home: Path, user: str) -> Path:
    """``<home>/credentials/<consumer>.json``, or ``provider-<provider>.json``."""
    return home / "credentials" / f"{user.removeprefix(_CONSUMER)}.json"


def users_with_credentials(home: Path) -> frozenset[str]:
    """The users whose file exists."""
    files = (home / "credentials").glob("*.json")
    stems = (path.stem for path in files)
    return frozenset(stem if stem.startswith(_PROVIDER) else f"{_CONSUMER}{stem}" for stem in stems)


def is_current(access: Access, user: str, declared: Declared) -> bool:
    """Whether the user's file leads to this stack and names exactly the topics that are declared."""
    path = credentials_path(access.home, user)
    if not path.exists():
        return False
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        registry_url, registry_user = found["registry"]["url"], found["registry"]["username"]
    except (ValueError, KeyError, TypeError):
        return False
    wanted = {"bootstrap": access.bootstrap, **SASL, **_topics(user, declared)}
    # Before each department had a login of its own, all of them had this one.
    return (
        registry_url == access.registry_url
        and registry_user != _SHARED_READER
        and all(found.get(key) == value for key, value in wanted.items())
    )


def credential(access: Access, user: str, declared: Declared) -> dict[str, Any]:
    """The user's way in; the password is the one that the broker has, made if there is none yet."""
    registry = access.registry_credentials(user)
    return {
        "bootstrap": access.bootstrap,
        **SASL,
        "username": user,
        "password": access.ensure_user(user),
        "registry": {
            "url": access.registry_url,
            "username": registry.username,
            "password": registry.password,
        },
        **_topics(user, declared),
    }


def write_credentials(access: Access, user: str, declared: Declared) -> Path:
    """Write the user's file and return its path."""
    content = credential(access, user, declared)
    path = credentials_path(access.home, user)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_owner_only(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    return path


def renew_password(home: Path, user: str, password: str) -> None:
    """Put a new password into the user's file, if there is one; apply writes anew what cannot be read."""
    path = credentials_path(home, user)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    if isinstance(content, dict) and content.get("password") != password:
        changed = {**content, "password": password}
        write_owner_only(path, json.dumps(changed, ensure_ascii=False, indent=2) + "\n")


def write_owner_only(path: Path, text: str) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def remove_credentials(home: Path, users: Iterable[str]) -> None:
    """Remove the files of users that were withdrawn."""
    for user in users:
        credentials_path(home, user).unlink(missing_ok=True)


def _topics(user: str, declared: Declared) -> dict[str, Any]:
    if user.startswith(_CONSUMER):
        return _consumer_topics(ConsumerId(user.removeprefix(_CONSUMER)), declared)
    return _provider_topics(ProviderId(user.removeprefix(_PROVIDER)), declared)


def _consumer_topics(consumer: ConsumerId, declared: Declared) -> dict[str, Any]:
    own = sorted(
        (grant for grant in declared.grants.values() if grant.consumer == consumer), key=lambda g: g.id
    )
    return {
        "consumer": consumer,
        "group_prefix": f"{consumer}.",
        "grants": {grant.id: grant.topic for grant in own},
        "epochs": {grant.id: names.epochs(grant.id) for grant in own},
        "parked": names.parked(consumer),
    }


def _provider_topics(provider: ProviderId, declared: Declared) -> dict[str, Any]:
    own = sorted((r for r in declared.resources.values() if r.provider == provider), key=lambda r: r.id)
    return {
        "provider": provider,
        "group_prefix": f"{provider}.",
        "quarantine": names.quarantine(provider),
        "resources": {
            resource.id: resource.raw_topic for resource in own if resource.source.kind == "publish"
        },
    }
