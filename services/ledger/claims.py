"""Claims with both sides: what a provider published, and what the owner's record said then and says now."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from services.ledger.counts import Place
from services.ledger.lookup import Lookup
from services.ledger.reader import TopicReader, in_order, read_whole
from topics.canonical import partition_of
from topics.event import KafkaRecord, ProviderId, ResourceId
from topics.names import canonical, claims

_OF: Final = claims(ProviderId(""))


class Then(StrEnum):
    """What can still be told of the owner's record at the time of the claim."""

    KNOWN = "known"
    NO_RECORD = "no_record"
    """The owner's first record of the subject came later."""
    UNKNOWN = "unknown"
    """What the canonical topic holds begins later: compacted since, or the full volume was read later."""


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One claim; ``then`` and ``current`` are None where the owner had or has no record or no value.

    ``agrees`` is about the value then, and None where there was none to compare with or it cannot be told.
    """

    at: str
    raw: str
    claimant: str
    owner: str
    resource: str
    item: str
    subject: str
    claimed: Any
    then: Any
    then_state: Then
    agrees: bool | None
    current: Any
    owner_has_record: bool
    timestamp_ms: int
    policy_version: int


def claimants(reader: TopicReader) -> list[ProviderId]:
    """The providers who have a topic of claims."""
    return [ProviderId(topic.removeprefix(_OF)) for topic in reader.topics() if topic.startswith(_OF)]


def read_claims(lookup: Lookup, provider: ProviderId) -> list[ClaimView]:
    """All claims that the provider's records led to, each beside what the owner said then and says now."""
    found = []
    for record in in_order(read_whole(lookup.reader, claims(provider))):
        value = lookup.decoder.value(record)
        if value is not None:
            found.append((record.coordinates, value))
    histories = owners_histories(lookup, (value for _, value in found))
    return [_view(at, value, histories) for at, value in found]


State = Mapping[str, Any]


@dataclass(slots=True)
class RecordHistory:
    """The states of one canonical key that its topic still holds, in the order of the source."""

    begins: bool
    """Whether the first of them is known to be the first that there ever was."""
    states: list[tuple[int, State | None]] = field(default_factory=list)
    """Source time in ms since 1970, and the state from then on; None while there is no record."""

    def at(self, time_ms: int) -> tuple[Then, State | None]:
        """The last state that is not newer than that time."""
        past = [state for since, state in self.states if since <= time_ms]
        if not past:
            return (Then.NO_RECORD if self.begins else Then.UNKNOWN), None
        return (Then.NO_RECORD if past[-1] is None else Then.KNOWN), past[-1]

    @property
    def current(self) -> State | None:
        """The newest state."""
        return self.states[-1][1]


Subject = tuple[ResourceId, str]
Histories = Mapping[Subject, Mapping[str, RecordHistory]]


def owners_histories(lookup: Lookup, wanted: Iterable[Mapping[str, Any]]) -> Histories:
    """The owner's records of each claimed subject, by record id; one pass over their partitions."""
    layout = lookup.reader.layout()
    subjects: set[Subject] = set()
    places: set[Place] = set()
    for value in wanted:
        resource, subject = ResourceId(value["owner_resource"]), value["subject"]
        partitions = len(layout.get(canonical(resource), []))
        if partitions:
            places.add(Place(canonical(resource), partition_of(subject, partitions)))
            subjects.add((resource, subject))
    histories: dict[Subject, dict[str, RecordHistory]] = {}
    for record in lookup.reader.read_all(lookup.reader.bounds_of(places)):
        _fold(lookup, record, subjects, histories)
    return histories


def _fold(
    lookup: Lookup,
    record: KafkaRecord,
    subjects: set[Subject],
    histories: dict[Subject, dict[str, RecordHistory]],
) -> None:
    key = lookup.decoder.key(record) or {}
    subject = (ResourceId(record.topic.removeprefix("resource.")), str(key.get("identity")))
    if subject not in subjects:
        return
    value = lookup.decoder.value(record)
    begins = value is not None and value["previous_known"] and value["previous"] is None
    history = histories.setdefault(subject, {}).setdefault(str(key["record_id"]), RecordHistory(begins))
    if value is None:
        # The record before it says since when; where compaction took that, the tombstone's own time must do.
        since = history.states[-1][0] if history.states else record.timestamp_ms
        history.states.append((since, None))
    else:
        alive = value["operation"] != "delete"
        history.states.append((_milliseconds(value["source_time"]), value["state"] if alive else None))


def _milliseconds(time: Any) -> int:
    """A decoded timestamp, whether the codec made a datetime of it or not."""
    return int(time) if isinstance(time, int) else round(time.timestamp() * 1000)


def _then(records: Iterable[RecordHistory], item: str, time_ms: int) -> tuple[Then, list[Any]]:
    """What the owner's records said of the item; in doubt about any of them, nothing is sure."""
    past = [record.at(time_ms) for record in records]
    values = [state.get(item) for _, state in past if state is not None]
    if not past or any(then is Then.UNKNOWN for then, _ in past):
        return Then.UNKNOWN, values
    return (Then.KNOWN if values else Then.NO_RECORD), values


def _agrees(then: Then, claimed: Any, values: list[Any]) -> bool | None:
    """A value that agrees with one of several records agrees, whatever the others were."""
    if claimed in values:
        return True
    return False if then is Then.KNOWN else None


def _shown(values: list[Any]) -> Any:
    """An identity has one record of the owner in nearly all resources; where it has more, all are shown."""
    return values[0] if len(values) == 1 else (values or None)


def _view(at: str, value: Mapping[str, Any], histories: Histories) -> ClaimView:
    subject = (ResourceId(value["owner_resource"]), str(value["subject"]))
    records = histories.get(subject, {}).values()
    then, past = _then(records, value["item"], value["timestamp_ms"])
    now = [record.current for record in records if record.current is not None]
    claimed = None if value["claimed"] is None else json.loads(value["claimed"])
    return ClaimView(
        at=at,
        raw=f"{value['topic']}:{value['partition']}:{value['offset']}",
        claimant=value["claimant"],
        owner=value["owner"],
        resource=value["owner_resource"],
        item=value["item"],
        subject=value["subject"],
        claimed=claimed,
        then=_shown(past),
        then_state=then,
        agrees=_agrees(then, claimed, past),
        current=_shown([state.get(value["item"]) for state in now]),
        owner_has_record=bool(now),
        timestamp_ms=value["timestamp_ms"],
        policy_version=value["policy_version"],
    )
