"""Wires one reconciliation: the resource of the newest policy, its source's login, its sinks' tables."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from services.control.access import Access, CaptureSource
from services.control.sink_target import Target
from services.gate.plan import SourcePlan, compile_gate
from services.ledger.lookup import Lookup
from services.reconcile.bus import BusReader
from services.reconcile.differing import pseudonyms
from services.reconcile.run import Reconciliation, SinkSide, Wish
from services.reconcile.sink import SinkTable
from topics.event import ResourceId
from topics.grants.keys import key_schema
from topics.policy import GrantPolicy, Policy, ResourcePolicy
from topics.resource import DirectPublication
from topics.sink import Sink


class NotComparable(Exception):  # noqa: N818 - the caller names another resource, or sets a login
    """The resource cannot be compared with a source; the message says why, and ``remedy`` what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Opening:
    """Where everything is.

    Args:
        access: logins and addresses.
        lookup: reads as auditor and operator.
        policy: the newest version.
        sinks: those that are declared.
        say: told of what is going on.
    """

    access: Access
    lookup: Lookup
    policy: Policy
    sinks: Iterable[Sink]
    say: Callable[[str], None]

    def reconciliation(self, resource: ResourceId, wish: Wish) -> Reconciliation:
        """One reconciliation of a resource.

        Raises:
            NotComparable: there is no such resource, it has no table, or no login for it is set here.
        """
        entry, plan, source = self._source(resource)
        return Reconciliation(
            bus=BusReader(self.lookup, self.access.admin()),
            policy=self.policy,
            entry=entry,
            plan=plan,
            source=source,
            sinks=[side for sink in self.sinks for side in self._side(sink, entry)],
            pseudonym=pseudonyms(self.access.master_secret(1), resource),
            say=self.say,
            wish=wish,
        )

    def _source(self, resource: ResourceId) -> tuple[ResourcePolicy, SourcePlan, CaptureSource]:
        entry = self.policy.resources.get(resource)
        if entry is None:
            known = ", ".join(sorted(self.policy.resources)) or "none"
            raise NotComparable(f"there is no resource {resource}", f"name one of these: {known}")
        if isinstance(entry.resource.source, DirectPublication):
            what = f"{resource} is published by an application: it has no table to compare with"
            remedy = "`govbus audit balance` compares what was published with what was decided"
            raise NotComparable(what, remedy)
        provider = self.policy.providers[entry.resource.provider]
        source = None if provider.database is None else self.access.capture_source(provider.database)
        if source is None:
            what = f"no login for the database of {provider.id} is set here"
            remedy = f"set the connection secret set {provider.database or provider.id}"
            raise NotComparable(what, remedy)
        return entry, compile_gate(self.policy).sources[entry.resource.raw_topic], source

    def _side(self, sink: Sink, entry: ResourcePolicy) -> Iterable[SinkSide]:
        granted = self.policy.grants.get(sink.grant)
        if granted is None or granted.grant.resource != entry.resource.id:
            return
        # Without a login it is a side all the same: one that could not be compared is told as such.
        source = self.access.capture_source(sink.database)
        table = SinkTable(sink.grant, _target(sink, granted, entry), sink.database, source)
        yield SinkSide(table, granted.grant.topic)


def _target(sink: Sink, granted: GrantPolicy, entry: ResourcePolicy) -> Target:
    fields = key_schema(entry.resource, granted.grant)["fields"]
    values: dict[str, Any] = json.loads(granted.value_schema)
    names = tuple(str(field["name"]) for field in fields)
    return Target(sink.schema_name, sink.table_name, names, values, evolves=sink.evolves)
