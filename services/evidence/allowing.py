"""What decision blocks say, and whether the policy version that each names allowed what it delivered.

The days of a grant are judged record by record where it is delivered; a block holds no times of single
records, so they are not judged here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from services.evidence.cuts import Cuts
from services.evidence.entries import ACTS, DELIVERY, INTAKE, POLICY, Entry
from services.evidence.faults import Fault, Faulty

_COPIER: Final = "copier."
_REPLAY: Final = "copier.replay."
_CATCH_UP: Final = ".catch-up"
_GRANT_TOPICS: Final = "sub."
_WITHDRAWN: Final = frozenset({"suspended", "revoked"})


class Delivered(NamedTuple):
    """What went out under one generation of a grant by one policy version."""

    grant: str
    generation: int
    policy_version: int
    consumer: str
    resource: str
    purpose: str
    legal_basis: str
    delivered: int
    tombstoned: int
    withheld: int
    blocks: int


class Covered(NamedTuple):
    """Which offsets of an input partition one live reader decided, without a gap; the end is excluded."""

    group: str
    topic: str
    partition: int
    from_offset: int
    to_offset: int


@dataclass(slots=True)
class _Sum:
    delivered: int = 0
    tombstoned: int = 0
    withheld: int = 0
    blocks: int = 0


@dataclass(slots=True)
class Reading:
    """Reads entries in the order of the log and remembers what the next one is held against."""

    _policies: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    _begins: dict[tuple[str, str, int], int] = field(default_factory=dict)
    _positions: dict[tuple[str, str, int], int] = field(default_factory=dict)
    _sums: dict[tuple[str, int, int], _Sum] = field(default_factory=dict)
    _cuts: Cuts = field(default_factory=Cuts)

    def learn(self, entry: Entry, where: str) -> None:
        """Take a policy version that the log is proven to hold.

        Raises:
            Faulty: it is none.
        """
        try:
            version, grants = _fixed(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise Faulty(Fault.ENTRY_UNREADABLE, where, str(error)) from error
        self._policies[version] = grants

    def read(self, entry: Entry) -> None:
        """Judge the next entry.

        Raises:
            Faulty: it cannot be read, its chain has a gap, or nothing allowed what it delivered.
        """
        if entry.value is None:
            raise Faulty(Fault.ENTRY_UNREADABLE, str(entry), "the ledger holds a record that nobody can read")
        try:
            self._take(entry, entry.value)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Faulty(Fault.ENTRY_UNREADABLE, str(entry), f"neither block nor act: {error}") from error

    def read_alone(self, entry: Entry) -> None:
        """Judge one delivery block, whatever stands before and after it in its chain.

        Raises:
            Faulty: it cannot be read, or nothing allowed what it delivered.
        """
        if entry.value is None:
            raise Faulty(Fault.ENTRY_UNREADABLE, str(entry), "the ledger holds a record that nobody can read")
        try:
            self._judge(entry, entry.value)
        except (KeyError, TypeError, AttributeError) as error:
            raise Faulty(Fault.ENTRY_UNREADABLE, str(entry), f"no decision block: {error}") from error

    def grant(self, version: int, grant: str) -> Mapping[str, Any]:
        """What a policy version says of a grant; nothing where it does not know it."""
        found: Mapping[str, Any] = self._policies[version].get(grant, {}).get("grant", {})
        return found

    def groups(self, version: int, resource: str) -> set[str]:
        """The fan-out groups in which that version has grants of a resource."""
        grants = (each["grant"] for each in self._policies[version].values())
        return {str(each.get("group", "default")) for each in grants if each.get("resource") == resource}

    def delivered(self) -> list[Delivered]:
        """What went out, by grant, generation and policy version.

        Raises:
            Faulty: something went out after the ledger had its cut.
        """
        self._cuts.check()
        return [self._line(*key, found) for key, found in sorted(self._sums.items())]

    def covered(self) -> list[Covered]:
        """What live readers decided, by group and input partition."""
        return [Covered(*chain, self._begins[chain], end) for chain, end in sorted(self._positions.items())]

    def _take(self, entry: Entry, value: Mapping[str, Any]) -> None:
        if entry.topic in (INTAKE, DELIVERY):
            self._link(entry, value)
        if entry.topic == DELIVERY:
            self._judge(entry, value)
        elif entry.topic == ACTS:
            self._cuts.act(entry, value)

    def _link(self, entry: Entry, block: Mapping[str, Any]) -> None:
        """Live readers decide a partition from end to end; copiers and catch-ups begin anew."""
        group = block["group"]
        if group.startswith(_COPIER) or group.endswith(_CATCH_UP):
            return
        chain = (group, block["topic"], block["partition"])
        expected = self._positions.get(chain, block["from_offset"])
        if block["from_offset"] != expected:
            what = f"it begins at {block['from_offset']}, the one before ended at {expected}"
            raise Faulty(Fault.CHAIN_BROKEN, str(entry), what)
        self._begins.setdefault(chain, block["from_offset"])
        self._positions[chain] = block["to_offset"]

    def _judge(self, entry: Entry, block: Mapping[str, Any]) -> None:
        version = block["policy_version"]
        allowed: dict[str, int] = {}
        for count in block["grants"]:
            written = count["delivered"] + count["tombstoned"]
            grant = self._policy(entry, version).get(count["grant"])
            if written:
                topic = _allowed(entry, block, count, grant)
                allowed[topic] = allowed.get(topic, 0) + written
            self._add(count, version)
        for output in block["outputs"]:
            if output["topic"].startswith(_GRANT_TOPICS):
                topic = _topic_of_grant(block["group"], output["topic"])
                allowed[topic] = allowed.get(topic, 0) - output["records"]
                self._cuts.delivered(entry, version, topic)
        for topic, difference in allowed.items():
            if difference:
                what = f"{topic}: what was written is not what its grant counts"
                raise Faulty(Fault.NOT_ALLOWED, str(entry), what)

    def _policy(self, entry: Entry, version: int) -> Mapping[str, Any]:
        if version not in self._policies:
            raise Faulty(Fault.POLICY_MISSING, str(entry), f"no proof of policy version {version}")
        return self._policies[version]

    def _add(self, count: Mapping[str, Any], version: int) -> None:
        found = self._sums.setdefault((count["grant"], count["generation"], version), _Sum())
        found.delivered += count["delivered"]
        found.tombstoned += count["tombstoned"]
        found.withheld += sum(count["withheld"].values())
        found.blocks += 1

    def _line(self, grant: str, generation: int, version: int, found: _Sum) -> Delivered:
        right = self._policies[version].get(grant, {}).get("grant", {})
        return Delivered(
            grant=grant,
            generation=generation,
            policy_version=version,
            consumer=str(right.get("consumer", "")),
            resource=str(right.get("resource", "")),
            purpose=str(right.get("purpose", "")),
            legal_basis=str(right.get("legal_basis", "")),
            delivered=found.delivered,
            tombstoned=found.tombstoned,
            withheld=found.withheld,
            blocks=found.blocks,
        )


def _allowed(
    entry: Entry, block: Mapping[str, Any], count: Mapping[str, Any], fixed: Mapping[str, Any] | None
) -> str:
    """The topic on which the grant delivers.

    Raises:
        Faulty: the policy version does not allow it.
    """
    named = f"grant {count['grant']} generation {count['generation']}, policy {block['policy_version']}"
    if fixed is None or fixed["generation"] != count["generation"]:
        raise Faulty(Fault.NOT_ALLOWED, str(entry), f"{named}: that version has no such grant")
    grant = fixed["grant"]
    live = not block["group"].startswith(_COPIER)
    if grant["state"] in _WITHDRAWN or (live and grant["state"] != "active"):
        raise Faulty(Fault.NOT_ALLOWED, str(entry), f"{named}: it is {grant['state']} there")
    return f"{_GRANT_TOPICS}{grant['consumer']}.{grant['resource']}.{grant['id']}"


def _topic_of_grant(group: str, topic: str) -> str:
    """A redelivery may write beside the grant's topic: the name ends with the number of its replay then."""
    return topic.removesuffix(f".{group.removeprefix(_COPIER)}") if group.startswith(_REPLAY) else topic


def _fixed(entry: Entry) -> tuple[int, Mapping[str, Any]]:
    """Number and grants of a policy version.

    Raises:
        KeyError, TypeError, ValueError: the entry is none.
    """
    if entry.topic != POLICY or entry.value is None:
        raise ValueError("not a policy version")
    version, document = entry.value["version"], json.loads(entry.value["document"])
    grants = document["grants"]
    if document["version"] != version or not isinstance(grants, dict):
        raise ValueError("its document is of another version")
    return version, grants
