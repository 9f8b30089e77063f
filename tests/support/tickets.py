"""A ticket of the sample city for tests: its parties, what each step needs, a ticket in each state."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.control.cases.words import Actor, Role
from services.control.clocks.calendar import Calendar
from services.control.clocks.calendar_file import china
from services.control.clocks.rules import ClockRule, WorkingDays
from services.control.tickets.correction import Correction, Verdict
from services.control.tickets.evidence import Evidence, Reported
from services.control.tickets.life import apply, report
from services.control.tickets.recipients import Receipt, Told
from services.control.tickets.ticket import Given, Opening, Ticket
from services.control.tickets.words import Action, NoticeKind, RefusalReason, Route, State, TicketRules
from topics.canonical import CANONICAL_KEY_SCHEMA, key_record
from topics.disputes import Contested, contested_values, dispute_key, record_hash
from topics.engine.reference import ReferenceCodec
from topics.event import ConsumerId, EntityKey, GrantId, ProviderId, RecordId, ResourceId, SourcePosition

PERSON: Final = ResourceId("population.person.v1")
NOW: Final = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""A Monday morning in Beijing."""
REPORTING, PROVIDING, AUTHORITY, COUNCIL = "health", "police", "data_bureau", "council"
CALENDAR: Final[Calendar] = china()
DISPATCH: Final = ClockRule(WorkingDays(2), pauses_while=("returned_for_supplement",))
RULES: Final = TicketRules(
    route=Route.AUTHORITY,
    dispatch=DISPATCH,
    verify=ClockRule(WorkingDays(5)),
    correct=ClockRule(WorkingDays(10)),
    dispute_levels=(AUTHORITY, COUNCIL),
)

REPORTER: Final = Actor("Chen", Role.CONSUMER, REPORTING)
PROVIDER: Final = Actor("Wang", Role.PROVIDER, PROVIDING)
BUREAU: Final = Actor("Li", Role.AUTHORITY, AUTHORITY)
HIGHER: Final = Actor("Gao", Role.AUTHORITY, COUNCIL)
SYSTEM: Final = Actor("control", Role.SYSTEM, "")

SECRETS: Final = {1: b"m" * 32}
KEY: Final = dispute_key(SECRETS[1], 1)
ENTITY: Final = EntityKey("resident_id:11010519491231002X", RecordId("1"))
WRONG: Final = {"name": "王小明", "address": "平江路1号", "household_district": "320508"}
RIGHT: Final = {**WRONG, "address": "平江路2号"}
EVIDENCE: Final = Evidence("ab" * 32, 2_048, "户口簿复印件")


def key_bytes(entity: EntityKey = ENTITY) -> bytes:
    """A canonical key as the gate writes it, without its schema id."""
    return ReferenceCodec(CANONICAL_KEY_SCHEMA).encode(key_record(entity))


def contested(*items: str, state: dict[str, Any] | None = None, partition: int = 0) -> Contested:
    """These items of the sample person are disputed, or with none the person as a whole."""
    hashed = record_hash(KEY, PERSON, key_bytes())
    values = contested_values(KEY, hashed, items, WRONG if state is None else state)
    return Contested(PERSON, partition, hashed, values)


def position(ordinal: int) -> SourcePosition:
    """Positions of one source, by their order."""
    return SourcePosition(0, 1, 1_000, ordinal)


def reported(ordinal: int = 17, **changes: Any) -> Reported:
    """The sample report's version."""
    at = f"resource.{PERSON}:0:{ordinal}"
    return replace(Reported(ProviderId(PROVIDING), contested("address"), at, position(ordinal)), **changes)


def opening(rules: TicketRules = RULES, **changes: Any) -> Opening:
    """A complete report."""
    wanted = Opening(
        id="0198a000-0000-7000-8000-000000000001",
        reporter=REPORTER,
        when=NOW,
        reported=reported(),
        statement="住址门牌号有误，应为2号",
        evidence=(EVIDENCE,),
        rules=rules,
    )
    return replace(wanted, **changes)


def new(rules: TicketRules = RULES, **changes: Any) -> Ticket:
    """A ticket that was just opened."""
    ticket = report(opening(rules, **changes))
    assert isinstance(ticket, Ticket), ticket
    return ticket


def corrected(ordinal: int = 30, verdict: Verdict = Verdict.CORRECTED) -> Correction:
    """A version that has come."""
    left = () if verdict in (Verdict.CORRECTED, Verdict.GONE) else ("address",)
    at = f"resource.{PERSON}:0:{ordinal}"
    return Correction(at, position(ordinal), 1_790_000_000_000, verdict, left)


def receipt(consumer: str = "health", grant: str = "health-persons-gusu", offset: int = 17) -> Receipt:
    """One delivery of the wrong version."""
    return Receipt(
        consumer=ConsumerId(consumer),
        grant=GrantId(grant),
        generation=1,
        at=f"resource.{PERSON}:0:{offset}",
        effect="delivered",
        certain=True,
        block="ledger.delivery:2:40",
        policy_version=3,
        written_ms=1_790_000_000_000,
    )


RECEIPTS: Final = (receipt(), receipt("education", "education-persons"))


def told(consumer: str = "health", grant: str = "health-persons-gusu", kind: str = "corrected") -> Told:
    """A consumer was told."""
    return Told(ConsumerId(consumer), GrantId(grant), NoticeKind(kind), f"notice-{grant}-{kind}")


def given(**changes: Any) -> Given:
    """Everything that any action demands."""
    wanted = Given(
        text="said in words",
        refusal_reason=RefusalReason.RECORD_IS_RIGHT,
        acceptable_if="bring a newer extract",
        reported=reported(31),
        correction=corrected(),
        receipts=RECEIPTS,
        told=told(),
    )
    return replace(wanted, **changes)


def taken(ticket: Ticket, action: Action, actor: Actor, now: datetime = NOW, **changes: Any) -> Ticket:
    """The ticket after an action that must succeed."""
    after = apply(ticket, action, actor, now, given(**changes), CALENDAR)
    assert isinstance(after, Ticket), after
    return after


def codes(ticket: Ticket, action: Action, actor: Actor, now: datetime = NOW, **changes: Any) -> list[str]:
    """Why an action does not take place; none where it does."""
    after = apply(ticket, action, actor, now, given(**changes), CALENDAR)
    return [] if isinstance(after, Ticket) else [problem.code for problem in after.problems]


def verifying(ticket: Ticket | None = None) -> Ticket:
    """With the provider."""
    return taken(ticket or new(), Action.DISPATCH, BUREAU)


def correcting(ticket: Ticket | None = None) -> Ticket:
    """Accepted."""
    return taken(verifying(ticket), Action.ACCEPT, PROVIDER)


def in_order(ticket: Ticket | None = None) -> Ticket:
    """The correction has come."""
    return taken(correcting(ticket), Action.ARRIVE, SYSTEM)


def refused() -> Ticket:
    """The provider finds the record right."""
    return taken(verifying(), Action.REFUSE, PROVIDER)


def confirmed() -> Ticket:
    """The reporter agrees; nobody was told yet."""
    return taken(in_order(), Action.CONFIRM, REPORTER)


def closed() -> Ticket:
    """All were told."""
    ticket = taken(confirmed(), Action.LIST, SYSTEM)
    for each in RECEIPTS:
        ticket = taken(ticket, Action.TELL, SYSTEM, told=told(each.consumer, each.grant))
    return taken(ticket, Action.CLOSE, SYSTEM)


def escalated() -> Ticket:
    """Against a refusal."""
    return taken(refused(), Action.ESCALATE, REPORTER)


IN_STATE: Final[dict[State, Callable[[], Ticket]]] = {
    State.REPORTED: new,
    State.RETURNED: lambda: taken(new(), Action.RETURN, BUREAU),
    State.VERIFYING: verifying,
    State.REFUSED: refused,
    State.ESCALATED: escalated,
    State.DISMISSED: lambda: taken(escalated(), Action.DISMISS, BUREAU),
    State.CORRECTING: correcting,
    State.CORRECTED: in_order,
    State.CONFIRMED: confirmed,
    State.CLOSED: closed,
    State.WITHDRAWN: lambda: taken(new(), Action.WITHDRAW, REPORTER),
}
"""A ticket in each state, and how it came there."""


def days(count: float) -> timedelta:
    """So many days."""
    return timedelta(days=count)
