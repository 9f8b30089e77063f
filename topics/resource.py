"""What a resource is: its items, where each comes from, who owns it, which identity keys it.

These are the declarations that people write as YAML and that travel inside a policy version; the compiled
forms are built from them by the gate and the fan-out.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from topics.event import ConsumerId, ProviderId, ResourceId, TopicName
from topics.identity.kinds import IdentityKind
from topics.names import canonical, raw_captured, raw_published
from topics.quality.declaration import RuleDeclaration, UpdateCycle

_NAME = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=_NAME, max_length=60)]


class Declared(BaseModel):
    """A declaration: unknown fields are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Titles(Declared):
    """The same name for people, in both languages."""

    zh: str
    en: str


class ShareType(StrEnum):
    """The three share types (requirement A3-01)."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    NOT_SHARED = "not_shared"


class Conversion(StrEnum):
    """How a source value becomes the item's value."""

    NONE = "none"
    TRIM = "trim"
    UPPER = "upper"
    NORMALISE = "normalise"
    TEXT = "text"
    ISO_TIMESTAMP = "iso_timestamp"
    """RFC 3339 text (how timestamptz travels) to milliseconds since 1970."""
    MICROSECONDS = "microseconds"
    """Microseconds since 1970 (how timestamp(6) travels) to milliseconds."""


class CapturedTable(Declared):
    """The resource is captured from a provider's PostgreSQL table."""

    kind: Literal["capture"] = "capture"
    schema_name: Name = Field(alias="schema", default="public")
    table: Name
    primary_key: tuple[Name, ...] = Field(min_length=1)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class DirectPublication(Declared):
    """The provider's application publishes the resource itself."""

    kind: Literal["publish"] = "publish"
    primary_key: tuple[Name, ...] = Field(min_length=1)


class Item(Declared):
    """One item of a resource."""

    name: Name
    titles: Titles
    column: Name | None = None
    """The source column; the item's own name where it is not given."""
    conversion: Conversion = Conversion.NONE
    owner: ProviderId | None = None
    """The department that owns the fact; the resource's provider where it is not given."""
    sensitive: bool = False

    @property
    def source_column(self) -> str:
        """The column that feeds this item."""
        return self.column or self.name


class ForeignItem(Declared):
    """A source column that holds a fact of another department: cut, and kept as a claim."""

    column: Name
    owner: ProviderId
    resource: ResourceId
    item: Name


class Identity(Declared):
    """What the resource is keyed by (requirements A5-02, A5-03)."""

    kind: IdentityKind
    item: Name
    country_item: Name | None = None


class Resource(Declared):
    """A catalogued data set with one provider."""

    code: str = Field(pattern=r"^[0-9A-Z-]+(/[0-9]+)?$")
    domain: Name
    name: Name
    version: int = Field(ge=1, default=1)
    titles: Titles
    provider: ProviderId
    source: Annotated[CapturedTable | DirectPublication, Field(discriminator="kind")]
    identity: Identity
    one_record_per_identity: bool = False
    items: tuple[Item, ...] = Field(min_length=1)
    foreign_items: tuple[ForeignItem, ...] = ()
    rules: tuple[RuleDeclaration, ...] = ()
    """Quality rules, each naming its items."""
    scope_items: tuple[Name, ...] = ()
    share_type: ShareType = ShareType.UNCONDITIONAL
    share_basis: str | None = None
    update_cycle: UpdateCycle = UpdateCycle.REAL_TIME
    retention_days: int = Field(ge=184, default=400)
    partitions: int = Field(ge=1, le=1024, default=4)
    avro_schema: str
    """File name under schemas/avro/resources/."""

    @property
    def id(self) -> ResourceId:
        """``<domain>.<name>.v<N>``."""
        return ResourceId(f"{self.domain}.{self.name}.v{self.version}")

    @property
    def canonical_topic(self) -> TopicName:
        """Where the accepted state lives."""
        return canonical(self.id)

    @property
    def raw_topic(self) -> TopicName:
        """Where the provider's changes arrive."""
        if isinstance(self.source, CapturedTable):
            return raw_captured(self.provider, self.source.schema_name, self.source.table)
        return raw_published(self.provider, self.domain, self.name, self.version)

    def item(self, name: str) -> Item:
        """The item of that name.

        Raises:
            KeyError: the resource has no such item.
        """
        for item in self.items:
            if item.name == name:
                return item
        raise KeyError(name)

    @model_validator(mode="after")
    def _references_exist(self) -> "Resource":
        names = [item.name for item in self.items]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"items declared twice: {', '.join(doubled)}")
        wanted = [self.identity.item, *self.scope_items]
        if self.identity.country_item:
            wanted.append(self.identity.country_item)
        missing = [name for name in wanted if name not in names]
        if missing:
            raise ValueError(
                f"identity or scope_items name items that are not declared: {', '.join(missing)}"
            )
        if self.share_type is not ShareType.UNCONDITIONAL and not self.share_basis:
            raise ValueError(
                "share_basis is missing: anything narrower than unconditional needs its legal basis"
            )
        return self


class Consumer(Declared):
    """A department that uses resources."""

    id: ConsumerId = Field(pattern=_NAME, max_length=60)
    titles: Titles
    produce_quota_bytes_per_second: int = Field(default=1_048_576, ge=1024)
    fetch_quota_bytes_per_second: int = Field(default=16_777_216, ge=1024)


class Provider(Declared):
    """A department that publishes resources, and the database that it captures them from."""

    id: ProviderId = Field(pattern=_NAME, max_length=60)
    titles: Titles
    database: str | None = None
    """Name of the connection secret set; None for departments that only publish directly."""
    incarnation: int = Field(ge=1, default=1)
    """Rises when the source is captured anew; what is declared is the floor of what apply sets."""
    system: str | None = None
    """``<system identifier>/<timeline>`` of the server that the capture began on; set by apply."""
