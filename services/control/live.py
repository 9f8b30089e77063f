"""Reads what is there: topics, rights, users, quotas, registered schemas, the newest policy, credentials."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from schemas.registry import SchemaNotFound, SchemaRegistry
from services.control.access import Access
from services.control.acls import read_acls
from services.control.credentials import is_current, users_with_credentials
from services.control.desired import Declared
from services.control.policy_topic import newest_policy
from services.control.quotas import read_quotas
from services.control.state import LiveState, Quota, Topic
from topics import names
from topics.event import SchemaId
from topics.policy import Policy


def read_policy(access: Access, topics: Mapping[str, Topic]) -> Policy | None:
    """The newest policy version; None before the first."""
    return newest_policy(access.kafka_config("admin")) if names.POLICY in topics else None


def read_live(
    access: Access,
    admin: AdminClient,
    declared: Declared,
    subjects: Mapping[str, dict[str, Any]],
    topics: Mapping[str, Topic],
    policy: Policy | None,
) -> LiveState:
    """Everything that the plan compares, as the super user sees it."""
    registered, incompatible = _schemas(SchemaRegistry(access.registry_credentials("apply")), subjects)
    return LiveState(
        topics=topics,
        acls=read_acls(admin),
        users=frozenset(access.known_users()),
        quotas=_quotas(access),
        subjects=registered,
        incompatible=incompatible,
        policy=policy,
        credentials=users_with_credentials(access.home),
        outdated_credentials=frozenset(
            user for user in users_with_credentials(access.home) if not is_current(access, user, declared)
        ),
    )


def _quotas(access: Access) -> dict[str, Quota]:
    return read_quotas(access.kafka_config("admin"))


def _schemas(
    registry: SchemaRegistry, subjects: Mapping[str, dict[str, Any]]
) -> tuple[dict[str, SchemaId], dict[str, tuple[str, ...]]]:
    """Ids of those registered exactly so, and reasons of those that may not be registered."""
    present = set(registry.subjects())
    registered: dict[str, SchemaId] = {}
    incompatible: dict[str, tuple[str, ...]] = {}
    for subject, schema in subjects.items():
        if subject not in present:
            continue
        try:
            registered[subject] = registry.id_of(subject, schema)
        except SchemaNotFound:
            compatible, messages = registry.is_compatible(subject, schema)
            if not compatible:
                incompatible[subject] = tuple(messages) or ("the registry gives no reason",)
    return registered, incompatible


def receipts_path(home: Path) -> Path:
    """The folder of revocation receipts."""
    return home / "receipts"


def receipt_names(home: Path) -> frozenset[str]:
    """``<grant>.<generation>`` of every withdrawal that was carried through."""
    return frozenset(path.stem for path in receipts_path(home).glob("*.json"))
