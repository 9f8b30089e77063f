"""What departments are told of a ruling: that a grant of theirs loses an item."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from services.control.notices.digest import next_digest
from services.control.notices.of_grants import loses_item
from services.control.notices.words import Audience
from services.control.ownership.decided import Given
from services.control.store.cases.tables import CASES
from services.control.store.clocks.calendars import read_calendar
from services.control.store.ids import new_id
from services.control.store.notices.happenings import tell
from services.control.store.notices.offices import offices
from topics.event import GrantId


def tell_losing(connection: Connection, given: Given, losing: Iterable[GrantId], now: datetime) -> int:
    """Tell the parties of each grant that shows the item, once for a ruling; returns how many it was news.

    Grants are known by their cases; one that no case stands behind has nobody here to be told.
    """
    known = offices(connection)
    wanted = select(CASES.c.grant_id, CASES.c.consumer, CASES.c.provider)
    rows = connection.execute(wanted.where(CASES.c.grant_id.in_(sorted(losing))).order_by(CASES.c.grant_id))
    digest_at = next_digest(now, read_calendar(connection))
    told = 0
    for row in rows.all():
        parties = {
            Audience.CONSUMER: (row.consumer,),
            Audience.PROVIDER: (row.provider,),
            Audience.OPERATOR: known.operator,
        }
        happened = loses_item(row.grant_id, given.owner, given.id, now, parties)
        id_: UUID = new_id(now)
        told += tell(connection, happened, id_, digest_at)
    return told
