"""Sources of which the gate's fast engines leave something to Python or to the line: `plan` notes them."""

from collections.abc import Iterator

from services.gate.engine import gate_spec
from services.gate.plan import compile_gate
from topics.engine.gate_slow import slow_parts
from topics.policy import Policy


def slow_sources(policy: Policy) -> Iterator[str]:
    """One note per captured source and reason; published sources are for the line as a whole."""
    plan = compile_gate(policy)
    for _, source in sorted(plan.sources.items()):
        spec = gate_spec(plan, source)
        for reason in slow_parts(spec) if spec else ():
            yield f"resource {source.resource.id} is decided slowly in part: {reason}"
