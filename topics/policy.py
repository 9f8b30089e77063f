"""One policy version: all that a decision depends on, immutable, numbered, carried whole in one record."""

import hashlib

from pydantic import Field

from topics.event import ConsumerId, GrantId, PolicyNumber, ProviderId, ResourceId, SchemaId, TopicName
from topics.grants.declaration import Grant
from topics.grants.hold import Hold, delivers
from topics.ownership import ItemRuling
from topics.resource import Consumer, Declared, Provider, Resource


class ResourcePolicy(Declared):
    """A resource with what ``apply`` fixed for it."""

    resource: Resource
    item_schema: str
    """The resource's Avro record schema, as JSON text."""
    envelope_schema: str
    """The canonical envelope around it, as JSON text (topics/canonical.py)."""
    canonical_key_schema_id: SchemaId
    canonical_value_schema_id: SchemaId
    generation: int = Field(ge=0, default=0)


class GrantPolicy(Declared):
    """A grant with what ``apply`` fixed for it."""

    grant: Grant
    key_schema_id: SchemaId
    value_schema_id: SchemaId
    value_schema: str
    generation: int = Field(ge=1, default=1)
    """Rises with every epoch of the grant."""
    key_version: int = Field(ge=1, default=1)
    """Version of the master secret that the grant's own key is derived from."""
    active_since: PolicyNumber = PolicyNumber(0)
    """The version in which this generation became active: a partition that was last decided under an older
    one first catches up from ``starts_at``."""
    starts_at: dict[int, int] = Field(default_factory=dict)
    """Canonical partition → first offset that the fan-out delivers; what is below it the copier wrote."""
    closed_ms: int | None = None
    """When a grant that is handed out once was complete, in ms since 1970: what was written from then on is
    withheld, and what it holds can be read as long as it is valid."""


class ControlSchemas(Declared):
    """Registered ids of the control records that processors write."""

    decision_block: SchemaId
    quarantined_event: SchemaId
    stopped_key: SchemaId
    claim: SchemaId
    epoch_marker: SchemaId
    policy_acknowledgement: SchemaId
    accepted_version: SchemaId = SchemaId(0)
    """0 only in policies that are older than this record."""
    control_act: SchemaId = SchemaId(0)
    """0 only in policies that are older than this record."""
    dispute_change: SchemaId = SchemaId(0)
    """0 only in policies that are older than this record: under those nothing is marked, and blocks say
    nothing of disputes."""


class CaseMark(Declared):
    """How far the case of a grant was carried out: the number of its event, and the digest of that event."""

    event: int = Field(ge=1)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


class Policy(Declared):
    """The whole policy of one version."""

    version: PolicyNumber = Field(ge=1)
    issued_ms: int
    providers: dict[ProviderId, Provider]
    consumers: dict[ConsumerId, Consumer]
    resources: dict[ResourceId, ResourcePolicy]
    grants: dict[GrantId, GrantPolicy]
    code_lists: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """``<name>@<version>`` → codes."""
    control_schemas: ControlSchemas
    holds: dict[str, Hold] = Field(default_factory=dict)
    """Suspensions in force, by id: what they cover delivers nothing."""
    rulings: dict[str, ItemRuling] = Field(default_factory=dict)
    """Decisions on who owns an item, by id; apply carries out the latest on each, whatever is declared."""
    by_cases: bool = False
    """Whether sharing cases decide about grants: then the control plane alone writes them."""
    cases: dict[GrantId, CaseMark] = Field(default_factory=dict)
    """How far each grant's case was carried out: a database that knows less is older than the bus."""

    def by_raw_topic(self) -> dict[TopicName, ResourcePolicy]:
        """Which resource each raw topic feeds."""
        return {entry.resource.raw_topic: entry for entry in self.resources.values()}

    def grants_of(self, group: str) -> list[GrantPolicy]:
        """The grants that one fan-out group delivers, in a stable order."""
        found = [entry for entry in self.grants.values() if entry.grant.group == group]
        return sorted(found, key=lambda entry: entry.grant.id)

    def groups(self) -> list[str]:
        """Every grant group that the policy names."""
        return sorted({entry.grant.group for entry in self.grants.values()})

    def holds_on(self, grant: Grant) -> list[Hold]:
        """The holds that cover the grant, the oldest first."""
        found = [hold for hold in self.holds.values() if hold.covers(grant)]
        return sorted(found, key=lambda hold: (hold.since_version, hold.id))

    def delivering_though_held(self) -> list[GrantId]:
        """Grants that a hold covers and that deliver all the same: such a policy must not be written."""
        entries = self.grants.items()
        return sorted(key for key, entry in entries if delivers(entry.grant) and self.holds_on(entry.grant))

    def digest(self) -> str:
        """SHA-256 of the canonical JSON text, in hexadecimal."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()
