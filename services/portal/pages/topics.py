"""Topics by the snapshot, a look into one, and its records as they come; masked unless revealed."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from time import monotonic
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.running import BusUnavailable
from services.api.security.asking import asker_again, principal_of, require
from services.api.security.cookies import parts_of
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.store.operations import rounds
from services.control.store.snapshots import Kind, all_of
from services.ledger.masking import OPEN_TOPICS
from services.ledger.reader import KafkaUnavailable, ReadRefused, TopicMissing
from services.ledger.showing import NotAnOffset
from services.ledger.writer import WriteRefused
from services.portal.forms import Form, go, text
from services.portal.lists import Address, page_number
from services.portal.operations.asked import PAGE, asked, page_asked, seeing
from services.portal.operations.bridge import Bridge, Failed
from services.portal.operations.doors import Operations, operations_of
from services.portal.operations.revealing import LONGEST_REASON, ReasonMissing
from services.portal.operations.revealing import Wanted as Look
from services.portal.operations.shown import from_ms
from services.portal.operations.sight import may_look, topics_seen
from services.portal.operations.sse import HEARTBEAT, Event
from services.portal.operations.standing import require_grant
from services.portal.operations.streams import HEARTBEAT_S, LASTS_S, REFUSED, Watch, streamed
from services.portal.operations.tailing import (
    Ended,
    Finished,
    Line,
    NoSuchTopic,
    Scanned,
    Step,
    Tail,
    Wanted,
)
from services.portal.rendering import page
from topics.event import ProviderId, TopicName

router = APIRouter(include_in_schema=False)
_KIND: Final = "topic"
_DEEPEST: Final = 1_000
"""So many of the last records of a partition may be asked for."""
_DOWN: Final = (KafkaUnavailable, ReadRefused, BusUnavailable)


@router.get("/topics")
def topics_page(request: Request) -> Response:
    """The topics that the reader may look into, by name."""
    principal, _ = seeing(request, Action.DATA_TAIL)
    words, number = asked(request, "words"), page_asked(request)
    with parts_of(request).database.reading() as connection:
        snapshot, round_ = all_of(connection, Kind.TOPIC), rounds(connection).get(Kind.TOPIC)
    policy = operations_of(request).policy_if_known()
    chosen = [name for name in snapshot.documents if words is None or words in name]
    names = topics_seen(principal, chosen, policy)
    shown = names[(number - 1) * PAGE : number * PAGE]
    return page(
        request,
        "topics/list.html",
        rows=[(name, snapshot.documents[name]) for name in shown],
        total=len(names),
        following=number + 1 if number * PAGE < len(names) else None,
        round=round_,
        filtered=words is not None,
    )


@router.get("/topics/{topic}")
def topic_page(request: Request, topic: str) -> Response:
    """The records at one end of a topic, newest first; with a script, they go on coming."""
    operations = operations_of(request)
    whose = operations.whose(topic)
    require(request, Action.DATA_TAIL, whose)
    require_grant(request, topic, whose)
    number = request.query_params.get("look", "")
    wanted = _wanted(request, topic)
    revealed = _is_revealed(request, topic, whose, number)
    lines, ended, trouble = _read(operations, wanted, revealed)
    return page(
        request,
        "topics/topic.html",
        200 if trouble is None else 422,
        topic=topic,
        wanted=wanted,
        lines=sorted(lines, key=lambda line: (line.timestamp_ms, line.at), reverse=True)[: wanted.lines],
        ended=ended,
        trouble=trouble,
        revealed=revealed,
        look=number if revealed else "",
        lapsed=bool(number) and not revealed,
        may_report=_may_report(request, topic, whose),
        may_reveal=not topic.startswith(OPEN_TOPICS)
        and whose.provider is not None
        and may_look(principal_of(request), Action.DATA_REVEAL, whose),
        from_ms=from_ms,
        longest=LONGEST_REASON,
        live=_live_address(wanted, number if revealed else "", "" if ended is None else ended.position),
    )


@router.post("/topics/{topic}/reveal")
def reveal(request: Request, topic: str, form: Form) -> Response:
    """Record who looks at values and why; only then is there a page that shows them."""
    operations = operations_of(request)
    whose = operations.whose(topic)
    principal = require(request, Action.DATA_REVEAL, whose)
    require_grant(request, topic, whose)
    if whose.provider is None:
        raise AnswerProblem(Code.NOT_FOUND)
    wanted = Look(Action.DATA_REVEAL, _KIND, topic, ProviderId(whose.provider), text(form, "reason"))
    try:
        with operations.open_bus() as bus:
            number = operations.revealing.record(principal.person, wanted, bus.writer)
    except ReasonMissing as error:
        raise AnswerProblem(Code.INVALID) from error
    except (KafkaUnavailable, WriteRefused) as error:
        raise BusUnavailable(type(error).__name__) from error
    given = {name: text(form, name) for name in ("offset", "partition", "words")}
    return go(Address(f"/topics/{topic}").to(look=number, **given))


@router.get("/topics/{topic}/live")
def live(request: Request, topic: str) -> StreamingResponse:
    """Records as they come; one more who looks than there are places is told to wait."""
    operations = operations_of(request)
    whose = operations.whose(topic)
    require(request, Action.DATA_TAIL, whose)
    require_grant(request, topic, whose)
    number = request.query_params.get("look", "")
    revealed = _is_revealed(request, topic, whose, number)
    wanted = Wanted(
        TopicName(topic),
        "end",
        _partition(request),
        asked(request, "words") or "",
        follow=True,
        position=request.headers.get("last-event-id") or request.query_params.get("position", ""),
    )
    if operations.places.is_full:
        raise AnswerProblem(Code.BUSY, headers={"retry-after": "30"})
    bridge = Bridge(_producer(operations, wanted, revealed), f"tail-{topic}")
    watch = Watch(lambda: _may_listen_on(request, topic, number if revealed else ""))
    return streamed(_events(request, bridge, watch))


def _producer(
    operations: Operations, wanted: Wanted, revealed: bool
) -> Callable[[Callable[[], bool]], Iterator[Step]]:
    def produce(stopped: Callable[[], bool]) -> Iterator[Step]:
        if not operations.places.take():
            yield Finished(Ended.BUSY, 0, 0)
            return
        try:
            policy = operations.policy_if_known()
            with operations.open_bus() as bus:
                yield from Tail(bus.lookup, policy, wanted, revealed, stopped).steps()
        finally:
            operations.places.give_back()

    return produce


def _may_listen_on(request: Request, topic: str, number: str) -> None:
    """Judge anew who has been listening for a while: session, role, grant, and the look at values.

    Raises:
        AnswerProblem, BusUnavailable, StoreError: the stream has to end.
    """
    asker_again(request)
    whose = operations_of(request).whose(topic)
    require(request, Action.DATA_TAIL, whose)
    require_grant(request, topic, whose)
    if number and not _is_revealed(request, topic, whose, number):
        raise AnswerProblem(Code.FORBIDDEN)


async def _events(request: Request, bridge: Bridge[Step], watch: Watch) -> AsyncIterator[bytes]:
    ends = monotonic() + LASTS_S
    async with aclosing(bridge.pieces(HEARTBEAT_S)) as pieces:
        async for piece in pieces:
            if await watch.refuses():
                yield Event("", "over", REFUSED).encoded()
                return
            yield await _shown(request, piece)
            if isinstance(piece, Failed | Finished) or monotonic() > ends:
                return


async def _shown(request: Request, piece: Step | Failed | None) -> bytes:
    """A step of the look as it is sent; its end is the last event."""
    if piece is None:
        return HEARTBEAT
    if isinstance(piece, Line):
        shown = await run_in_threadpool(_line, request, piece)
        return Event(piece.position, "record", shown).encoded()
    if isinstance(piece, Scanned):
        shown = await run_in_threadpool(_part, request, "topics/scanned.html", {"scanned": piece})
        return Event(piece.position, "scanned", shown).encoded()
    why = type(piece.error).__name__ if isinstance(piece, Failed) else piece.why.value
    return Event("", "over", why).encoded()


def _line(request: Request, line: Line) -> str:
    topic = line.at.partition(":")[0]
    may_report = _may_report(request, topic, operations_of(request).whose(topic))
    return _part(request, "topics/line.html", {"line": line, "may_report": may_report})


def _may_report(request: Request, topic: str, whose: Whose) -> bool:
    """Whether a wrong record of the topic is the reader's to report: one that his department received."""
    received = topic.startswith("sub.") and whose.consumer is not None
    return received and may_look(principal_of(request), Action.TICKET_REPORT, whose)


def _part(request: Request, template: str, shown: Mapping[str, Any]) -> str:
    return bytes(page(request, template, from_ms=from_ms, **shown).body).decode()


def _read(
    operations: Operations, wanted: Wanted, revealed: bool
) -> tuple[list[Line], Finished | None, str | None]:
    """The lines, how the search ended, and what kept it from being made."""
    lines: list[Line] = []
    try:
        policy = operations.policy_if_known()
        with operations.open_bus() as bus:
            for step in Tail(bus.lookup, policy, wanted, revealed).steps():
                if isinstance(step, Line):
                    lines.append(step)
                elif isinstance(step, Finished):
                    return lines, step, None
    except (NoSuchTopic, TopicMissing) as error:
        raise AnswerProblem(Code.NOT_FOUND) from error
    except NotAnOffset:
        return [], None, "offset"
    except _DOWN as error:
        raise BusUnavailable(type(error).__name__) from error
    return lines, None, None


def _wanted(request: Request, topic: str) -> Wanted:
    offset = asked(request, "offset") or "-20"
    if offset.startswith("-") and offset[1:].isascii() and offset[1:].isdigit():
        offset = f"-{min(int(offset[1:18]), _DEEPEST)}"
    return Wanted(TopicName(topic), offset, _partition(request), asked(request, "words") or "", lines=200)


def _partition(request: Request) -> int | None:
    return page_number(request.query_params.get("partition", ""))


def _is_revealed(request: Request, topic: str, whose: Whose, number: str) -> bool:
    """Whether this look was recorded for who asks, who may still look."""
    principal = principal_of(request)
    if not number or not may_look(principal, Action.DATA_REVEAL, whose):
        return False
    with parts_of(request).database.reading() as connection:
        revealing = operations_of(request).revealing
        return revealing.is_recorded(connection, principal.person, _KIND, topic, number)


def _live_address(wanted: Wanted, number: str, position: str) -> str:
    partition = None if wanted.partition is None else str(wanted.partition)
    address = Address(f"/topics/{wanted.topic}/live")
    return address.to(look=number, words=wanted.words, partition=partition, position=position)
