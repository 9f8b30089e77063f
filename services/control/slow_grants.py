"""Grants that the fan-out's fast engines leave to the reference, which costs speed: `plan` notes them."""

import json
from collections.abc import Iterator

from services.fanout.plan import compile_grants, spec_of
from topics.engine.fanout_compile import fallbacks
from topics.engine.reference import without_logical_types
from topics.engine.schema import parse
from topics.policy import Policy


def slow_grants(policy: Policy) -> Iterator[str]:
    """One note per grant whose records, as they are written now, the reference decides one by one."""
    envelopes = {entry.resource.id: entry.envelope_schema for entry in policy.resources.values()}
    entries = [entry for _, entry in sorted(policy.grants.items())]
    # Only what the plan can say counts, not what it is keyed with.
    secrets = {entry.key_version: b"" for entry in entries}
    plan = compile_grants(policy, entries, secrets)
    for resource in plan.resources.values():
        writer = parse(without_logical_types(json.loads(envelopes[resource.resource])))
        for grant, reason in fallbacks(spec_of(plan, resource), writer).items():
            yield f"grant {grant} is decided slowly, record by record: {reason}"
