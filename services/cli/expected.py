"""What the bus should run by its newest policy, and what of it does not: for `govbus status`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.cli.policy import groups_of_policy
from services.cli.processes import bus_processes
from services.stack.api import ComponentStatus, Stack, State
from services.stack.errors import PolicyUnread
from services.stack.python_process import PythonProcess

_NOT_STARTED = "not started: `govbus up` starts it"
_LEFT_OUT = "left out by `govbus up --infrastructure-only`: `govbus up` starts it"


@dataclass(frozen=True, slots=True)
class Missing:
    """Parts that the policy needs and that nobody has started, each as stopped.

    ``why`` is what is said of each; ``unread`` why the policy could not be asked, if it could not;
    ``on_purpose`` is true where the last `up` was to leave the bus alone.
    """

    parts: Sequence[ComponentStatus] = ()
    why: str = ""
    unread: str = ""
    on_purpose: bool = False


def missing_parts(stack: Stack, found: Sequence[ComponentStatus]) -> Missing:
    """Compare what was found with what the newest policy needs; without Kafka nobody can tell."""
    if not any(part.name == stack.kafka.name and part.state is State.RUNNING for part in found):
        return Missing()
    try:
        groups = groups_of_policy(stack)
    except PolicyUnread as error:
        return Missing(unread=str(error))
    known = {part.name for part in found}
    wanted = bus_processes(stack, groups)
    missing = [PythonProcess(stack.context, one) for one in wanted if one.name not in known]
    alone = _mark(stack).exists()
    parts = [ComponentStatus(one.name, State.STOPPED, None, one.port, None, None) for one in missing]
    return Missing(parts, _LEFT_OUT if alone else _NOT_STARTED, on_purpose=alone and bool(parts))


def note_infrastructure_only(stack: Stack, alone: bool) -> None:
    """Remember whether the last `up` was to leave the bus alone, so that `status` can say so."""
    if alone:
        _mark(stack).touch(mode=0o600)
    else:
        _mark(stack).unlink(missing_ok=True)


def _mark(stack: Stack) -> Path:
    return stack.context.layout.run / "infrastructure-only"
