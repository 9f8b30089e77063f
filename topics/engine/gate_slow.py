"""What of a source the gate's fast engines must ask of Python or leave to the line, record by record."""

from collections.abc import Iterator
from typing import Final

from topics.engine.gate_program import COMPLEX, compile_targets
from topics.engine.gate_rules import Op, rule_steps
from topics.engine.gate_spec import GateSpec
from topics.engine.schema import NotCompilable
from topics.engine.skip import Code
from topics.identity.kinds import IdentityKind

_QUICK: Final = (IdentityKind.RESIDENT_ID, IdentityKind.CREDIT_CODE)


def slow_parts(spec: GateSpec) -> Iterator[str]:
    """Reasons, as far as they can be told before a record of the source is seen."""
    try:
        targets, _ = compile_targets(spec)
    except NotCompilable as error:
        yield f"the line decides every record: {error}"
        return
    for target in targets:
        if target.item >= 0 and target.code in (COMPLEX, Code.FLOAT):
            yield f"the line decides records with a value of item {spec.items[target.item].name}"
    if spec.identity_kind not in _QUICK:
        yield f"identities of kind {spec.identity_kind} are checked in Python"
    places = {item.name: place for place, item in enumerate(spec.items)}
    for step in rule_steps(spec.rules, places):
        if step.op is Op.ASK:
            yield f"rule {step.rule.id} is asked in Python"
