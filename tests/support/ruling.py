"""A bus in memory for rulings on items: what it is asked is kept, it can fail and be killed anywhere."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from services.control.acknowledgements import Acknowledgement, Answers
from services.control.definitions import Definitions
from services.control.ownership.decided import Given
from services.control.ruling_order import RulingOrder
from services.control.suspension.acts import Act
from tests.support.policy import policy_of, sample_definitions
from tests.support.suspending import Killed
from topics.event import ResourceId, SchemaId
from topics.names import GATE_GROUP
from topics.ownership import Decision
from topics.policy import Policy
from topics.resource import Resource

PERSON, ENROLMENT = ResourceId("population.person.v1"), ResourceId("social.enrolment.v1")
CITY: Final = sample_definitions()
AT: Final = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
INSTANCE: Final = "gate.0"
APPLIED_MS: Final = int(AT.timestamp() * 1000) + 2_000


def given(id_: str = "o-1", **changes: Any) -> Given:
    """The address of a person goes to who publishes enrolments."""
    wanted: dict[str, Any] = {
        "id": id_,
        "claimant": ENROLMENT,
        "column": "address",
        "owner": PERSON,
        "item": "address",
        "decision": Decision.TRANSFER,
        "basis": "《政务数据共享条例》第二十条",
        "text": "参保登记时核验住址，由人社部门采集",
        "by": "account-7",
        "department": "data_bureau",
        "at": AT,
    }
    return Given(**{**wanted, **changes})


@dataclass
class RulingMemory:
    """Policy, ledger and one instance of the gate; ``calls`` is what was asked, in order."""

    now: Policy = field(default_factory=lambda: policy_of(CITY, 3))
    acts: dict[str, Act] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    kill_at: int | None = None
    """The process ends after so many calls, that one done."""
    before_write: Callable[[], None] = lambda: None

    def policy(self) -> Policy:
        self._asked("policy")
        return self._done(self.now)

    def schema_ids(self, resource: Resource, item_schema: dict[str, Any]) -> tuple[SchemaId, SchemaId]:
        self._asked("schema_ids")
        assert resource.avro_schema
        assert item_schema["fields"]
        entry = self.now.resources[resource.id]
        ids = entry.canonical_key_schema_id, entry.canonical_value_schema_id
        self._done(self.now)
        return ids

    def write(self, change: Callable[[Policy], Policy]) -> Policy:
        self._asked("write")
        self.before_write()
        self.now = change(self.now)
        return self._done(self.now)

    def record(self, act: Act) -> None:
        self._asked("record")
        self.acts.setdefault(act.id, act)
        self._done(self.now)

    def members(self, groups: Collection[str]) -> set[str]:
        assert list(groups) == [GATE_GROUP]
        return {INSTANCE}

    def answers(self, groups: Collection[str], version: int, members: Iterable[str]) -> Answers:
        self._asked("answers")
        found = {
            name: Acknowledgement(GATE_GROUP, name, version, APPLIED_MS, ())
            for name in members
            if name not in self.silent
        }
        self._done(self.now)
        return Answers(found, self.silent)

    @property
    def owner(self) -> str | None:
        """Who owns the address of a person in the policy in force; None for who always did."""
        return self.now.resources[PERSON].resource.item("address").owner

    def order(self, definitions: Definitions = CITY) -> RulingOrder:
        """What carries a ruling out on this bus."""
        return RulingOrder(self, definitions, lambda: APPLIED_MS)

    def _asked(self, what: str) -> None:
        self.calls.append(what)
        if what in self.fails:
            raise self.fails[what]

    def _done(self, answer: Policy) -> Policy:
        if self.kill_at is not None and len(self.calls) >= self.kill_at:
            self.kill_at = None
            raise Killed
        return answer
