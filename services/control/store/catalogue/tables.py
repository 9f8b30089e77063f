"""The tables of the catalogue: an entry as it is listed and found, its versions, their items, its steps."""

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.control.catalogue.lifecycle import Action, Role, State
from services.control.catalogue.vocabulary import (
    Cycle,
    FormatClass,
    Grade,
    ItemType,
    Library,
    OpenType,
    ResourceClass,
    Sensitivity,
)
from services.control.store.metadata import INSTANT, METADATA, one_of
from topics.resource import ShareType

ENTRIES: Final = Table(
    "catalogue_entries",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("code", Text, unique=True),
    Column("department", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("newest", Integer, nullable=False),
    Column("published", Integer),
    Column("shown", Integer, nullable=False),
    Column("lock_version", Integer, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("changed_at", INSTANT, nullable=False),
    # What the shown version says, for lists.
    Column("name", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("provider_code", Text, nullable=False),
    Column("resource_class", Text),
    Column("library", Text),
    Column("share_type", Text, nullable=False),
    Column("open_type", Text),
    Column("update_cycle", Text),
    Column("format_class", Text),
    Column("item_count", Integer, nullable=False),
    Column("sort_key", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("name_initials", Text, nullable=False),
    Column("search_text", Text, nullable=False),
    one_of("state", State),
    one_of("resource_class", ResourceClass),
    one_of("library", Library),
    one_of("share_type", ShareType),
    one_of("open_type", OpenType),
    one_of("update_cycle", Cycle),
    one_of("format_class", FormatClass),
    Index("ix_catalogue_entries_order", "sort_key", "id"),
    Index("ix_catalogue_entries_name", "provider_code", "name_key"),
)
"""One row for each entry; ``shown`` is the published version, the newest where none is."""

VERSIONS: Final = Table(
    "catalogue_versions",
    METADATA,
    Column("entry_id", Uuid, ForeignKey("catalogue_entries.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    one_of("state", State),
)
"""What a version says, but for its items."""

ITEMS: Final = Table(
    "catalogue_items",
    METADATA,
    Column("entry_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("item_type", Text),
    Column("length", Integer),
    Column("name_en", Text, nullable=False),
    Column("is_key", Boolean, nullable=False),
    Column("sensitivity", Text),
    Column("grade", Text),
    Column("owner", Text, nullable=False),
    ForeignKeyConstraint(
        ["entry_id", "number"], ["catalogue_versions.entry_id", "catalogue_versions.number"]
    ),
    one_of("item_type", ItemType),
    one_of("sensitivity", Sensitivity),
    one_of("grade", Grade),
)

STEPS: Final = Table(
    "catalogue_steps",
    METADATA,
    Column("entry_id", Uuid, ForeignKey("catalogue_entries.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("before", Text),
    Column("after", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("acted_at", INSTANT, nullable=False),
    Column("why", Text, nullable=False),
    Column("changed_on", Date),
    one_of("action", Action),
    one_of("before", State),
    one_of("after", State),
    one_of("role", Role),
)
"""What happened to which version; rows are only ever added."""
