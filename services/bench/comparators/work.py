"""The work itself with fastavro, one record at a time, as a stream application would write it by hand.

Used by the comparators in Python. It reads nothing but the work description and imports nothing of the bus,
so that it runs in environments where govbus is not installed.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import fastavro

from services.bench.comparators import checks

Description = dict[str, Any]
Headers = list[tuple[str, bytes]]
_EPOCH_DAY = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRAME = 5


class Out(NamedTuple):
    """One record to write."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


Worker = Callable[[str, int, int, bytes, bytes, int, Any], Iterator[Out]]
"""Topic, partition, offset, key, value, broker timestamp, headers → what is written."""


def read_description(path: str) -> Description:
    """The description that the bench wrote."""
    found: Description = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


def worker(description: Description) -> Worker:
    """What the description asks for."""
    return FanoutWork(description) if description["kind"] == "fanout" else GateWork(description)


class _Codec:
    def __init__(self, schema: Any, schema_id: int = 0) -> None:
        self._schema = fastavro.parse_schema(schema)
        self._prefix = b"\0" + schema_id.to_bytes(4, "big")

    def decode(self, framed: bytes) -> Any:
        return fastavro.schemaless_reader(BytesIO(framed[_FRAME:]), self._schema, None)

    def encode(self, record: Mapping[str, Any]) -> bytes:
        stream = BytesIO()
        stream.write(self._prefix)
        fastavro.schemaless_writer(stream, self._schema, record)
        return stream.getvalue()


class FanoutWork:
    """Canonical record to one record per grant: rows, projection, mask, key, headers."""

    def __init__(self, description: Description) -> None:
        fanout = description["fanout"]
        self._values = _Codec(fanout["canonical_schema"])
        self._keys = _Codec(fanout["canonical_key_schema"])
        self._grants = [_Grant(grant) for grant in fanout["grants"]]

    def __call__(
        self, _topic: str, partition: int, _offset: int, key: bytes, value: bytes, _ms: int, _headers: Any
    ) -> Iterator[Out]:
        """Yield what each grant gets."""
        envelope, entity = self._values.decode(value), self._keys.decode(key)
        texts = {name: envelope[name] for name in _IN_HEADERS} | {
            "source_time": _time_text(envelope["source_time"])
        }
        for grant in self._grants:
            if grant.covers(envelope["state"]):
                yield grant.out(partition, entity, envelope["state"], texts)


_IN_HEADERS = (
    "operation",
    "generation",
    "incarnation",
    "commit",
    "ordinal",
    "raw_topic",
    "raw_partition",
    "raw_offset",
)


class _Grant:
    def __init__(self, grant: Description) -> None:
        self._topic = grant["topic"]
        self._items = grant["items"]
        self._masks = {item: _mask(mask) for item, mask in grant["masks"].items()}
        self._rows = [(item, frozenset(values)) for item, values in grant["rows"]]
        self._values = _Codec(grant["value_schema"], grant["value_schema_id"])
        self._keys = _Codec(grant["key_schema"], grant["key_schema_id"])
        self._secret = bytes.fromhex(grant["secret"]) if grant["secret"] else None
        self._headers = [(name, text) for name, text in grant["headers"]]

    def covers(self, state: Mapping[str, Any]) -> bool:
        return all(state[item] in values for item, values in self._rows)

    def out(self, partition: int, entity: Any, state: Mapping[str, Any], texts: Mapping[str, Any]) -> Out:
        chosen = {item: state[item] for item in self._items}
        for item, mask in self._masks.items():
            if chosen[item] is not None:
                chosen[item] = mask(chosen[item])
        headers = [(name, text.format_map(texts).encode()) for name, text in self._headers]
        return Out(self._topic, partition, self._key(entity), self._values.encode(chosen), headers)

    def _key(self, entity: Mapping[str, str]) -> bytes:
        if self._secret is None:
            return self._keys.encode(entity)
        parts = [part.encode() for part in ("record-key", entity["identity"], entity["record_id"])]
        text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        digest = hmac.new(self._secret, text, hashlib.sha256).hexdigest()
        return self._keys.encode({"pseudonym": digest[:32]})


def _mask(mask: Description) -> Callable[[Any], Any]:
    first: int = mask.get("keep_first", 0)
    last: int = mask.get("keep_last", 0)

    def partial(text: str) -> str:
        hidden = len(text) - first - last
        if hidden <= 0:
            return "*" * len(text)
        return text[:first] + "*" * hidden + (text[-last:] if last else "")

    def year(days: int) -> int:
        return (date((_EPOCH_DAY + timedelta(days=days)).year, 1, 1) - _EPOCH_DAY).days

    kinds: dict[str, Callable[[Any], Any]] = {
        "partial": partial,
        "year": year,
        "district": lambda text: text[:6],
        "drop": lambda _value: None,
    }
    return kinds[mask["kind"]]


def _time_text(milliseconds: int) -> str:
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class GateWork:
    """Captured change to a canonical record, or to quarantine with an entry among the stopped keys."""

    def __init__(self, description: Description) -> None:
        gate = description["gate"]
        self._sources = {source["input"]: _Source(source, gate) for source in gate["sources"]}

    def __call__(
        self, topic: str, partition: int, offset: int, key: bytes, value: bytes, ms: int, headers: Any
    ) -> Iterator[Out]:
        """Yield what the change writes."""
        return self._sources[topic].outs(topic, partition, offset, key, value, ms, headers)


class _Source:
    def __init__(self, source: Description, gate: Description) -> None:
        self._source = source
        self._policy_version = gate["policy_version"]
        self._envelope = _Codec(source["envelope_schema"])
        self._canonical = _Codec(source["canonical_schema"], source["canonical_schema_id"])
        self._keys = _Codec(source["canonical_key_schema"], source["canonical_key_schema_id"])
        self._quarantined = _Codec(gate["quarantined_schema"], gate["quarantined_schema_id"])
        self._stopped = _Codec(gate["stopped_schema"], gate["stopped_schema_id"])
        self._items = [tuple(item) for item in source["items"]]
        self._identity = source["identity"]["item"]
        self._check = checks.IDENTITIES[source["identity"]["kind"]]
        self._rules = [checks.rule(rule, source["code_lists"]) for rule in source["rules"]]
        self._scope = source["scope_items"]

    def outs(
        self, topic: str, partition: int, offset: int, key: bytes, value: bytes, ms: int, headers: Any
    ) -> Iterator[Out]:
        change = self._envelope.decode(value)
        items = self._row(change["after"])
        day = (ms + 8 * 3_600_000) // 86_400_000
        reason = self._check(items[self._identity], day)
        if reason is not None:
            yield from self._stop(
                topic, partition, offset, key, value, ms, headers,
                ("identify", "IDENTITY_INVALID", f"{self._identity}: {reason}", []),
            )  # fmt: skip
            return
        found = [finding for rule in self._rules if (finding := rule(items, ms)) is not None]
        stops = [finding for finding in found if finding.stops]
        if stops:
            detail = "; ".join(f"{finding.code}: {', '.join(finding.items)}" for finding in stops)
            why = ("assess", "QUALITY", detail, [finding.rule for finding in stops])
            yield from self._stop(topic, partition, offset, key, value, ms, headers, why)
            return
        yield self._accept(topic, partition, offset, change, items, [finding.rule for finding in found])

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: checks.CONVERSIONS[conversion](row[column]) for name, column, conversion in self._items}

    def _accept(
        self, topic: str, partition: int, offset: int, change: Any, items: Any, marks: list[str]
    ) -> Out:
        source, before = change["source"], change["before"]
        identity = f"{self._source['identity']['kind']}:{items[self._identity]}"
        record = {
            "operation": {"c": "create", "u": "update", "r": "read"}[change["op"]],
            "generation": self._source["generation"],
            "incarnation": 1,
            "commit": int(json.loads(source["sequence"])[0]),
            "ordinal": offset,
            "source_time": source["ts_ms"],
            "raw_topic": topic,
            "raw_partition": partition,
            "raw_offset": offset,
            "policy_version": self._policy_version,
            "marks": marks,
            "previous_known": True,
            "previous": None if before is None else {name: before[name] for name in self._scope},
            "state": items,
        }
        place = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big")
        return Out(
            self._source["canonical_topic"],
            place % self._source["partitions"],
            self._keys.encode({"identity": identity, "record_id": str(items["id"])}),
            self._canonical.encode(record),
            [],
        )

    def _stop(
        self,
        topic: str,
        partition: int,
        offset: int,
        key: bytes,
        value: bytes,
        ms: int,
        headers: Any,
        why: tuple[str, str, str, list[str]],
    ) -> Iterator[Out]:
        step, reason, detail, rules = why
        quarantined = {
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "timestamp_ms": ms,
            "key": key,
            "value": value,
            "headers": [{"name": name, "value": content} for name, content in headers],
            "step": step,
            "reason": reason,
            "detail": detail,
            "rules": rules,
            "policy_version": self._policy_version,
        }
        yield Out(self._source["quarantine_topic"], 0, key, self._quarantined.encode(quarantined), [])
        entry = self._source["stopped_entry"] | {"first_stopped": offset, "last_stopped": offset}
        yield Out(self._source["stopped_topic"], partition, key, self._stopped.encode(entry), [])
