"""The dashboard: flow, lag, freshness, quality, what is overdue; live where there is a script; and alarms."""

from collections.abc import AsyncIterator, Mapping
from time import monotonic
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from services.api.security.asking import asker_again
from services.api.security.cookies import parts_of
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.clocks.calendar import civil_day
from services.control.store.operations import rounds
from services.control.store.parties import Parties
from services.control.store.snapshots import Kind
from services.control.store.snapshots import alarms as alarms_of
from services.portal.departments import named
from services.portal.languages import tongue_of
from services.portal.operations.asked import seeing
from services.portal.operations.doors import operations_of
from services.portal.operations.figures import figures, for_viewer, seen
from services.portal.operations.sight import may_look
from services.portal.operations.sse import HEARTBEAT, Event, Hub, as_event
from services.portal.operations.streams import HEARTBEAT_S, LASTS_S, REFUSED, Watch, streamed
from services.portal.rendering import page
from services.portal.words_of_operation import alarm

router = APIRouter(include_in_schema=False)


@router.get("/operations")
def dashboard(request: Request) -> Response:
    """The figures as tables; a script draws them and keeps them fresh."""
    return page(request, "operations/dashboard.html", **_figures(request), tag=tongue_of(request).tag)


@router.get("/operations/tables")
def tables(request: Request) -> Response:
    """The tables alone, for a script that was told of new figures."""
    return page(request, "operations/tables.html", **_figures(request))


@router.get("/operations/live")
async def live(request: Request) -> StreamingResponse:
    """Figures as they change; who comes back names the last event and gets what came after it."""
    await run_in_threadpool(_reach, request)
    hub = operations_of(request).hub
    hub.start()
    last = request.headers.get("last-event-id")
    return streamed(_events(request, hub, last))


@router.get("/operations/alarms")
def alarms(request: Request) -> Response:
    """What stands that a person must know, with what to do."""
    principal, _ = seeing(request, Action.OPERATION_LOOK)
    with parts_of(request).database.reading() as connection:
        snapshot, round_ = alarms_of(connection), rounds(connection).get(Kind.ALARM)
    language = tongue_of(request).language
    rows = [
        (document, document.get("subject", name), alarm(str(document.get("kind", name)), language))
        for name, document in snapshot.documents.items()
        if may_look(principal, Action.OPERATION_LOOK, _of_alarm(document))
    ]
    return page(request, "operations/alarms.html", rows=rows, round=round_)


async def _events(request: Request, hub: Hub, last: str | None) -> AsyncIterator[bytes]:
    ends, watch = monotonic() + LASTS_S, Watch(lambda: (asker_again(request), _reach(request)))
    async for found in hub.listen(last, HEARTBEAT_S):
        if await watch.refuses():
            yield Event("", "over", REFUSED).encoded()
            return
        if found is None:
            yield HEARTBEAT
        else:
            id_, state = found
            figures_ = await run_in_threadpool(_told, request, state)
            yield as_event(id_, "figures", figures_).encoded()
        if monotonic() > ends:
            return


def _told(request: Request, state: Mapping[str, Any]) -> dict[str, Any]:
    """What one listener sees, with departments by their names: a chart has no other place to find them."""
    shown, language = for_viewer(state, *_reach(request)), tongue_of(request).language
    rows = [{**row, "name": named(request, row["provider"], language)} for row in shown["providers"]]
    return {**shown, "providers": rows}


def _figures(request: Request) -> dict[str, Any]:
    """What the poller knows; before it has asked, what there is now."""
    operation, grants = _reach(request)
    parts, hub = parts_of(request), operations_of(request).hub
    whole: Mapping[str, Any] | None = hub.state
    with parts.database.reading() as connection:
        if whole is None:
            providers = {str(key): str(each.provider) for key, each in parts.definitions.resources.items()}
            whole = figures(seen(connection, civil_day(parts.clock())), providers)
        looked = rounds(connection)
    return {"figures": for_viewer(whole, operation, grants), "round": looked.get(Kind.RESOURCE)}


def _reach(request: Request) -> tuple[Parties | None, Parties | None]:
    _, operation = seeing(request, Action.OPERATION_LOOK)
    _, grants = seeing(request, Action.GRANT_LOOK)
    return operation, grants


def _of_alarm(document: Mapping[str, Any]) -> Whose:
    return Whose(provider=document.get("provider"))
