"""Connectors: the worst state of connector and tasks, the trace of what failed, how far a full volume is."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from producers.connect_status import Health
from producers.snapshot import SnapshotState
from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import require
from services.api.security.cookies import parts_of
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.store.operations import rounds
from services.control.store.snapshots import Document, Kind, all_of, one, some_of
from services.portal.languages import tongue_of
from services.portal.operations.asked import PAGE, asked, page_asked, seeing
from services.portal.operations.sight import may_look
from services.portal.rendering import page
from services.portal.words_of_operation import coded
from topics.names import SINK_PREFIX

router = APIRouter(include_in_schema=False)
_CAPTURE: Final = "capture."


@router.get("/connectors")
def connectors_page(request: Request) -> Response:
    """All connectors that the reader may see, the worst first."""
    principal, _ = seeing(request, Action.OPERATION_LOOK)
    words, number = asked(request, "words"), page_asked(request)
    with parts_of(request).database.reading() as connection:
        snapshot, round_ = all_of(connection, Kind.CONNECTOR), rounds(connection).get(Kind.CONNECTOR)
        grants = _grants(connection, snapshot.documents)
    rows = [
        (name, document)
        for name, document in snapshot.documents.items()
        if (words is None or words in name)
        and may_look(principal, Action.OPERATION_LOOK, whose_of(name, grants))
    ]
    rows.sort(key=lambda row: (badness(row[1]), row[0]))
    shown = rows[(number - 1) * PAGE : number * PAGE]
    return page(
        request,
        "connectors/list.html",
        rows=shown,
        total=len(rows),
        following=number + 1 if number * PAGE < len(rows) else None,
        round=round_,
        filtered=words is not None,
        snapshot_word=_snapshot_word(request),
    )


@router.get("/connectors/{name}")
def connector_page(request: Request, name: str) -> Response:
    """One connector with its tasks."""
    with parts_of(request).database.reading() as connection:
        found, round_ = one(connection, Kind.CONNECTOR, name), rounds(connection).get(Kind.CONNECTOR)
        grants = _grants(connection, [name])
    require(request, Action.OPERATION_LOOK, whose_of(name, grants))
    if found is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return page(
        request,
        "connectors/connector.html",
        name=name,
        document=found.document,
        round=round_,
        snapshot_word=_snapshot_word(request),
    )


def whose_of(name: str, grants: Mapping[str, Document]) -> Whose:
    """A capture is called after its provider, a sink after its grant, whose departments the snapshot says."""
    if name.startswith(_CAPTURE):
        return Whose(provider=name.removeprefix(_CAPTURE))
    grant = grants.get(name.removeprefix(SINK_PREFIX), {})
    return Whose(grant.get("provider"), grant.get("consumer"))


def badness(document: Mapping[str, Any]) -> int:
    """How bad a connector stands, 0 the worst; a state that nobody has heard of is as bad as any."""
    state = str(document.get("state", "")).upper()
    return -int(Health[state]) if state in Health.__members__ else -int(max(Health))


def _snapshot_word(request: Request) -> Callable[[str], str]:
    """How pages say a state of a full volume; one that nobody here has heard of is shown as it is."""
    language = tongue_of(request).language
    return lambda state: coded(SnapshotState, state, language) or state


def _grants(connection: Connection, names: Iterable[str]) -> Mapping[str, Document]:
    """The grants of the sinks among connectors."""
    wanted = [name.removeprefix(SINK_PREFIX) for name in names if name.startswith(SINK_PREFIX)]
    return some_of(connection, Kind.GRANT, wanted).documents if wanted else {}
