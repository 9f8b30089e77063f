"""What was seen of the running bus, for those whose business it is."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection

from services.api.parts import Parts
from services.api.security.asking import permit
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.store.cases.granted import granted_as
from services.control.store.snapshots import Kind, Snapshot, all_of
from topics.event import GrantId, ResourceId

_OF_PROVIDER: Final = re.compile(r"(raw|quarantine|claims|stopped)\.(?P<department>[a-z0-9_]+)(\..*)?")
_OF_CONSUMER: Final = re.compile(r"sub\.(?P<department>[a-z0-9_]+)\..*")
_CANONICAL: Final = "resource."
_ACTIONS: Final = {Kind.QUARANTINE: Action.QUARANTINE_LOOK, Kind.EPOCH: Action.OPERATION_LOOK_VOLUMES}


def seen(parts: Parts, principal: Principal, kind: Kind) -> Snapshot:
    """The snapshot of a kind with what somebody may look at."""
    action = _ACTIONS.get(kind, Action.OPERATION_LOOK)
    permit(parts, principal, action, own(principal))
    with parts.database.reading() as connection:
        found = all_of(connection, kind)
        if not found.documents or sees(principal, action, Whose()):
            # Who sees what is nobody's own sees everything.
            return found
        documents = {
            name: document
            for name, document in found.documents.items()
            if sees(principal, action, whose(parts, connection, kind, name, document))
        }
    return replace(found, documents=documents)


def whose(parts: Parts, connection: Connection, kind: Kind, name: str, document: Mapping[str, Any]) -> Whose:
    """The departments of what was seen; nobody's where that cannot be told."""
    match kind:
        case Kind.RESOURCE:
            return _of_resource(parts, name)
        case Kind.GRANT:
            return whose_grant(parts, connection, name)
        case Kind.TOPIC:
            return _of_topic(parts, name)
        case Kind.QUARANTINE:
            return Whose(provider=name.removeprefix("quarantine."))
        case Kind.EPOCH:
            return Whose(provider=document["provider"])
        case Kind.CONNECTOR | Kind.ALARM:
            department = document.get("department") or document.get("provider")
            return Whose(department, department) if isinstance(department, str) else Whose()
        case Kind.MOUNTING | Kind.LEDGER | Kind.DRIFT | Kind.RETENTION | Kind.CENSUS:
            # Sums over everybody's: nobody's own.
            return Whose()


def _of_resource(parts: Parts, name: str) -> Whose:
    found = parts.definitions.resources.get(ResourceId(name))
    return Whose() if found is None else Whose(provider=found.provider)


def whose_grant(parts: Parts, connection: Connection, name: str) -> Whose:
    """The departments of a grant, by its case or its declaration; nobody's where there is none."""
    case = granted_as(connection, name)
    if case is not None:
        return Whose(case.provider, case.consumer)
    declared = parts.definitions.grants.get(GrantId(name))
    if declared is None:
        return Whose()
    return Whose(parts.definitions.resources[declared.resource].provider, declared.consumer)


def _of_topic(parts: Parts, name: str) -> Whose:
    provided, consumed = _OF_PROVIDER.fullmatch(name), _OF_CONSUMER.fullmatch(name)
    if provided is not None:
        return Whose(provider=provided["department"])
    if consumed is not None:
        return Whose(consumer=consumed["department"])
    return _of_resource(parts, name.removeprefix(_CANONICAL)) if name.startswith(_CANONICAL) else Whose()
