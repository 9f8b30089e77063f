"""Things that happened, for tests of notices: one of each kind, and texts that are somebody's number."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hypothesis import strategies as st

from services.control.notices.event import Happened, Parties
from services.control.notices.retrying import Dead, Failure
from services.control.notices.shown import Fact
from services.control.notices.words import Audience, Channel, Kind, Slot
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.notices import deliveries
from services.control.store.notices.happenings import tell_all

NOW: Final = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)
PORTAL: Final = "https://portal.example.cn"
PARTIES: Final[Parties] = {
    Audience.CONSUMER: ("health",),
    Audience.PROVIDER: ("police",),
    Audience.AUTHORITY: ("data_bureau",),
    Audience.OPERATOR: ("operations",),
}
FACTS: Final[Mapping[Slot, Fact]] = {
    Slot.CASE: "0199c9a0-0000-7000-8000-000000000001",
    Slot.TICKET: "17",
    Slot.GRANT: "health-persons",
    Slot.CONSUMER: "health",
    Slot.RESOURCE: "population.person.v1",
    Slot.NEW_RESOURCE: "population.person.v2",
    Slot.MAINTENANCE: "0199c9a0-0000-7000-8000-000000000002",
    Slot.OBJECTION: "3",
    Slot.ENTRY: "0199c9a0-0000-7000-8000-000000000003",
    Slot.ACCOUNT: "0199c9a0-0000-7000-8000-000000000004",
    Slot.BY: "console",
    Slot.NEED: "12",
    Slot.ASSIGNEE: "police",
    Slot.DUTY: "clocks.problem.verify",
    Slot.STEP: "back_fill",
    Slot.LEVEL: 1,
    Slot.PERCENT: 80,
    Slot.DAYS: 7,
    Slot.RECORDS: 1_200,
    Slot.DAY: date(2026, 9, 25),
    Slot.UNTIL: date(2026, 10, 30),
    Slot.BEGIN: datetime(2026, 9, 25, 14, 0, tzinfo=UTC),
    Slot.END: datetime(2026, 9, 25, 16, 0, tzinfo=UTC),
}


def happened(
    kind: Kind = Kind.CASE_ACTIVE, key: str = "", parties: Parties = PARTIES, **facts: Fact
) -> Happened:
    """Something of this kind, with every slot filled; facts by the names of their slots."""
    own = {Slot(name): fact for name, fact in facts.items()}
    return Happened(key or f"test:{kind}", kind, NOW, parties, {**FACTS, **own})


def given_up(database: ControlDatabase) -> int:
    """Tell of a case, and have its notice to the health commission's one address given up."""
    told = happened()
    with database.begin() as connection:
        tell_all(connection, [(new_id(NOW), told)], NOW)
        taken = deliveries.take(connection, told.at, told.at + timedelta(minutes=2), frozenset(Channel))
        assert taken is not None
        deliveries.failed(connection, taken, Dead(Failure.ANSWER_NOT_2XX, "410"), told.at)
    return taken.id


def _resident(digits: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return digits + "10X98765432"[total % 11]


_RESIDENTS: Final = st.builds(
    lambda born, sequence: _resident(f"320508{born:%Y%m%d}{sequence:03}"),
    st.dates(date(1920, 1, 1), date(2026, 1, 1)),
    st.integers(0, 999),
)
_DOCUMENTS: Final = st.one_of(
    _RESIDENTS,
    _RESIDENTS.map(str.lower),
    st.from_regex(r"[EGDSPHMKeg][A-HJ-NP-Z0-9][0-9]{7}", fullmatch=True),
    st.from_regex(r"[HMhm][0-9]{8}", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{7}", fullmatch=True),
    st.from_regex(r"[A-Z]{3}[0-9]{12}", fullmatch=True),
    st.sampled_from(["91350100M000100Y43", "91350100m000100y43", "a1350100m000100y43"]),
)

numbers = _DOCUMENTS
"""Numbers of persons' documents and credit codes, as people write them."""

said = st.one_of(
    _DOCUMENTS,
    st.builds(
        "{}{}{}".format, st.sampled_from(["", "张伟 ", "case-", "a.", "\r\nBcc: "]), _DOCUMENTS, st.just("")
    ),
    st.builds("{}{}{}".format, st.just(""), _DOCUMENTS, st.sampled_from(["-x", ".v1", "\n", "@example.cn"])),
)
"""Such numbers within whatever stands around them."""
