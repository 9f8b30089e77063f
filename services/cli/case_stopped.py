"""What holds the grant of a case beside the case: as the collector saw it last, with who ordered it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from services.control.store import snapshots
from services.control.suspension.journal import FileJournal, Journal, JournalUnreadable, suspensions_path
from services.stack.settings import StackSettings
from topics.event import GrantId
from topics.grants.hold import HoldScope


def wider_stops(
    connection: Connection, grant: GrantId, journal: Journal | None = None
) -> list[dict[str, Any]]:
    """Suspensions of a consumer, a resource or everything that stop this grant; its case stays what it is.

    Args:
        connection: in the caller's transaction.
        grant: the grant of the case.
        journal: of suspensions; that of the stack which the environment names, if it is not given.
    """
    kept = journal or FileJournal(suspensions_path(StackSettings.from_environment().home))
    seen = snapshots.some_of(connection, snapshots.Kind.GRANT, [grant]).documents.get(grant, {})
    wide = [each for each in seen.get("stops", ()) if each["scope"] != HoldScope.GRANT.value]
    return [{**each, "by": _by(kept, each)} for each in wide]


def _by(journal: Journal, stop: Mapping[str, Any]) -> str:
    """Who ordered it; empty where the journal of this machine does not know."""
    try:
        saved = journal.load(stop["id"])
    except (JournalUnreadable, OSError, ValueError):
        return ""
    return "" if saved is None else str(saved["by"])
