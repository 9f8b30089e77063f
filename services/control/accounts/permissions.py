"""The one table of permissions: role × action × own or other department.

Checks, tests, the printed matrix and the buttons of pages are made from it. What is not in it nobody may do.
A life cycle may refuse more than the table (its state, a person's own work), never less.
(Requirements A1-05, A1-06, A8-05, A11-02.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.control.accounts.actions import Action, Kind
from services.control.accounts.roles import Role


class Reach(StrEnum):
    """Of which departments an action is allowed, seen from the department of who asks."""

    NONE = "none"
    OWN = "own"
    OTHER = "other"
    """Nobody judges in the matter of his own department."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Permission:
    """One row: an action, what it does, and how far each role reaches."""

    action: Action
    kind: Kind
    reach: Mapping[Role, Reach]

    def of(self, role: Role) -> Reach:
        """How far a role reaches."""
        return self.reach.get(role, Reach.NONE)


_LOOK, _CHANGE, _OWN_ACCOUNT = Kind.LOOK, Kind.CHANGE, Kind.OWN
_, _OWN, _OTHER, _ALL = Reach.NONE, Reach.OWN, Reach.OTHER, Reach.ALL
_Row = tuple[Action, Kind, Reach, Reach, Reach, Reach, Reach, Reach]
COLUMNS: Final = (
    Role.AUTHORITY,
    Role.PROVIDER,
    Role.CONSUMER,
    Role.OPERATOR,
    Role.AUDITOR,
    Role.OVERSEER,
)
"""The roles in the order of the columns."""

_OF_CATALOGUE: Final[tuple[_Row, ...]] = (
    (Action.CATALOGUE_LOOK, _LOOK, _ALL, _ALL, _ALL, _ALL, _ALL, _ALL),
    (Action.CATALOGUE_LOOK_UNPUBLISHED, _LOOK, _ALL, _OWN, _, _, _ALL, _ALL),
    (Action.CATALOGUE_EXPORT, _LOOK, _ALL, _ALL, _ALL, _ALL, _ALL, _ALL),
    (Action.CATALOGUE_IMPORT, _CHANGE, _, _OWN, _, _, _, _),
    (Action.CATALOGUE_MOUNT, _CHANGE, _, _OWN, _, _ALL, _, _),
    (Action.CATALOGUE_OPEN, _CHANGE, _, _OWN, _, _, _, _),
    (Action.CATALOGUE_EDIT, _CHANGE, _, _OWN, _, _, _, _),
    (Action.CATALOGUE_SUBMIT, _CHANGE, _, _OWN, _, _, _, _),
    (Action.CATALOGUE_REGISTER, _CHANGE, _ALL, _, _, _, _, _),
    (Action.CATALOGUE_REFUSE_REGISTRATION, _CHANGE, _ALL, _, _, _, _, _),
    (Action.CATALOGUE_REQUEST_PUBLICATION, _CHANGE, _, _OWN, _, _, _, _),
    (Action.CATALOGUE_PUBLISH, _CHANGE, _ALL, _, _, _, _, _),
    (Action.CATALOGUE_REFUSE_PUBLICATION, _CHANGE, _ALL, _, _, _, _, _),
    (Action.CATALOGUE_REVISE, _CHANGE, _, _OWN, _, _, _, _),
    (Action.CATALOGUE_WITHDRAW, _CHANGE, _ALL, _OWN, _, _, _, _),
    (Action.CATALOGUE_SUPERSEDE, _CHANGE, _, _, _, _, _, _),
    (Action.CATALOGUE_RETIRE, _CHANGE, _ALL, _OWN, _, _, _, _),
)
_OF_DEMAND: Final[tuple[_Row, ...]] = (
    (Action.DEMAND_LOOK, _LOOK, _ALL, _ALL, _ALL, _ALL, _ALL, _ALL),
    (Action.DEMAND_STATE, _CHANGE, _, _, _OWN, _, _, _),
    (Action.DEMAND_ASSIGN, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.DEMAND_DECLINE, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.DEMAND_POINT, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.DEMAND_HAND_BACK, _CHANGE, _, _OWN, _, _, _, _),
    (Action.DEMAND_DRAFT, _CHANGE, _, _OWN, _, _, _, _),
    (Action.DEMAND_WITHDRAW, _CHANGE, _, _, _OWN, _, _, _),
    (Action.OBJECTION_LOOK, _LOOK, _ALL, _OWN, _OWN, _, _ALL, _ALL),
    (Action.OBJECTION_OBJECT, _CHANGE, _OWN, _, _OWN, _, _, _),
    (Action.OBJECTION_EXTEND, _CHANGE, _, _OWN, _, _, _, _),
    (Action.OBJECTION_ACCEPT, _CHANGE, _, _OWN, _, _, _, _),
    (Action.OBJECTION_DENY, _CHANGE, _, _OWN, _, _, _, _),
    (Action.OBJECTION_WITHDRAW, _CHANGE, _OWN, _, _OWN, _, _, _),
)
_OF_CASES: Final[tuple[_Row, ...]] = (
    (Action.CASE_LOOK, _LOOK, _ALL, _OWN, _OWN, _ALL, _ALL, _ALL),
    (Action.CASE_LOOK_CONTEXT, _LOOK, _ALL, _OWN, _, _, _ALL, _),
    (Action.CASE_OPEN, _CHANGE, _, _, _OWN, _, _, _),
    (Action.CASE_EDIT, _CHANGE, _, _, _OWN, _, _, _),
    (Action.CASE_SUBMIT, _CHANGE, _, _, _OWN, _, _, _),
    (Action.CASE_REQUEST_PRECHECK, _CHANGE, _, _, _, _, _, _),
    (Action.CASE_ACCEPT, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.CASE_REQUEST_DECISION, _CHANGE, _, _, _, _, _, _),
    (Action.CASE_ACCEPT_UNCONDITIONAL, _CHANGE, _, _, _, _, _, _),
    (Action.CASE_RETURN, _CHANGE, _OTHER, _OWN, _, _, _, _),
    (Action.CASE_SUPPLEMENT, _CHANGE, _, _, _OWN, _, _, _),
    (Action.CASE_APPROVE, _CHANGE, _OTHER, _OWN, _, _, _, _),
    (Action.CASE_APPROVE_IN_PART, _CHANGE, _OTHER, _OWN, _, _, _, _),
    (Action.CASE_REFUSE, _CHANGE, _OTHER, _OWN, _, _, _, _),
    (Action.CASE_APPEAL, _CHANGE, _, _, _OWN, _, _, _),
    (Action.CASE_NEGOTIATE, _CHANGE, _OTHER, _OWN, _OWN, _, _, _),
    (Action.CASE_AGREE, _CHANGE, _OTHER, _OWN, _, _, _, _),
    (Action.CASE_ESCALATE, _CHANGE, _OTHER, _OWN, _OWN, _, _, _),
    (Action.CASE_UPHOLD, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.CASE_DISMISS, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.CASE_WITHDRAW, _CHANGE, _, _, _OWN, _, _, _),
    (Action.CASE_PROVISION, _CHANGE, _, _, _, _, _, _),
    (Action.CASE_STEP_DONE, _CHANGE, _, _, _, _, _, _),
    (Action.CASE_STEP_FAILED, _CHANGE, _, _, _, _, _, _),
    (Action.CASE_RETRY_STEP, _CHANGE, _, _, _, _ALL, _, _),
    (Action.CASE_ACTIVATE, _CHANGE, _, _, _, _, _, _),
    (Action.CASE_ROLL_BACK, _CHANGE, _, _, _, _, _, _),
    (Action.CASE_SUSPEND, _CHANGE, _ALL, _OWN, _, _, _, _),
    (Action.CASE_RESUME, _CHANGE, _OTHER, _OWN, _, _, _, _),
    (Action.CASE_TERMINATE, _CHANGE, _ALL, _OWN, _OWN, _, _, _),
    (Action.CASE_EXPIRE, _CHANGE, _, _, _, _, _, _),
    (Action.CASE_IMPORT, _CHANGE, _, _, _, _, _, _),
    (Action.CASE_EXTEND, _CHANGE, _OTHER, _OWN, _, _, _, _),
    (Action.CASE_COMPLAIN, _CHANGE, _ALL, _OWN, _OWN, _, _, _),
    (Action.CASE_REPLY, _CHANGE, _OTHER, _, _, _, _, _),
)
_OF_DELIVERY: Final[tuple[_Row, ...]] = (
    (Action.GRANT_LOOK, _LOOK, _ALL, _OWN, _OWN, _ALL, _ALL, _ALL),
    (Action.GRANT_RECEIPT, _LOOK, _ALL, _OWN, _OWN, _ALL, _ALL, _ALL),
    (Action.GRANT_CONTRACT, _LOOK, _ALL, _OWN, _OWN, _ALL, _ALL, _ALL),
    (Action.GRANT_SHOW_CREDENTIAL, _CHANGE, _, _, _OWN, _, _, _),
    (Action.GRANT_ROTATE_CREDENTIAL, _CHANGE, _, _, _OWN, _ALL, _, _),
    (Action.DATA_TAIL, _LOOK, _, _OWN, _OWN, _ALL, _, _),
    (Action.DATA_REVEAL, _CHANGE, _, _OWN, _OWN, _, _, _),
    (Action.QUARANTINE_LOOK, _LOOK, _, _OWN, _, _ALL, _, _),
    (Action.QUARANTINE_REVEAL, _CHANGE, _, _OWN, _, _, _, _),
    (Action.QUARANTINE_RELEASE, _CHANGE, _, _OWN, _, _ALL, _, _),
    (Action.QUARANTINE_RESUBMIT, _CHANGE, _, _OWN, _, _ALL, _, _),
    (Action.QUARANTINE_DISCARD, _CHANGE, _, _OWN, _, _, _, _),
    (Action.CLAIM_LOOK, _LOOK, _ALL, _OWN, _, _ALL, _ALL, _ALL),
    (Action.CLAIM_DECIDE, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.TICKET_LOOK, _LOOK, _ALL, _OWN, _OWN, _, _ALL, _ALL),
    (Action.TICKET_LOOK_TEXTS, _LOOK, _OTHER, _OWN, _OWN, _, _, _),
    (Action.TICKET_REPORT, _CHANGE, _, _, _OWN, _, _, _),
    (Action.TICKET_FORWARD, _CHANGE, _, _, _, _, _, _),
    (Action.TICKET_DISPATCH, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.TICKET_RETURN, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.TICKET_SUPPLEMENT, _CHANGE, _, _, _OWN, _, _, _),
    (Action.TICKET_ACCEPT, _CHANGE, _, _OWN, _, _, _, _),
    (Action.TICKET_REFUSE, _CHANGE, _, _OWN, _, _, _, _),
    (Action.TICKET_ARRIVE, _CHANGE, _, _, _, _, _, _),
    (Action.TICKET_REVERT, _CHANGE, _, _, _, _, _, _),
    (Action.TICKET_LIST, _CHANGE, _, _, _, _, _, _),
    (Action.TICKET_TELL, _CHANGE, _, _, _, _, _, _),
    (Action.TICKET_CONFIRM, _CHANGE, _, _, _OWN, _, _, _),
    (Action.TICKET_REOPEN, _CHANGE, _, _, _OWN, _, _, _),
    (Action.TICKET_CLOSE, _CHANGE, _, _, _, _, _, _),
    (Action.TICKET_ESCALATE, _CHANGE, _, _OWN, _OWN, _, _, _),
    (Action.TICKET_UPHOLD, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.TICKET_DISMISS, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.TICKET_WITHDRAW, _CHANGE, _, _, _OWN, _, _, _),
)
_OF_RUNNING: Final[tuple[_Row, ...]] = (
    (Action.POLICY_LOOK, _LOOK, _ALL, _ALL, _ALL, _ALL, _ALL, _ALL),
    (Action.POLICY_SIMULATE, _LOOK, _ALL, _, _, _, _ALL, _),
    (Action.POLICY_CHANGE_PACKS, _CHANGE, _ALL, _, _, _, _, _),
    (Action.POLICY_IMPORT_CALENDAR, _CHANGE, _ALL, _, _, _, _, _),
    (Action.POLICY_APPLY, _CHANGE, _, _, _, _ALL, _, _),
    (Action.POLICY_ACCEPT_SCHEMA, _CHANGE, _, _, _, _ALL, _, _),
    (Action.KILL_GRANT, _CHANGE, _ALL, _OWN, _, _, _, _),
    (Action.KILL_CONSUMER, _CHANGE, _ALL, _, _, _, _, _),
    (Action.KILL_RESOURCE, _CHANGE, _ALL, _OWN, _, _, _, _),
    (Action.KILL_ALL, _CHANGE, _ALL, _, _, _ALL, _, _),
    (Action.KILL_RESUME, _CHANGE, _OTHER, _, _, _, _, _),
    (Action.REPLAY_EXPLAIN, _LOOK, _, _OWN, _OWN, _ALL, _ALL, _),
    (Action.REPLAY_RUN, _CHANGE, _, _, _, _ALL, _, _),
    (Action.REPLAY_LOOK, _LOOK, _ALL, _, _, _ALL, _ALL, _),
    (Action.REPLAY_AUDIT, _LOOK, _, _, _, _ALL, _ALL, _),
    (Action.REPLAY_APPROVE, _CHANGE, _ALL, _, _, _ALL, _, _),
    (Action.OPERATION_LOOK, _LOOK, _ALL, _OWN, _OWN, _ALL, _ALL, _ALL),
    (Action.OPERATION_LOOK_VOLUMES, _LOOK, _ALL, _OWN, _, _ALL, _ALL, _),
    (Action.OPERATION_TAKE_VOLUME, _CHANGE, _, _OWN, _, _ALL, _, _),
    (Action.OPERATION_RESTART, _CHANGE, _, _, _, _ALL, _, _),
    (Action.NOTICE_ANNOUNCE, _CHANGE, _ALL, _, _, _ALL, _, _),
    (Action.NOTICE_LOOK_ADDRESSES, _LOOK, _OWN, _OWN, _OWN, _ALL, _OWN, _),
    (Action.NOTICE_SET_ADDRESS, _CHANGE, _OWN, _OWN, _OWN, _OWN, _, _),
    (Action.NOTICE_MEND_DELIVERY, _CHANGE, _OWN, _OWN, _OWN, _ALL, _, _),
    (Action.REPORT_LOOK, _LOOK, _ALL, _OWN, _OWN, _, _ALL, _ALL),
    (Action.REPORT_MAKE, _CHANGE, _ALL, _OWN, _OWN, _, _, _),
    (Action.REPORT_FILE, _CHANGE, _OWN, _OWN, _OWN, _, _, _),
    (Action.REPORT_FILE_FOR_AUTHORITY, _CHANGE, _OWN, _, _, _, _, _),
    (Action.AUDIT_LOOK, _LOOK, _, _OWN, _OWN, _, _ALL, _ALL),
    (Action.AUDIT_EXPORT, _LOOK, _, _, _, _, _ALL, _),
    (Action.AUDIT_BALANCE, _LOOK, _, _, _, _ALL, _ALL, _),
    (Action.AUDIT_TRACE, _LOOK, _, _OWN, _, _, _ALL, _),
)
_OF_ACCOUNTS: Final[tuple[_Row, ...]] = (
    (Action.ACCOUNT_LOOK, _LOOK, _ALL, _OWN, _OWN, _ALL, _ALL, _),
    (Action.ACCOUNT_ADD_DEPARTMENT, _CHANGE, _ALL, _, _, _, _, _),
    (Action.ACCOUNT_EDIT_DEPARTMENT, _CHANGE, _ALL, _, _, _, _, _),
    (Action.ACCOUNT_ADD, _CHANGE, _, _, _, _ALL, _, _),
    (Action.ACCOUNT_DISABLE, _CHANGE, _ALL, _, _, _ALL, _, _),
    (Action.ACCOUNT_ENABLE, _CHANGE, _ALL, _, _, _ALL, _, _),
    (Action.ACCOUNT_RESET_PASSWORD, _CHANGE, _, _, _, _ALL, _, _),
    (Action.ACCOUNT_UNLOCK, _CHANGE, _, _, _, _ALL, _, _),
    (Action.ACCOUNT_REVOKE_SESSIONS, _CHANGE, _ALL, _, _, _ALL, _, _),
    (Action.ACCOUNT_REVOKE_TOKEN, _CHANGE, _ALL, _, _, _ALL, _, _),
    (Action.ACCOUNT_GIVE_ROLE, _CHANGE, _ALL, _, _, _, _, _),
    (Action.ACCOUNT_TAKE_ROLE, _CHANGE, _ALL, _, _, _, _, _),
    (Action.ACCOUNT_SET_OVERSIGHT, _CHANGE, _ALL, _, _, _, _, _),
    (Action.ACCOUNT_CHANGE_OWN_PASSWORD, _OWN_ACCOUNT, _OWN, _OWN, _OWN, _OWN, _OWN, _OWN),
    (Action.ACCOUNT_CREATE_OWN_TOKEN, _OWN_ACCOUNT, _OWN, _OWN, _OWN, _OWN, _OWN, _OWN),
    (Action.ACCOUNT_REVOKE_OWN, _OWN_ACCOUNT, _OWN, _OWN, _OWN, _OWN, _OWN, _OWN),
)


def _permission(row: _Row) -> Permission:
    action, kind, *cells = row
    return Permission(action, kind, dict(zip(COLUMNS, cells, strict=True)))


PERMISSIONS: Final[Mapping[Action, Permission]] = {
    row[0]: _permission(row)
    for row in (*_OF_CATALOGUE, *_OF_DEMAND, *_OF_CASES, *_OF_DELIVERY, *_OF_RUNNING, *_OF_ACCOUNTS)
}
"""All that anybody may do."""
