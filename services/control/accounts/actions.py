"""Every action that a person can ask the control plane for, by one name each: ``<area>.<action>``.

Those of cases, tickets, needs, objections and entries have the names of their life cycles; tests compare.
"""

from enum import StrEnum


class Area(StrEnum):
    """What an action is about; scopes of API tokens are made of it."""

    CATALOGUE = "catalogue"
    DEMAND = "demand"
    CASE = "case"
    GRANT = "grant"
    DATA = "data"
    QUARANTINE = "quarantine"
    POLICY = "policy"
    KILL = "kill"
    REPLAY = "replay"
    CLAIM = "claim"
    TICKET = "ticket"
    OPERATION = "operation"
    NOTICE = "notice"
    OBJECTION = "objection"
    REPORT = "report"
    AUDIT = "audit"
    ACCOUNT = "account"


class Kind(StrEnum):
    """What an action does."""

    LOOK = "look"
    CHANGE = "change"
    OWN = "own"
    """It changes the account of who asks and of nobody else; no token allows it."""


class Action(StrEnum):
    """What can be asked for."""

    CATALOGUE_LOOK = "catalogue.look"
    CATALOGUE_LOOK_UNPUBLISHED = "catalogue.look_unpublished"
    CATALOGUE_EXPORT = "catalogue.export"
    CATALOGUE_IMPORT = "catalogue.import"
    CATALOGUE_MOUNT = "catalogue.mount"
    CATALOGUE_OPEN = "catalogue.open"
    CATALOGUE_EDIT = "catalogue.edit"
    CATALOGUE_SUBMIT = "catalogue.submit"
    CATALOGUE_REGISTER = "catalogue.register"
    CATALOGUE_REFUSE_REGISTRATION = "catalogue.refuse_registration"
    CATALOGUE_REQUEST_PUBLICATION = "catalogue.request_publication"
    CATALOGUE_PUBLISH = "catalogue.publish"
    CATALOGUE_REFUSE_PUBLICATION = "catalogue.refuse_publication"
    CATALOGUE_REVISE = "catalogue.revise"
    CATALOGUE_WITHDRAW = "catalogue.withdraw"
    CATALOGUE_SUPERSEDE = "catalogue.supersede"
    CATALOGUE_RETIRE = "catalogue.retire"
    """To announce the end of a version of a resource, postpone it, or give it up."""

    DEMAND_LOOK = "demand.look"
    DEMAND_STATE = "demand.state"
    DEMAND_ASSIGN = "demand.assign"
    DEMAND_DECLINE = "demand.decline"
    DEMAND_POINT = "demand.point"
    DEMAND_HAND_BACK = "demand.hand_back"
    DEMAND_DRAFT = "demand.draft"
    DEMAND_WITHDRAW = "demand.withdraw"

    OBJECTION_LOOK = "objection.look"
    OBJECTION_OBJECT = "objection.object"
    OBJECTION_EXTEND = "objection.extend"
    OBJECTION_ACCEPT = "objection.accept"
    OBJECTION_DENY = "objection.deny"
    OBJECTION_WITHDRAW = "objection.withdraw"

    CASE_LOOK = "case.look"
    CASE_LOOK_CONTEXT = "case.look_context"
    CASE_OPEN = "case.open"
    CASE_EDIT = "case.edit"
    CASE_SUBMIT = "case.submit"
    CASE_REQUEST_PRECHECK = "case.request_precheck"
    CASE_ACCEPT = "case.accept"
    CASE_REQUEST_DECISION = "case.request_decision"
    CASE_ACCEPT_UNCONDITIONAL = "case.accept_unconditional"
    CASE_RETURN = "case.return"
    CASE_SUPPLEMENT = "case.supplement"
    CASE_APPROVE = "case.approve"
    CASE_APPROVE_IN_PART = "case.approve_in_part"
    CASE_REFUSE = "case.refuse"
    CASE_APPEAL = "case.appeal"
    CASE_NEGOTIATE = "case.negotiate"
    CASE_AGREE = "case.agree"
    CASE_ESCALATE = "case.escalate"
    CASE_UPHOLD = "case.uphold"
    CASE_DISMISS = "case.dismiss"
    CASE_WITHDRAW = "case.withdraw"
    CASE_PROVISION = "case.provision"
    CASE_STEP_DONE = "case.step_done"
    CASE_STEP_FAILED = "case.step_failed"
    CASE_RETRY_STEP = "case.retry_step"
    CASE_ACTIVATE = "case.activate"
    CASE_ROLL_BACK = "case.roll_back"
    CASE_SUSPEND = "case.suspend"
    CASE_RESUME = "case.resume"
    CASE_TERMINATE = "case.terminate"
    CASE_EXPIRE = "case.expire"
    CASE_IMPORT = "case.import"
    CASE_COMPLAIN = "case.complain"
    CASE_REPLY = "case.reply"

    GRANT_LOOK = "grant.look"
    GRANT_RECEIPT = "grant.receipt"
    GRANT_CONTRACT = "grant.contract"
    GRANT_SHOW_CREDENTIAL = "grant.show_credential"
    GRANT_ROTATE_CREDENTIAL = "grant.rotate_credential"

    DATA_TAIL = "data.tail"
    DATA_REVEAL = "data.reveal"

    QUARANTINE_LOOK = "quarantine.look"
    QUARANTINE_REVEAL = "quarantine.reveal"
    QUARANTINE_RELEASE = "quarantine.release"
    QUARANTINE_RESUBMIT = "quarantine.resubmit"
    QUARANTINE_DISCARD = "quarantine.discard"

    POLICY_LOOK = "policy.look"
    POLICY_SIMULATE = "policy.simulate"
    POLICY_CHANGE_PACKS = "policy.change_packs"
    POLICY_IMPORT_CALENDAR = "policy.import_calendar"
    POLICY_APPLY = "policy.apply"
    POLICY_ACCEPT_SCHEMA = "policy.accept_schema"

    KILL_GRANT = "kill.grant"
    KILL_CONSUMER = "kill.consumer"
    KILL_RESOURCE = "kill.resource"
    KILL_ALL = "kill.all"
    KILL_RESUME = "kill.resume"

    REPLAY_EXPLAIN = "replay.explain"
    REPLAY_RUN = "replay.run"
    REPLAY_LOOK = "replay.look"
    REPLAY_AUDIT = "replay.audit"
    REPLAY_APPROVE = "replay.approve"

    CLAIM_LOOK = "claim.look"
    CLAIM_DECIDE = "claim.decide"

    TICKET_LOOK = "ticket.look"
    TICKET_LOOK_TEXTS = "ticket.look_texts"
    TICKET_REPORT = "ticket.report"
    TICKET_FORWARD = "ticket.forward"
    TICKET_DISPATCH = "ticket.dispatch"
    TICKET_RETURN = "ticket.return"
    TICKET_SUPPLEMENT = "ticket.supplement"
    TICKET_ACCEPT = "ticket.accept"
    TICKET_REFUSE = "ticket.refuse"
    TICKET_ARRIVE = "ticket.arrive"
    TICKET_REVERT = "ticket.revert"
    TICKET_LIST = "ticket.list"
    TICKET_TELL = "ticket.tell"
    TICKET_CONFIRM = "ticket.confirm"
    TICKET_REOPEN = "ticket.reopen"
    TICKET_CLOSE = "ticket.close"
    TICKET_ESCALATE = "ticket.escalate"
    TICKET_UPHOLD = "ticket.uphold"
    TICKET_DISMISS = "ticket.dismiss"
    TICKET_WITHDRAW = "ticket.withdraw"

    OPERATION_LOOK = "operation.look"
    OPERATION_RESTART = "operation.restart"

    NOTICE_ANNOUNCE = "notice.announce"
    NOTICE_LOOK_ADDRESSES = "notice.look_addresses"
    NOTICE_SET_ADDRESS = "notice.set_address"
    """To add a mailbox or an endpoint, or give an endpoint a new secret."""
    NOTICE_MEND_DELIVERY = "notice.mend_delivery"
    """To switch an address off, or have what did not arrive tried anew."""

    REPORT_LOOK = "report.look"
    REPORT_FILE = "report.file"
    REPORT_FILE_FOR_AUTHORITY = "report.file_for_authority"

    AUDIT_LOOK = "audit.look"
    AUDIT_EXPORT = "audit.export"
    AUDIT_BALANCE = "audit.balance"

    ACCOUNT_LOOK = "account.look"
    ACCOUNT_ADD_DEPARTMENT = "account.add_department"
    ACCOUNT_EDIT_DEPARTMENT = "account.edit_department"
    ACCOUNT_ADD = "account.add"
    ACCOUNT_DISABLE = "account.disable"
    ACCOUNT_ENABLE = "account.enable"
    ACCOUNT_RESET_PASSWORD = "account.reset_password"  # noqa: S105 - the name of an action
    ACCOUNT_UNLOCK = "account.unlock"
    ACCOUNT_REVOKE_SESSIONS = "account.revoke_sessions"
    ACCOUNT_REVOKE_TOKEN = "account.revoke_token"  # noqa: S105 - the name of an action
    ACCOUNT_GIVE_ROLE = "account.give_role"
    ACCOUNT_TAKE_ROLE = "account.take_role"
    ACCOUNT_SET_OVERSIGHT = "account.set_oversight"
    ACCOUNT_CHANGE_OWN_PASSWORD = "account.change_own_password"  # noqa: S105 - the name of an action
    ACCOUNT_CREATE_OWN_TOKEN = "account.create_own_token"  # noqa: S105 - the name of an action
    ACCOUNT_REVOKE_OWN = "account.revoke_own"

    @property
    def area(self) -> Area:
        """What it is about."""
        return Area(self.value.partition(".")[0])
