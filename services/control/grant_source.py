"""Where grants come from: definitions, until cases decide; then definitions may hold none. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from services.control.definitions import Definitions
from services.control.difference import Refusal
from topics.event import GrantId
from topics.grants.declaration import Grant
from topics.policy import Policy

_CASES_DECIDE: Final = (
    "cases decide about grants since `govbus grant import`, and a file would contradict them: take the "
    "folder grants/ out of the definitions (--definitions FOLDER); `govbus case apply` asks for a grant, "
    "`govbus case suspend` and `terminate` stop it"
)


def grants_in_force(definitions: Definitions, policy: Policy | None) -> Mapping[GrantId, Grant]:
    """The grants that topics, rights, schemas and sinks are made for."""
    if policy is None or not policy.by_cases:
        return definitions.grants
    return {grant_id: entry.grant for grant_id, entry in policy.grants.items()}


def refused_definitions(definitions: Definitions, policy: Policy | None) -> Iterator[Refusal]:
    """What must not be declared: changes in place, grants where cases decide, sinks of no grant."""
    for name, error in definitions.in_place_changes(policy):
        yield Refusal(name, str(error))
    if policy is not None and policy.by_cases and definitions.grants:
        yield Refusal(f"grants {', '.join(sorted(definitions.grants))}", _CASES_DECIDE)
    known = grants_in_force(definitions, policy)
    for grant in sorted(set(definitions.sinks) - set(known)):
        yield Refusal(f"sink of {grant}", "there is no such grant: correct sinks.yaml")
