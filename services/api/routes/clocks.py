"""``/api/v1/clocks``: working days counted, breaches, policy packs, the calendar, the policy of new cases."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from services.api.codes import Code
from services.api.cursors import cursor_at, place_of
from services.api.forms import Cursor, DepartmentFilter, Form, Key, Limit, Text, Word
from services.api.problems import AnswerProblem
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Document, Page
from services.api.uses import breaches, clocks
from services.control.clocks.arithmetic import MOST_DAYS
from services.control.clocks.calendar import DayKind
from services.control.store.breaches import Breach, Kind, Wish
from services.control.store.cases.policies import Adopted

router = APIRouter(prefix="/clocks", tags=["clocks"])

Year = Annotated[int, Path(ge=2004, le=2999)]


class DueAnswer(Answer):
    """A day that was counted out."""

    start: date
    working_days: int
    due: date
    provisional: bool
    waits_for: int | None


class PackAnswer(Answer):
    """A policy pack."""

    id: str
    zh: str
    en: str
    level: str
    version: int
    standing: str
    effective_from: date | None
    keys: list[str]


class DayAnswer(Answer):
    """A day that a notice names."""

    day: date
    kind: DayKind
    name: str


class YearAnswer(Answer):
    """The notice of a year."""

    year: int
    days: list[DayAnswer]


class YearForm(Form):
    """The notice of a year, whole, as the text of a calendar file."""

    content: Annotated[str, Field(min_length=1, max_length=100_000)]


class TakenAnswer(Answer):
    """Whether what was taken says anything new."""

    changed: bool


class PackForm(Form):
    """A policy pack as the text of its YAML file."""

    content: Annotated[str, Field(min_length=1, max_length=500_000)]


class AdoptionForm(Form):
    """The packs that cases are bound to from now on, and who rules on disputes, the lowest level first."""

    packs: Annotated[list[Word], Field(min_length=1, max_length=20)]
    dispute_levels: Annotated[tuple[Word, ...], Field(max_length=10)] = ()
    reason: Text


class PolicyAnswer(Answer):
    """The policy that new cases are bound to."""

    number: int
    digest: str
    adopted_at: datetime
    adopted_by: str
    reason: str
    packs: list[Document]
    dispute_levels: list[str]
    rules: Document


class BreachAnswer(Answer):
    """A duty that was not done in time."""

    kind: Kind
    id: UUID
    number: int | None
    name: str
    department: str | None = Field(description="Who is late; null for the authority.")
    obliged: str
    provider: str | None
    consumer: str | None
    key: str
    stage: str
    due_on: date
    provisional: bool
    done_on: date | None
    days_late: int
    document: str | None
    article: str | None


class BreachesAnswer(Answer):
    """Some breaches, and how many there are."""

    items: list[BreachAnswer]
    total: int


class LateAnswer(Answer):
    """A duty that is late under the other packs; `was_due_on` is null where the case has no such clock."""

    case: int
    provider: str
    consumer: str
    key: str
    stage: str
    obliged: str
    due_on: date
    was_due_on: date | None
    was_late: bool
    open: bool


class SimulationAnswer(Answer):
    """What some cases come to under other packs; `next` replays those that follow, null after the last."""

    packs: list[str]
    cases: int
    late_only_then: int
    late: list[LateAnswer]
    next: str | None


@router.get("/due")
def count_days(
    request: Request,
    start: Annotated[date, Query(ge=date(1949, 1, 1), le=date(2999, 12, 31))],
    working_days: Annotated[int, Query(ge=0, le=MOST_DAYS)],
) -> DueAnswer:
    """Say when so many working days have passed; the day of receipt does not count."""
    found = clocks.due(parts_of(request), principal_of(request), start, working_days)
    return DueAnswer(
        start=start,
        working_days=working_days,
        due=found.day,
        provisional=found.provisional,
        waits_for=found.waits_for,
    )


@router.get("/breaches")
def list_breaches(
    request: Request,
    kind: Kind | None = None,
    department: DepartmentFilter = None,
    obliged: Literal["provider", "authority"] | None = None,
    done: Annotated[bool, Query(description="Also what was done after all, too late.")] = False,
    start: Annotated[int, Query(ge=0, le=100_000, description="How many are passed over.")] = 0,
    limit: Limit = 50,
) -> BreachesAnswer:
    """List duties that are overdue, the oldest first: whose, on what, by which article, how late."""
    wish = Wish(kind, department, obliged, done)
    found, total = breaches.listed(parts_of(request), principal_of(request), wish, start, limit)
    return BreachesAnswer(items=[_breach(each) for each in found], total=total)


@router.get("/packs")
def list_packs(request: Request) -> Page[PackAnswer]:
    """List the newest version of each policy pack."""
    found = clocks.packs(parts_of(request), principal_of(request))
    items = [
        PackAnswer(
            id=each.id,
            zh=each.zh,
            en=each.en,
            level=each.level.value,
            version=each.version,
            standing=each.standing.value,
            effective_from=each.effective_from,
            keys=sorted(each.values),
        )
        for each in found.values()
    ]
    return Page(items=items)


@router.post("/packs")
def import_pack(request: Request, form: PackForm) -> TakenAnswer:
    """Take a version of a policy pack; a version that is there already never changes."""
    taken = clocks.take_pack(parts_of(request), principal_of(request), form.content)
    return TakenAnswer(changed=taken is not None)


@router.get("/policy")
def show_policy(request: Request) -> PolicyAnswer:
    """Show the policy that new cases are bound to."""
    return _policy(clocks.policy(parts_of(request), principal_of(request)))


@router.post("/policy", status_code=201, response_model=PolicyAnswer)
def adopt_policy(request: Request, form: AdoptionForm, key: Key = None) -> Response:
    """Bind the cases that are opened from now on to these packs; those that are open keep theirs."""
    parts, principal = parts_of(request), principal_of(request)
    wanted = clocks.Adoption(tuple(form.packs), tuple(form.dispute_levels), form.reason)
    asked = Asked(key, "adopt", (form.model_dump(),))
    return once(
        parts,
        principal,
        asked,
        lambda connection: Made(_policy(clocks.adopt_packs(parts, principal, connection, wanted)), 201),
    )


@router.get("/simulation")
def simulate(
    request: Request,
    pack: Annotated[tuple[Word, ...], Query(min_length=1, max_length=20)],
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500, description="So many cases are replayed at most.")] = 200,
) -> SimulationAnswer:
    """Replay past cases under other packs, each at its level, and list the duties that are late then."""
    question = ("simulation", pack)
    place = place_of(cursor, [int], *question)
    after = 0 if place is None else int(place[0])
    found = clocks.simulated(parts_of(request), principal_of(request), pack, after, limit)
    return SimulationAnswer(
        packs=list(dict.fromkeys(pack)),
        cases=found.cases,
        late_only_then=sum(not each.was_late for each in found.late),
        late=[LateAnswer.model_validate(each) for each in found.late],
        next=None if found.following is None else cursor_at([found.following], *question),
    )


@router.get("/calendar")
def list_years(request: Request) -> Page[int]:
    """List the years whose notice is there; a day that is counted beyond them is provisional."""
    return Page(items=clocks.years(parts_of(request), principal_of(request)))


@router.get("/calendar/{year}")
def show_year(request: Request, year: Year) -> YearAnswer:
    """Show the holidays of a year and the weekend days that are worked for them."""
    known = clocks.calendar(parts_of(request), principal_of(request))
    if year not in known.years:
        raise AnswerProblem(Code.NOT_FOUND)
    days = [DayAnswer.model_validate(each) for each in known.days.values() if each.year == year]
    return YearAnswer(year=year, days=days)


@router.put("/calendar/{year}")
def import_year(request: Request, year: Year, form: YearForm) -> TakenAnswer:
    """Take the notice of a year, whole, instead of the one that was there."""
    changed = clocks.take_year(parts_of(request), principal_of(request), year, form.content)
    return TakenAnswer(changed=changed)


def _breach(each: Breach) -> BreachAnswer:
    return BreachAnswer(
        kind=each.kind,
        id=each.id,
        number=each.number,
        name=each.name,
        department=each.department,
        obliged=each.obliged,
        provider=each.provider,
        consumer=each.consumer,
        key=each.key,
        stage=each.stage,
        due_on=each.due_on,
        provisional=each.provisional,
        done_on=each.done_on,
        days_late=each.days_late,
        document=None if each.source is None else each.source.document,
        article=None if each.source is None else each.source.article,
    )


def _policy(found: Adopted) -> PolicyAnswer:
    return PolicyAnswer(
        number=found.number,
        digest=found.digest,
        adopted_at=found.at,
        adopted_by=found.by,
        reason=found.reason,
        packs=[asdict(each) for each in found.policy.packs],
        dispute_levels=list(found.policy.dispute_levels),
        rules=asdict(found.policy.rules({})),
    )
