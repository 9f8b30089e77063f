"""A department's inbox as pages and the API show it."""

from collections.abc import Collection

from services.api.parts import Parts
from services.api.security.asking import permit
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal
from services.control.store.notices.inbox import Received, mark_read, page, unread_count


def inbox(
    parts: Parts, principal: Principal, *, before: int | None = None, limit: int = 20, unread: bool = False
) -> list[Received]:
    """What the own department was told, the newest first."""
    permit(parts, principal, Action.CATALOGUE_LOOK, own(principal))
    with parts.database.reading() as connection:
        return page(
            connection, principal.department, principal.person, before=before, limit=limit, unread=unread
        )


def unread(parts: Parts, principal: Principal) -> int:
    """How many of them this person has not read."""
    permit(parts, principal, Action.CATALOGUE_LOOK, own(principal))
    with parts.database.reading() as connection:
        return unread_count(connection, principal.department, principal.person)


def read(parts: Parts, principal: Principal, ids: Collection[int]) -> int:
    """Note that this person has read these; returns how many were new to him."""
    permit(parts, principal, Action.CATALOGUE_LOOK, own(principal))
    with parts.database.begin() as connection:
        return mark_read(connection, principal.department, principal.person, ids, parts.clock())
