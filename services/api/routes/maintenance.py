"""``/api/v1/maintenance``: announced early enough or refused; everybody sees what comes."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, Field, StringConstraints

from services.api.forms import Form, Key, Text
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import maintenance
from services.api.uses.maintenance import Planned, Wanted
from services.control.store.notices.tables import WorkState
from services.control.store.notices.works import Kept

router = APIRouter(prefix="/maintenance", tags=["maintenance"])

Moment = Annotated[
    AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2999, 12, 31, tzinfo=UTC))
]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class AnnouncementForm(Form):
    """When the service may be interrupted, and what for; the reason stands in the ledger."""

    begin: Moment
    end: Moment
    why: Why


class AnnouncementAnswer(Answer):
    """Maintenance that was announced.

    `waits_for` is the year whose notice on holidays may still make the notice too short; `too_short`: it has.
    """

    id: UUID
    begin: datetime
    end: datetime
    state: WorkState
    announced_at: datetime
    notice_days: int
    waits_for: int | None
    too_short: bool
    cancelled_at: datetime | None


@router.get("")
def list_maintenance(request: Request) -> Page[AnnouncementAnswer]:
    """List announced maintenance that is not over, the next first."""
    found = maintenance.coming(parts_of(request), principal_of(request))
    return Page(items=[_planned(each) for each in found])


@router.post("", status_code=201, response_model=AnnouncementAnswer)
def announce_maintenance(request: Request, form: AnnouncementForm, key: Key = None) -> Response:
    """Announce maintenance to every department; a notice that would be too short is refused."""
    parts, principal = parts_of(request), principal_of(request)
    wanted = Wanted(form.begin.astimezone(UTC), form.end.astimezone(UTC), form.why)
    return once(
        parts,
        principal,
        Asked(key, "announce-maintenance", (form.model_dump(mode="json"),)),
        lambda connection: _made(maintenance.announced(parts, principal, connection, wanted)),
    )


@router.get("/{id_}")
def show_maintenance(request: Request, id_: UUID) -> AnnouncementAnswer:
    """Show an announcement, also one that was withdrawn or is over."""
    return _planned(maintenance.shown(parts_of(request), principal_of(request), id_))


@router.delete("/{id_}", status_code=204)
def withdraw_maintenance(request: Request, id_: UUID, why: Text = "") -> None:
    """Withdraw an announcement before the work begins; every department is told."""
    maintenance.withdrawn(parts_of(request), principal_of(request), id_, why)


def _made(kept: Kept) -> Made:
    return Made(_answer(kept, too_short=False), 201, {"location": f"/api/v1/maintenance/{kept.work.id}"})


def _planned(planned: Planned) -> AnnouncementAnswer:
    return _answer(planned.kept, too_short=planned.too_short)


def _answer(kept: Kept, *, too_short: bool) -> AnnouncementAnswer:
    return AnnouncementAnswer(
        id=UUID(kept.work.id),
        begin=kept.work.begin,
        end=kept.work.end,
        state=kept.state,
        announced_at=kept.announced_at,
        notice_days=kept.notice_days,
        waits_for=kept.waits_for,
        too_short=too_short,
        cancelled_at=kept.cancelled_at,
    )
