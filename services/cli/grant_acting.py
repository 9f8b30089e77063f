"""An order of the kill switch in an account's name: whether it may, and what the ledger is owed first.

Without an account the machine's user gives it: what must stop now must not wait for a database.
"""

from dataclasses import replace
from datetime import UTC, datetime

from services.cli.acting import Acting, acting
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode
from services.control.accounts.actions import Action
from services.control.owners import SUSPENDING, knows, whose_order
from services.control.store.outbox import Act, append
from services.control.suspension.suspend import Order
from services.control.suspension.switch import Verb
from topics.grants.hold import HoldScope
from topics.policy import Policy


def ordered_as(login: str, order: Order, verb: Verb, policy: Policy, id_: str) -> Order:
    """The same order, given by an account that may, once the ledger is owed it under this id.

    Raises:
        CommandFailed: there is no such account, it may not, or the policy knows nothing of that name.
    """
    if not knows(policy, order.scope, order.name):
        what = f"there is no {order.scope.value} {order.name}"
        raise CommandFailed(ExitCode.USAGE, what, "", "`govbus grant list` shows what there is")
    action = SUSPENDING[order.scope] if verb is Verb.SUSPEND else Action.KILL_RESUME
    with open_control() as database, database.begin() as connection:
        who = acting(connection, login, action, whose_order(policy, order.scope, order.name))
        append(connection, _act(who, order, verb, action, id_))
    standing = replace(order.standing, role=who.role.value, department=who.person.department, person=who.id)
    return replace(order, by=who.console, standing=standing)


def _act(who: Acting, order: Order, verb: Verb, action: Action, id_: str) -> Act:
    meant = order.name or HoldScope.ALL.value
    facts = {"verb": verb.value, "work": id_, "department": who.person.department, "for": who.id}
    return Act(who.console, action.value, order.scope.value, meant, datetime.now(UTC), order.reason, facts)
