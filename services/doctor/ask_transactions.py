"""Asks Kafka for transactions without an end, in every partition that there is; no record is read."""

import time
from collections.abc import Iterable
from typing import Any, Final

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from services.doctor.finding import Finding
from services.doctor.patient import Patient
from services.doctor.transactions import LONGEST_S, OpenTransaction, judge_transactions

_TIMEOUT_S: Final = 8.0

Place = tuple[str, int]


def ask_transactions(patient: Patient) -> list[Finding]:
    """Whether a transaction has been open for longer than anybody would work on it."""
    return [judge_transactions(open_transactions(patient.admin))]


def open_transactions(admin: AdminClient, longest_s: float = LONGEST_S) -> list[OpenTransaction]:
    """The oldest transaction without an end of every partition that has one.

    Args:
        admin: a client that may describe every topic.
        longest_s: how long one may be open; what began earlier is overdue.
    """
    topics = admin.list_topics(timeout=_TIMEOUT_S).topics
    places = [(name, partition) for name, topic in topics.items() for partition in topic.partitions]
    newest: Any = OffsetSpec
    ends = _offsets(admin, places, newest.latest())
    stable = _offsets(admin, places, newest.latest(), IsolationLevel.READ_COMMITTED)
    begins = {place: stable[place] for place in places if stable[place] < ends[place]}
    since = OffsetSpec.for_timestamp(int((time.time() - longest_s) * 1000))
    # The first record that was written since then; none where everything is older.
    young = _offsets(admin, begins, since) if begins else {}
    return [
        OpenTransaction(*place, begin, overdue=not 0 <= young[place] <= begin)
        for place, begin in begins.items()
    ]


def _offsets(
    admin: AdminClient,
    places: Iterable[Place],
    which: OffsetSpec,
    level: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
) -> dict[Place, int]:
    asked = {TopicPartition(*place): which for place in places}
    answers = admin.list_offsets(asked, isolation_level=level, request_timeout=_TIMEOUT_S)
    return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}
