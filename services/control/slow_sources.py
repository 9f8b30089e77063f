"""Sources that the gate's fast engines leave to Python or the line, in part or wholly: `plan` notes them."""

from collections.abc import Iterator

from services.gate.engine import gate_spec
from services.gate.plan import compile_gate
from topics.engine.gate_slow import slow_parts
from topics.policy import Policy


def slow_sources(policy: Policy) -> Iterator[str]:
    """One note per source and reason."""
    plan = compile_gate(policy)
    for _, source in sorted(plan.sources.items()):
        spec = gate_spec(plan, source)
        if spec is None:
            yield f"resource {source.resource.id} is published: the line decides every record"
            continue
        for reason in slow_parts(spec):
            yield f"resource {source.resource.id} is decided slowly in part: {reason}"
