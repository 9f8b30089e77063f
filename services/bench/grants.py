"""Bench 4: many grants on one resource, in grant groups, at full and at trickle rate.

Cost must grow no faster than the outputs do, and a grant whose topic refuses writes stops its own group only.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import requests
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from services.bench.books import Books, StandsStill
from services.bench.latency import Department, percentiles
from services.bench.probe import cpu_seconds, resident_mb
from services.bench.ride import Ride
from services.bench.workload import PERSON, canonical_records, with_time
from topics.event import GrantId, OutputRecord
from topics.grants.declaration import Grant
from topics.names import fanout_group
from topics.policy import GrantPolicy

_SHAPES: Final = ("health-persons", "education-persons", "tax-persons", "housing-persons")
_HTTP_S: Final = 5.0
_STILL_S: Final = 5.0
_WARM: Final = 200
"""Records that are delivered before any cost is measured: a process that just started meets each topic."""
_TRICKLE_GRANTS: Final = 100
"""Up to so many grants the trickle is as it was asked for; above it the deliveries a second stay the same."""
_READERS: Final = 10
"""Grants whose arrivals are timed: the first of each group, then more, up to so many."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many grants in turn, how large the groups, how many records at full and at trickle rate."""

    counts: Sequence[int]
    per_group: int
    deliveries: int
    """At full rate about so many records are delivered at each count, so that none takes forever."""
    least_records: int
    """Never fewer than so many: a batch of a few records pays for each partition and not for each record."""
    trickle_per_second: float
    """Records a second under up to a hundred grants."""
    trickle_s: float

    def records(self, count: int) -> int:
        """How many records are written at full rate under so many grants."""
        return max(self.least_records, self.deliveries // count)

    def trickle(self, count: int) -> float:
        """How many records a second are a trickle under so many grants."""
        return min(self.trickle_per_second, self.trickle_per_second * _TRICKLE_GRANTS / count)


def many_grants(given: Mapping[GrantId, Grant], count: int, per_group: int) -> dict[GrantId, Grant]:
    """So many grants in the shapes of the given ones, ``per_group`` of them in each group."""
    found = {}
    for number in range(count):
        shape = given[GrantId(_SHAPES[number % len(_SHAPES)])]
        name = GrantId(f"many-{number:04d}")
        group = f"g{number // per_group:02d}"
        found[name] = shape.model_copy(update={"id": name, "group": group})
    return found


def run(ride: Ride, plan: Plan) -> dict[str, Any]:
    """Apply more and more grants and measure each time; at the end one topic refuses writes."""
    found: dict[str, Any] = {}
    topic = ""
    for count in plan.counts:
        if topic:
            # New grants are filled from what the resource holds: nothing, so that only live work is measured.
            ride.io.clear([topic])
        begin = time.monotonic()
        ride.machinery.apply(count, plan.per_group)
        applied = time.monotonic() - begin
        topic = ride.machinery.policy().resources[PERSON].resource.canonical_topic
        ride.io.make_clearable([topic])
        groups = ride.machinery.policy().groups()
        ride.say(f"{count} grants in {len(groups)} groups are applied after {applied:.0f} s")
        pids = {group: ride.machinery.start_fanout(group) for group in groups}
        found[str(count)] = {
            "groups": len(groups),
            "apply_seconds": round(applied, 1),
            **_Measure(ride, plan, count, pids).both_rates(),
        }
        ride.say(f"{count} grants: {found[str(count)]['full']}")
    return {"per_group": plan.per_group, "grants": found, "isolation": isolation(ride, plan)}


@dataclass(slots=True)
class _Measure:
    ride: Ride
    plan: Plan
    count: int
    pids: Mapping[str, int]

    def both_rates(self) -> dict[str, Any]:
        """Full rate, then a trickle."""
        books = Books.open(self.ride.stack)
        try:
            return {"full": self._full(books), "trickle": self._trickle(books)}
        finally:
            books.close()

    def _full(self, books: Books) -> dict[str, Any]:
        self._measured(books, self._pool(_WARM, 3), None)
        return self._measured(books, self._pool(self.plan.records(self.count), 0), None)

    def _pool(self, records: int, seed: int) -> list[OutputRecord]:
        return list(canonical_records(self.ride.machinery.policy(), PERSON, records, self.ride.seed + seed))

    def _trickle(self, books: Books) -> dict[str, Any]:
        per_second = self.plan.trickle(self.count)
        pool = self._pool(int(per_second * self.plan.trickle_s), 1)
        readers = [_department(self.ride, entry) for entry in self._timed()]
        try:
            found = self._measured(books, pool, per_second)
            latencies = [each.latency_ms for reader in readers for each in reader.take()]
        finally:
            for reader in readers:
                reader.close()
        return found | {"latency_ms": percentiles(latencies), "grants_timed": len(readers)}

    def _timed(self) -> list[GrantPolicy]:
        entries = list(self.ride.machinery.policy().grants.values())
        active = [entry for entry in entries if entry.grant.group in self.pids]
        firsts = {entry.grant.group: entry for entry in reversed(active)}
        chosen = [*firsts.values(), *(entry for entry in active if entry not in firsts.values())]
        return chosen[:_READERS]

    def _measured(
        self, books: Books, records: list[OutputRecord], per_second: float | None
    ) -> dict[str, Any]:
        """Write the records, wait for all deliveries, and return what one delivery cost."""
        while books.read():
            pass
        wanted = books.delivered.total() + len(records) * self.count
        broker = self.ride.pid("kafka")
        before = self._cpu(), cpu_seconds(broker), self._transactions()
        begin = time.monotonic()
        self.ride.io.fill(_paced(self.ride, records, per_second))
        books.wait(lambda found: found.delivered.total() >= wanted, what=f"{self.count} grants to be served")
        seconds = time.monotonic() - begin
        delivered = len(records) * self.count
        after = self._transactions()
        transactions, in_transactions = after[0] - before[2][0], after[1] - before[2][1]
        return {
            "records": len(records),
            "delivered": delivered,
            "seconds": round(seconds, 2),
            "delivered_per_second": round(delivered / seconds, 1),
            "client_us_per_delivery": round((self._cpu() - before[0]) / delivered * 1e6, 2),
            "broker_us_per_delivery": round((cpu_seconds(broker) - before[1]) / delivered * 1e6, 2),
            "transactions": transactions,
            "seconds_per_transaction": round(in_transactions / max(1, transactions), 3),
            "resident_mb": round(max(resident_mb(pid) for pid in self.pids.values()), 1),
        }

    def _cpu(self) -> float:
        return sum(cpu_seconds(pid) for pid in self.pids.values())

    def _transactions(self) -> tuple[int, float]:
        """Transactions of all groups so far, and the seconds they were open, by the processors' metrics."""
        found = [_histogram(self.ride, group, "govbus_transaction_duration_seconds") for group in self.pids]
        return sum(count for count, _ in found), sum(seconds for _, seconds in found)


def _histogram(ride: Ride, group: str, name: str) -> tuple[int, float]:
    """Count and sum of a process's histogram, from the page that Prometheus reads."""
    url = ride.machinery.status_url(f"{fanout_group(group)}.0").replace("/status", "/metrics")
    lines = requests.get(url, timeout=_HTTP_S).text.splitlines()
    samples = [line.rsplit(" ", 1) for line in lines if line.startswith(name)]
    count = sum(float(value) for text, value in samples if text.startswith(f"{name}_count"))
    return int(count), sum(float(value) for text, value in samples if text.startswith(f"{name}_sum"))


def _department(ride: Ride, entry: GrantPolicy) -> Department:
    path = ride.stack.settings.home / "credentials" / f"{entry.grant.consumer}.json"
    return Department(path, entry.grant.topic)


def _paced(ride: Ride, records: list[OutputRecord], per_second: float | None) -> Iterator[OutputRecord]:
    """The records as fast as they go, or evenly spread with the time of their writing in them."""
    if per_second is None:
        yield from records
        return
    envelope = ride.machinery.policy().resources[PERSON].envelope_schema
    begin = time.monotonic()
    for number, record in enumerate(records):
        rest = begin + number / per_second - time.monotonic()
        if rest > 0:
            time.sleep(rest)
        yield replace(record, value=with_time(record.value, envelope, time.time_ns() // 1_000_000))


def isolation(ride: Ride, plan: Plan) -> dict[str, Any] | None:
    """Forbid writes to one grant's topic: its group stops, the others go on; then it catches up."""
    policy = ride.machinery.policy()
    groups = sorted({entry.grant.group for entry in policy.grants.values()})
    if len(groups) < 2:
        return None
    refused = next(entry.grant for entry in policy.grants.values() if entry.grant.group == groups[0])
    denial = AclBinding(
        ResourceType.TOPIC,
        refused.topic,
        ResourcePatternType.LITERAL,
        "User:fanout",
        "*",
        AclOperation.WRITE,
        AclPermissionType.DENY,
    )
    books = Books.open(ride.stack)
    ride.say(f"writes to {refused.topic} are forbidden: group {groups[0]} must stop, no other")
    try:
        return _isolated(ride, plan, books, denial, groups)
    finally:
        books.close()


def _isolated(ride: Ride, plan: Plan, books: Books, denial: AclBinding, groups: list[str]) -> dict[str, Any]:
    admin = ride.stack.admin()
    policy = ride.machinery.policy()
    records = list(canonical_records(policy, PERSON, max(50, plan.deliveries // 1_000), ride.seed + 2))
    while books.read():
        pass
    before = dict(books.canonical)
    for answer in admin.create_acls([denial]).values():
        answer.result()
    ride.io.fill(records)

    def reached(found: Books, some: Sequence[str]) -> bool:
        names = [fanout_group(group) for group in some]
        return all(found.canonical[name] >= before.get(name, 0) + len(records) for name in names)

    try:
        books.wait(lambda found: reached(found, groups[1:]), what="the other groups")
        others_go_on = True
    except StandsStill:
        others_go_on = False
    # Long enough for a group that is only slower to show it.
    until = time.monotonic() + _STILL_S
    while time.monotonic() < until and not reached(books, groups[:1]):
        books.read()
    stopped = not reached(books, groups[:1])
    for deleted in admin.delete_acls([_filter(denial)]).values():
        deleted.result()
    try:
        books.wait(lambda found: reached(found, groups), what="the stopped group to catch up")
        recovered = True
    except StandsStill:
        recovered = False
    return {"own_group_stopped": stopped, "others_went_on": others_go_on, "recovered": recovered}


def _filter(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )
