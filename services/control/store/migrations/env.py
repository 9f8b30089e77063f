"""Runs the migrations on the connection, in the transaction, that `services.control.store.migrate` gives."""

from alembic import context

from services.control.store.metadata import METADATA
from services.control.store.migrate import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
