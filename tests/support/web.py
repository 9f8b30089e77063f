"""The API over a real database for tests: departments, people who log in, a bus of one's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from random import Random
from typing import Any, Final
from uuid import UUID

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Connection

from services.api.app import create_api
from services.api.parts import Parts
from services.api.reporting import report as note
from services.api.running import BusUnavailable, NothingThere
from services.api.settings import ApiSettings
from services.control.accounts.decision import EVERYWHERE, SCOPES
from services.control.accounts.hashing import Hasher, Strength
from services.control.accounts.people import Department, Person
from services.control.accounts.roles import Role
from services.control.accounts.token_bucket import OF_LOGINS
from services.control.catalogue.entry import Contact, Contacts
from services.control.contracts.agreement import Addresses
from services.control.desk.desk import Desk
from services.control.notices.endpoint import IpAddress
from services.control.sending.courier import Means
from services.control.sending.webhook import Reach
from services.control.signing_in.local import LocalLogins
from services.control.signing_in.oidc import OidcLogins
from services.control.store.accounts.acts import Order
from services.control.store.accounts.departments import add_department, department_of
from services.control.store.accounts.passwords import set_own
from services.control.store.accounts.persons import add_person
from services.control.store.accounts.roles import give_role, set_oversight
from services.control.store.accounts.tokens import create_token
from services.control.store.cases.grant_requests import GrantOutbox
from services.control.store.cases.policies import adopt
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.outbox import OUTBOX, acts_on
from services.control.tickets.evidence import Reported
from services.ledger.claims import ClaimView
from services.ledger.conflicts import Conflict
from tests.support import tickets
from tests.support.catalogue import CODES
from tests.support.desk import COUNTY, City
from tests.support.policy import sample_definitions, sample_policy
from tests.support.switching import Switched
from topics.identity.digits import credit_code_check_digit, organisation_code_check_digit
from topics.policy import Policy

NOW: Final = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""A Monday morning in Beijing."""
PASSWORD: Final = "Kiefer-97-Wolke"
ORIGIN: Final = "http://testserver"
CONTACTS: Final = Contacts(
    Contact("周建国", "0512-101"), Contact("吴敏", "0512-102"), Contact("郑晓", "0512-103")
)


def credit_code(organisation: str) -> str:
    """A valid unified social credit code of a department of the sample city, by eight digits."""
    first17 = f"11320500{organisation}{organisation_code_check_digit(organisation)}"
    return f"{first17}{credit_code_check_digit(first17)}"


DEPARTMENTS: Final = (
    Department("police", "公安局", "Police", CODES[0], CONTACTS),
    Department("health", "卫健委", "Health Commission", CODES[1], CONTACTS),
    Department("tax", "税务局", "Tax Bureau", CODES[2], CONTACTS),
    Department("data_bureau", "数据局", "Data Bureau", credit_code("01409001"), CONTACTS),
)
MASTER: Final = b"a master secret of webhooks, 32 bytes"
NAMES: Final = {"hook.example.cn": "8.8.8.8", "other.example.cn": "8.8.4.4", "inside.example.cn": "10.0.0.7"}
"""What a resolver would say."""
HASHER: Final = Hasher(Strength(memory_kib=64, passes=1))
CONSOLE: Final = Order("console:test", NOW)
Json = Mapping[str, Any]


@dataclass
class Clock:
    """The time as a test sets it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """Now."""
        return self.now

    def pass_by(self, time: timedelta) -> None:
        """Let time go by."""
        self.now += time


@dataclass
class FakeBus:
    """A bus that answers what a test gives it."""

    silent: bool = False

    current: Policy | None = field(default_factory=sample_policy)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    record: Reported = field(default_factory=tickets.reported)
    claimed: list[ClaimView] = field(default_factory=list)
    conflicting: list[Conflict] = field(default_factory=list)

    def policy(self) -> Policy | None:
        """The policy."""
        if self.silent:
            raise BusUnavailable("nobody answers")
        return self.current

    def addresses(self) -> Addresses:
        """Where departments find it."""
        return Addresses("kafka.example.gov.cn:9092", "https://registry.example.gov.cn")

    def receipt(self, suspension: str) -> dict[str, Any]:
        """A receipt."""
        if suspension not in self.receipts:
            raise NothingThere(f"the ledger knows no suspension {suspension}")
        return self.receipts[suspension]

    def claims(self) -> list[ClaimView]:
        """What a test says is claimed."""
        return self.claimed

    def conflicts(self) -> list[Conflict]:
        """What a test says is in conflict."""
        return self.conflicting

    def reported(self, at: str, items: Sequence[str]) -> Reported:
        """The sample record, wherever it is said to be."""
        if not at.startswith("resource."):
            raise NothingThere(f"{at} is no record; {len(items)} items")
        return self.record


class Web:
    """The API, people at it, and what the ledger is owed of them."""

    def __init__(
        self,
        database: ControlDatabase,
        settings: ApiSettings | None = None,
        oidc: OidcLogins | None = None,
    ) -> None:
        self.clock, self.bus, self.city = Clock(), FakeBus(), City()
        self.stops = Switched()
        self.switched = self.stops.bus
        self.settings = settings or ApiSettings(origin="http://127.0.0.1:28080")
        random = Random(7).randbytes  # noqa: S311 - a test wants the same each time
        self.parts = Parts(
            settings=self.settings,
            database=database,
            clock=self.clock,
            new_id=new_id,
            random=random,
            definitions=sample_definitions(),
            desk=Desk(self.city, self.city, GrantOutbox()),
            logins=LocalLogins(database, HASHER, random),
            oidc=oidc,
            bus=self.bus,
            switch=self.stops.switch(note),
            session_rules=self.settings.session_rules,
            means=Means("https://portal", "govbus@localhost", None, Reach(), MASTER, lookup=self.resolved),
        )
        self.app = create_api(self.parts)
        self._numbers = iter(range(1, 10_000))
        with database.begin() as connection:
            for department in DEPARTMENTS:
                if department_of(connection, department.id) is None:
                    add_department(connection, department, CONSOLE)
            adopt(connection, COUNTY, "operator:test", NOW, "for a test")

    def hire(
        self,
        *roles: Role,
        department: str = "police",
        login: str = "",
        oversees: Sequence[str] = (EVERYWHERE,),
    ) -> Person:
        """A person with roles and a password of his own."""
        number = next(self._numbers)
        person = Person(UUID(int=number), login or f"person.n{number}", f"某人{number}", department)
        with self.parts.database.begin() as connection:
            add_person(connection, person, CONSOLE)
            for role in roles:
                give_role(connection, person.id, role, CONSOLE)
            if Role.OVERSEER in roles:
                set_oversight(connection, person.id, oversees, CONSOLE)
            hashed = HASHER.hash(PASSWORD, self.parts.random)
            set_own(connection, person.id, hashed, Order(str(person.id), NOW))
        return person

    def resolved(self, host: str, _port: int) -> Sequence[IpAddress]:
        """The addresses that the names of endpoints have: public ones, but for those of a machine room."""
        if host not in NAMES:
            raise OSError("no such name")
        return [ip_address(NAMES[host])]

    def client(self) -> TestClient:
        """A browser that nobody is logged in at."""
        return TestClient(self.app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)

    def logged_in(self, person: Person) -> "Browser":
        """A browser at which a person is logged in."""
        # One address logs in so often: the next one has its turn.
        self.clock.pass_by(OF_LOGINS.every)
        browser = Browser(self.client())
        answer = browser.client.post("/api/v1/session", json={"login": person.login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        browser.token = answer.json()["csrf_token"]
        return browser

    def at(self, *roles: Role, department: str = "police", **more: Any) -> "Browser":
        """A browser at which somebody new with these roles is logged in."""
        return self.logged_in(self.hire(*roles, department=department, **more))

    def token_of(self, person: Person, *scopes: str, lasts: timedelta = timedelta(days=30)) -> dict[str, str]:
        """The header that shows a token of a person; with all scopes unless some are named."""
        wanted = scopes or tuple(SCOPES)
        with self.parts.database.begin() as connection:
            order = Order(str(person.id), self.clock.now)
            made = create_token(
                connection, person.id, "for a test", wanted, self.clock.now + lasts, order, self.parts.random
            )
        return {"authorization": f"Bearer {made.text}"}

    def acts(self, kind: str, object_: str) -> list[str]:
        """What the ledger is owed of an object."""
        with self.parts.database.begin() as connection:
            return [act.what for act in acts_on(connection, kind, object_)]

    def all_acts(self) -> list[str]:
        """Everything that the ledger is owed."""
        with self.parts.database.begin() as connection:
            return _acts(connection)


@dataclass
class Browser:
    """A browser with a session: it sends the token of its pages with everything that changes something."""

    client: TestClient
    token: str = ""

    def get(self, path: str, **more: Any) -> Response:
        """Look."""
        return self.client.get(f"/api/v1{path}", **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Response:
        """Change something."""
        return self.ask("POST", path, json, **more)

    def put(self, path: str, json: Any = None, **more: Any) -> Response:
        """Replace something."""
        return self.ask("PUT", path, json, **more)

    def delete(self, path: str, **more: Any) -> Response:
        """End something."""
        return self.ask("DELETE", path, None, **more)

    def ask(
        self, method: str, path: str, json: Any = None, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Response:
        """Send a request as a page of ours does."""
        sent = {"x-csrf-token": self.token, "origin": ORIGIN, **(headers or {})}
        return self.client.request(method, f"/api/v1{path}", json=json, headers=sent, **more)


def _acts(connection: Connection) -> list[str]:
    rows = connection.execute(OUTBOX.select().order_by(OUTBOX.c.id))
    return [row.what for row in rows if row.channel == "ledger"]


def application(**changes: Any) -> dict[str, Any]:
    """A complete application as it is sent."""
    wanted = {
        "applicant": "health",
        "resource": "population.person.v1",
        "scenario": "家庭医生签约服务",
        "basis": {"document": "《基本医疗卫生与健康促进法》", "article": "第三十一条"},
        "items": ["id_number", "name", "birth_date", "household_district"],
        "start": "2026-03-10",
        "end": "2027-03-09",
        "rows": [{"item": "household_district", "values": ["320508", "320505"]}],
        "committed": True,
    }
    return wanted | changes


def report(**changes: Any) -> dict[str, Any]:
    """A complete report of a wrong record as it is sent."""
    wanted = {
        "at": f"resource.{tickets.PERSON}:0:17",
        "items": ["address"],
        "statement": "住址门牌号有误，应为2号",
        "evidence": [{"sha256": "ab" * 32, "size": 2048, "title": "户口簿复印件"}],
    }
    return wanted | changes


def entry(**changes: Any) -> dict[str, Any]:
    """A complete entry as it is sent."""
    contact = {"name": "甲", "phone": "0512-1"}
    wanted = {
        "code": "3013205/000001",
        "name": "居住证办理信息",
        "summary": "居住证的申领、签注和注销",
        "format": {"class": "database", "type": "PostgreSQL"},
        "items": [
            {
                "name": "证件号码",
                "item_type": "text",
                "length": 18,
                "key": True,
                "sensitivity": "personal",
                "grade": "general",
            }
        ],
        "sharing": {"type": "unconditional", "mode": "interface"},
        "opening": {"type": "not_open", "condition": "《个人信息保护法》第二十五条"},
        "update_cycle": "daily",
        "resource_class": "department",
        "contacts": {"head": contact, "deputy": contact, "clerk": contact},
    }
    return wanted | changes


def statement(**changes: Any) -> dict[str, Any]:
    """A complete statement of a need as it is sent."""
    wanted = {
        "subject": "流浪人员救助信息",
        "items": ["姓名", "救助日期"],
        "scenario": "流浪人员医疗救治",
        "basis_document": "《社会救助暂行办法》",
        "basis_article": "第五十条",
    }
    return wanted | changes
