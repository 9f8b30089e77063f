"""What a contract is written from: one grant with all that the bus compiles of it; pure.

Nothing of a contract is kept anywhere: it is written anew from these objects, which are those that apply and
the fan-out compile, so that it cannot say something else than what is delivered.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from services.control.credentials import SASL
from services.control.definitions import Definitions
from services.control.desired import topic_of_grant
from services.control.state import Topic
from topics.event import GrantId, PolicyNumber
from topics.grants.declaration import Grant
from topics.grants.keys import has_canonical_key, key_schema
from topics.grants.projection import projected_schema
from topics.policy import Policy
from topics.resource import Consumer, Provider, Resource


class NothingToDescribe(LookupError):  # noqa: N818 - says what is wrong
    """The grant, or what it is a grant to, is not there."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One grant and everything that its contract tells of."""

    grant: Grant
    resource: Resource
    provider: Provider
    consumer: Consumer
    value_schema: Mapping[str, Any]
    """The Avro schema of what is delivered, after projection and masks."""
    key_schema: Mapping[str, Any]
    topic: Topic
    code_lists: Mapping[str, tuple[str, ...]]
    """``<name>@<version>`` → codes."""
    generation: int = 0
    """0 where the grant is only declared: then no epoch has filled it."""
    policy_version: PolicyNumber | None = None
    issued_ms: int | None = None

    @property
    def version(self) -> str:
        """The resource's version, which breaks readers, and the grant's generation, which does not."""
        return f"{self.resource.version}.{self.generation}.0"

    @property
    def has_canonical_key(self) -> bool:
        """Whether keys name the identity and the record, and are no pseudonyms."""
        return has_canonical_key(self.resource, self.grant)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a department reaches the bus and its registry, and how it logs in; nobody's login."""

    bootstrap: str
    """``host:port`` of the brokers, separated by commas."""
    registry_url: str
    security_protocol: str = SASL["security_protocol"]

    @property
    def brokers(self) -> tuple[str, ...]:
        """Each ``host:port``."""
        return tuple(part.strip() for part in self.bootstrap.split(",") if part.strip())

    @property
    def public_registry_url(self) -> str:
        """The registry's address without a login, should there be one in it."""
        parts = urlsplit(self.registry_url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def agreement_in_force(policy: Policy, grant_id: GrantId) -> Agreement:
    """The agreement as a policy version has it.

    Raises:
        NothingToDescribe: the policy has no such grant, or not its resource or its departments any more.
    """
    entry = policy.grants.get(grant_id)
    if entry is None:
        raise NothingToDescribe(f"policy version {policy.version} has no grant {grant_id}")
    grant = entry.grant
    found = policy.resources.get(grant.resource)
    provider = policy.providers.get(found.resource.provider) if found else None
    consumer = policy.consumers.get(grant.consumer)
    if found is None or provider is None or consumer is None:
        missing = grant.consumer if found and provider else grant.resource
        raise NothingToDescribe(f"grant {grant_id} names {missing}, which the policy has not any more")
    return Agreement(
        grant=grant,
        resource=found.resource,
        provider=provider,
        consumer=consumer,
        value_schema=json.loads(entry.value_schema),
        key_schema=key_schema(found.resource, grant),
        topic=topic_of_grant(grant, found.resource),
        code_lists=policy.code_lists,
        generation=entry.generation,
        policy_version=policy.version,
        issued_ms=policy.issued_ms,
    )


def declared_agreement(definitions: Definitions, grant_id: GrantId) -> Agreement:
    """The agreement as checked definitions declare it, before any apply.

    Raises:
        NothingToDescribe: no such grant is declared.
    """
    grant = definitions.grants.get(grant_id)
    if grant is None:
        raise NothingToDescribe(f"no grant {grant_id} is declared")
    resource = definitions.resources[grant.resource]
    return Agreement(
        grant=grant,
        resource=resource,
        provider=definitions.providers[resource.provider],
        consumer=definitions.consumers[grant.consumer],
        value_schema=projected_schema(definitions.item_schemas[resource.id], grant),
        key_schema=key_schema(resource, grant),
        topic=topic_of_grant(grant, resource),
        code_lists=definitions.code_lists,
    )
