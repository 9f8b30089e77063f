"""Carries the rulings that are owed to the bus, one after the other, and notes how far each is.

What is done stands in the policy and in the ledger under the ruling's id: whoever is killed anywhere is
followed by somebody who finds it there. A ruling that fails is tried for ever; the next one on the same
column overtakes it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from services.control.acknowledgements import Answers
from services.control.cases.words import Problem
from services.control.ownership.decided import DecidedRuling, Stage
from services.control.provisioning.reasons import reason_of
from services.control.provisioning.retrying import Waits
from services.control.ruling_order import (
    DefinitionsDiffer,
    PolicyMoved,
    RulingOrder,
    RulingOvertaken,
    Written,
)
from services.control.store.database import ControlDatabase, Task
from services.control.store.rulings import orders
from services.control.store.rulings.telling import tell_losing

Say = Callable[[str], None]
_LONGEST: Final = 500


@dataclass(slots=True)
class RulingWorker:
    """Takes turns; of several processes one carries rulings out at a time."""

    database: ControlDatabase
    order: RulingOrder
    now: Callable[[], datetime]
    say: Say
    waits: Waits = field(default_factory=lambda: Waits(timedelta(seconds=1), timedelta(minutes=1)))

    def turn(self) -> bool:
        """Bring the oldest ruling whose time has come as far as it goes; return whether there was one.

        Raises:
            StoreError: the database is away or was busy; nothing is lost, call it again.
        """
        with self.database.alone(Task.RULINGS) as ours:
            if not ours:
                return False
            with self.database.begin() as connection:
                owed = orders.next_due(connection, self.now())
            if owed is None:
                return False
            if owed.stage is Stage.DECIDED:
                owed = self._write(owed)
            if owed.stage is Stage.WRITTEN:
                self._settle(owed)
            return True

    def _write(self, owed: DecidedRuling) -> DecidedRuling:
        try:
            found = self.order.write(owed.given)
        except RulingOvertaken as later:
            with self.database.begin() as connection:
                orders.overtaken(connection, owed, str(later))
        except Exception as error:  # noqa: BLE001 - it stands on the conflict's page, and is tried again
            self._failed(owed, _why(error))
        else:
            self._written(owed, found)
        with self.database.reading() as connection:
            return orders.by_number(connection, owed.number)

    def _written(self, owed: DecidedRuling, found: Written | tuple[Problem, ...]) -> None:
        if not isinstance(found, Written):
            self._failed(owed, _against(found))
            return
        affected, version = found.affected, found.ruling.since_version
        with self.database.begin() as connection:
            orders.written(connection, owed, version, affected.resources, affected.losing)
            tell_losing(connection, owed.given, affected.losing, self.now())
        self.say(f"ruling {owed.given.id}: it stands in policy version {version}")

    def _settle(self, owed: DecidedRuling) -> None:
        version = owed.version
        if version is None:
            raise LookupError(f"ruling {owed.given.id} is written and has no version")
        try:
            answers = self.order.answers(version)
        except Exception as error:  # noqa: BLE001 - it stands on the conflict's page, and is tried again
            self._failed(owed, _why(error))
            return
        if answers.silent:
            self._wait(owed, f"no answer yet from {', '.join(answers.silent)}")
            return
        with self.database.begin() as connection:
            orders.in_force(connection, owed, since(answers, self.now()), applied(answers))
        self.say(f"ruling {owed.given.id}: every instance of the gate decides by it")

    def _failed(self, owed: DecidedRuling, why: str) -> None:
        with self.database.begin() as connection:
            next_at = self.now() + self.waits.after(owed.attempts + 1)
            orders.put_off(connection, owed, why[:_LONGEST], next_at, failed=True)
        self.say(f"ruling {owed.given.id}: {why}")

    def _wait(self, owed: DecidedRuling, why: str) -> None:
        with self.database.begin() as connection:
            orders.put_off(connection, owed, why[:_LONGEST], self.now() + self.waits.first, failed=False)
        self.say(f"ruling {owed.given.id}: {why}")


def since(answers: Answers, now: datetime) -> datetime:
    """Since when every instance decides so; where none runs, each will before its first record."""
    applied_ms = [each.applied_ms for each in answers.acknowledged.values()]
    return datetime.fromtimestamp(max(applied_ms) / 1000, UTC) if applied_ms else now


def applied(answers: Answers) -> dict[str, int]:
    """Each instance that has answered, with when it began to decide so, in ms."""
    return {name: found.applied_ms for name, found in sorted(answers.acknowledged.items())}


def _why(error: Exception) -> str:
    if isinstance(error, DefinitionsDiffer):
        return (
            f"{error}; `govbus plan` shows it: `govbus apply`, or let GOVBUS_CONTROL_DEFINITIONS name the "
            "folder that is applied"
        )
    if isinstance(error, PolicyMoved):
        return f"{error}; it is tried again"
    return reason_of(error)


def _against(problems: tuple[Problem, ...]) -> str:
    return "; ".join(f"{each.code}: {each.what} ({each.remedy})" for each in problems)
