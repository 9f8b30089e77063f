"""Replays cases under another policy pack: which duties would have been late, and which would be now."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from services.control.clocks.calendar import Calendar
from services.control.clocks.pack import Pack
from services.control.docket.bound import Bound, with_pack
from services.control.docket.case_clocks import DueLine, clocks_of, due_lines
from services.control.docket.filed import Filed


@dataclass(frozen=True, slots=True)
class Late:
    """A duty that is late under the other pack."""

    case: int
    provider: str
    consumer: str
    key: str
    stage: str
    obliged: str
    due_on: date
    """Under the other pack."""
    was_due_on: date | None
    """Under the policy that the case is bound to; None where that has no such clock, or it stands still."""
    was_late: bool
    open: bool
    """The duty is still to be done."""


def another(policy: Bound, packs: Sequence[Pack]) -> Bound:
    """The policy with other packs, each at its level."""
    for pack in packs:
        policy = with_pack(policy, pack)
    return policy


def late_under(filed: Filed, other: Bound, calendar: Calendar, today: date) -> Iterator[Late]:
    """Yield the duties of a case that are late under another policy; what happened to it stays as it was.

    A stage that only the other policy has, such as a pre-check, has no clock: the case never was in it.
    """
    before = {_which(line): line for line in due_lines(filed.clocks, calendar)}
    for line in due_lines(clocks_of(filed.case, other, filed.facts), calendar):
        if line.due_on is None or line.advisory or not _is_late(line, today):
            continue
        known = before.get(_which(line))
        yield Late(
            case=filed.number,
            provider=filed.case.opening.provider,
            consumer=filed.case.opening.applicant,
            key=line.key,
            stage=line.stage,
            obliged=line.obliged,
            due_on=line.due_on,
            was_due_on=None if known is None else known.due_on,
            was_late=known is not None and not known.advisory and _is_late(known, today),
            open=line.open,
        )


def replayed(
    cases: Iterable[Filed], packs: Sequence[Pack], calendar: Calendar, today: date
) -> Iterator[tuple[int, list[Late]]]:
    """Yield for each case its number and the duties that are late under other packs, each at its level."""
    others: dict[str, Bound] = {}
    for filed in cases:
        if filed.digest not in others:
            others[filed.digest] = another(filed.policy, packs)
        yield filed.number, list(late_under(filed, others[filed.digest], calendar, today))


def _which(line: DueLine) -> tuple[str, str, str]:
    return line.key, line.stage, line.begun_at.isoformat()


def _is_late(line: DueLine, today: date) -> bool:
    return line.late or (line.open and line.due_on is not None and line.due_on < today)
