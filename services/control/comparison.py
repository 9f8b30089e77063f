"""What is declared against what is there, and the steps between: asked of a stack, and changing nothing."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from confluent_kafka.admin import AdminClient

from services.control.access import Access
from services.control.connections import Connections, read_connections
from services.control.definitions import Definitions
from services.control.desired import Declared, desired_state
from services.control.difference import Plan, Refusal, difference
from services.control.gaps import CaptureFacts, find_gaps, impossible, read_captures, with_incarnations
from services.control.grant_source import (
    breaking_changes,
    grants_in_force,
    refused_definitions,
    unbroken,
)
from services.control.kafka_topics import read_topics
from services.control.live import read_live, read_policy, receipt_names
from services.control.policy_document import next_policy, same_content
from services.control.retention.floor import UNKNOWN, Floor
from services.control.retention.keeping import kept, shortened
from services.control.ruled_definitions import ruled_by, standing_orders
from services.control.slow_grants import slow_grants
from services.control.slow_sources import slow_sources
from services.control.state import DesiredState, LiveState
from services.control.transitions import Transition, UseNewGrantId, transitions, with_withdrawn
from services.control.validity import official_day
from topics.event import GrantId, ProviderId, SchemaId
from topics.policy import Policy

UNREGISTERED: Final = SchemaId(0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is declared, what is there, and the steps between."""

    declared: Declared
    desired: DesiredState
    live: LiveState
    moves: Mapping[GrantId, Transition]
    plan: Plan
    connections: Connections = field(default_factory=Connections)
    facts: Mapping[ProviderId, CaptureFacts] = field(default_factory=dict)
    gaps: Mapping[ProviderId, str] = field(default_factory=dict)
    """Providers whose source lost changes and who are not being captured anew, and how that is known."""


def now_ms() -> int:
    """The time, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def compare_offline(definitions: Definitions, clock_ms: Callable[[], int] = now_ms) -> Comparison:
    """What a first apply would do; needs no running stack."""
    return _compare(_declared(definitions, None, clock_ms()), LiveState(), frozenset())


def compare(
    access: Access,
    admin: AdminClient,
    definitions: Definitions,
    recaptured: Collection[ProviderId] = (),
    clock_ms: Callable[[], int] = now_ms,
) -> Comparison:
    """What an apply would do now, one that captures these providers anew."""
    topics = read_topics(admin)
    policy = read_policy(access, topics)
    ruled = ruled_by(policy, definitions)
    broken = tuple(breaking_changes(ruled.definitions, policy))
    definitions = unbroken(ruled.definitions, policy)
    facts = read_captures(access, definitions.providers, definitions.resources)
    gaps = {name: why for name, why in find_gaps(facts, policy).items() if name not in recaptured}
    declared = _declared(definitions, policy, clock_ms(), facts, recaptured)
    live = read_live(access, admin, declared, desired_state(declared).subjects, topics, policy)
    connections, live = read_connections(access, declared, live, facts, gaps)
    floor = access.audit_floor()
    found = _compare(declared, live, receipt_names(access.home), connections, floor)
    reasons = [(name, impossible(facts.get(name))) for name in sorted(recaptured)]
    refusals = [*ruled.refusals, *(Refusal(name, reason) for name, reason in reasons if reason)]
    refusals += [*refused_definitions(ruled.definitions, policy, declared.day), *broken]
    refusals += shortened(definitions.resources, policy, floor)
    plan = replace(found.plan, refusals=(*found.plan.refusals, *refusals))
    return replace(found, plan=plan, facts=facts, gaps=gaps)


def compare_withdrawals(
    access: Access, admin: AdminClient, definitions: Definitions, clock_ms: Callable[[], int] = now_ms
) -> Comparison:
    """What is to be withdrawn now, as far as Kafka alone can tell; the rest of its plan is not to be done."""
    policy = read_policy(access, read_topics(admin))
    definitions = unbroken(ruled_by(policy, definitions).definitions, policy)
    declared = _declared(definitions, policy, clock_ms())
    return _compare(declared, LiveState(policy=policy), receipt_names(access.home))


def _declared(
    definitions: Definitions,
    policy: Policy | None,
    now_ms: int,
    facts: Mapping[ProviderId, CaptureFacts] | None = None,
    recaptured: Collection[ProviderId] = (),
) -> Declared:
    return Declared(
        with_incarnations(definitions.providers, policy, facts or {}, recaptured),
        definitions.consumers,
        definitions.resources,
        with_withdrawn(grants_in_force(definitions, policy), policy),
        definitions.code_lists,
        definitions.item_schemas,
        official_day(now_ms),
        definitions.sinks,
    )


def _compare(
    declared: Declared,
    live: LiveState,
    receipts: frozenset[str],
    connections: Connections | None = None,
    floor: Floor = UNKNOWN,
) -> Comparison:
    connections = connections or Connections()
    held = kept(desired_state(declared), live.topics, floor)
    desired = held.desired
    try:
        moves = transitions(declared.grants, declared.resources, live.policy, receipts, declared.day)
    except UseNewGrantId as error:
        plan = Plan((), (Refusal("grants", str(error)),))
        return Comparison(declared, desired, live, {}, plan)
    by_grant = {move.grant: move for move in moves}
    detail = _policy_detail(declared, desired, live, by_grant)
    coming = _coming(declared, desired, live, by_grant)
    notes = (
        *connections.notes,
        *held.notes,
        *standing_orders(live.policy),
        *slow_sources(coming),
        *slow_grants(coming),
    )
    plan = difference(desired, live, moves, detail, connections.configs, notes)
    return Comparison(declared, desired, live, by_grant, plan, connections)


def _coming(
    declared: Declared, desired: DesiredState, live: LiveState, moves: Mapping[GrantId, Transition]
) -> Policy:
    """The policy that would be written."""
    ids = {subject: live.subjects.get(subject, UNREGISTERED) for subject in desired.subjects}
    return next_policy(declared, moves, ids, live.policy, now_ms=0)


def _policy_detail(
    declared: Declared, desired: DesiredState, live: LiveState, moves: Mapping[GrantId, Transition]
) -> str | None:
    """What the next version changes, in words; None where it says what the newest says."""
    coming = _coming(declared, desired, live, moves)
    if live.policy is None:
        return f"version 1: {len(coming.resources)} resources, {len(coming.grants)} grants"
    if same_content(live.policy, coming):
        return None
    changed = []
    for part in ("providers", "consumers", "resources", "grants", "code_lists"):
        before, after = getattr(live.policy, part), getattr(coming, part)
        names = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
        if names:
            changed.append(f"{part} {', '.join(names)}")
    return f"version {coming.version}: {'; '.join(changed) or 'control schemas'}"
