"""The courier on a real database, a real mail server and a real endpoint: delivered, tried again, or dead."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

import jsonschema
import pytest

from services.control.notices.retrying import Failure, Retry
from services.control.notices.signature import HEADER, Verdict, secret_of, verify
from services.control.notices.words import Channel, Kind, Language
from services.control.sending.courier import LEASE, Courier, Means, Round
from services.control.sending.mailer import MailServer
from services.control.sending.webhook import Reach
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.notices import addresses, deliveries
from services.control.store.notices.deliveries import Letter
from services.control.store.notices.happenings import tell
from services.control.store.notices.tables import Progress, Way
from tests.support.certificates import Certificates, make_certificates
from tests.support.notices import NOW, PORTAL, happened
from tests.support.receivers import HOST, HttpReceiver, MailReceiver, http_server, mail_server
from tests.unit.notices.shape import SHAPE

MASTER = b"0123456789abcdef0123456789abcdef"
RETRY = Retry(first=timedelta(minutes=1), longest=timedelta(minutes=4), attempts=3)
MORNING = NOW + timedelta(hours=20)


@dataclass
class Post:
    """A courier between one mail server and one endpoint, at a time that the test sets."""

    database: ControlDatabase
    mail: MailReceiver
    endpoint: HttpReceiver
    means: Means
    now: datetime = NOW

    def courier(self, **changes: object) -> Courier:
        return Courier(self.database, replace(self.means, **changes), lambda: self.now, lambda: 0.5)  # type: ignore[arg-type]

    def round(self) -> Round:
        return self.courier().round()

    def mailbox(self, department: str, language: Language = Language.ZH) -> int:
        return self._added(department, Way.EMAIL, f"clerk@{department}.example.cn", language)

    def hook(self, department: str) -> int:
        url = f"https://{HOST}:{self.endpoint.port}/{department}"
        return self._added(department, Way.WEBHOOK, url, Language.ZH)

    def _added(self, department: str, way: Way, target: str, language: Language) -> int:
        with self.database.begin() as connection:
            return addresses.add(connection, department, way, target, language, who="account-1", now=NOW).id

    def tell(self, kind: Kind = Kind.CASE_ACTIVE, key: str = "") -> None:
        with self.database.begin() as connection:
            tell(connection, happened(kind, key=key), new_id(NOW), MORNING)

    def letters(self, progress: Progress) -> list[Letter]:
        with self.database.begin() as connection:
            return deliveries.listed(connection, progress)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"), HOST)


@pytest.fixture
def post(control_database: ControlDatabase, certificates: Certificates) -> Iterator[Post]:
    mail, endpoint, context = MailReceiver(), HttpReceiver(), certificates.server_context()
    with ExitStack() as servers:
        servers.enter_context(mail_server(mail, context))
        servers.enter_context(http_server(endpoint, context))
        means = Means(
            portal=PORTAL,
            sender="bus@example.cn",
            server=MailServer(HOST, mail.port, ca_file=certificates.authority, timeout_s=5.0),
            reach=Reach((ip_network("127.0.0.0/8"),), ca_file=certificates.authority, timeout_s=5.0),
            master=MASTER,
            retry=RETRY,
            lookup=lambda _host, _port: [ip_address("127.0.0.1")],
        )
        yield Post(control_database, mail, endpoint, means)


def test_a_letter_and_a_signed_webhook_arrive_each_in_its_form(post: Post) -> None:
    post.mailbox("health", Language.EN)
    hook = post.hook("police")
    post.tell()
    assert post.round() == Round(delivered=2)
    (letter,), (request,) = post.mail.letters, post.endpoint.requests
    assert letter["To"] == "clerk@health.example.cn"
    assert letter["Subject"].startswith("Case 0199c9a0-0000-7000-8000-000000000001 is active")
    assert f"{PORTAL}/cases/0199c9a0-0000-7000-8000-000000000001" in letter.get_content()
    assert request.path == "/police"
    secret = secret_of(MASTER, hook, 1)
    assert verify(request.headers[HEADER], request.body, NOW, [secret]) is Verdict.VALID
    body = json.loads(request.body)
    jsonschema.validate(body, SHAPE)
    assert (body["kind"], body["audience"]) == ("case.active", "provider")
    assert post.round() == Round()


def test_the_number_of_a_person_never_leaves_the_bus(post: Post) -> None:
    post.mailbox("health")
    post.hook("health")
    with post.database.begin() as connection:
        tell(connection, happened(grant="11010519491231002X", case="张伟"), new_id(NOW), MORNING)
    assert post.round() == Round(delivered=2)
    said = post.mail.letters[0].as_string() + post.mail.letters[0].get_content()
    said += post.mail.letters[0]["Subject"] + post.endpoint.requests[0].body.decode()
    assert "11010519491231002X" not in said
    assert "张伟" not in said


def test_what_fails_is_tried_again_with_growing_waits_and_the_same_id_until_it_arrives(post: Post) -> None:
    post.hook("police")
    post.endpoint.status = lambda number: 503 if number < 3 else 204
    post.tell()
    assert post.round() == Round(again=1)
    (waiting,) = post.letters(Progress.WAITING)
    assert (waiting.due_at, waiting.failure, waiting.detail) == (
        NOW + timedelta(seconds=45),
        Failure.ANSWER_NOT_2XX,
        "503",
    )
    assert post.round() == Round()
    post.now = waiting.due_at
    assert post.round() == Round(again=1)
    (waiting,) = post.letters(Progress.WAITING)
    assert waiting.due_at == post.now + timedelta(seconds=90)
    post.now = waiting.due_at
    assert post.round() == Round(delivered=1)
    assert len({json.loads(each.body)["id"] for each in post.endpoint.requests}) == 1
    assert len({each.headers[HEADER] for each in post.endpoint.requests}) == 3


def test_after_its_last_attempt_a_delivery_is_dead_and_says_why(post: Post) -> None:
    post.hook("police")
    post.endpoint.status = lambda _: 500
    post.tell()
    for _ in range(RETRY.attempts):
        post.round()
        post.now += timedelta(minutes=10)
    (dead,) = post.letters(Progress.DEAD)
    assert (dead.attempts, dead.failure, dead.detail) == (3, Failure.ANSWER_NOT_2XX, "500")
    assert post.round() == Round()
    assert len(post.endpoint.requests) == 3


def test_a_refused_recipient_is_dead_at_once_and_the_others_get_their_letters(post: Post) -> None:
    post.mail.answer = lambda recipient: "550 no" if "police" in recipient else "250 OK"
    post.mailbox("police")
    post.mailbox("health")
    post.tell(Kind.CASE_SUSPENDED)
    assert post.round() == Round(delivered=1, dead=1)
    (dead,) = post.letters(Progress.DEAD)
    assert (dead.department, dead.failure, dead.detail) == ("police", Failure.RECIPIENT_REFUSED, "550")


def test_an_endpoint_inside_the_bus_is_dead_at_once_and_nothing_is_sent(post: Post) -> None:
    post.hook("police")
    post.tell()
    courier = post.courier(reach=replace(post.means.reach, allowed=()))
    assert courier.round() == Round(dead=1)
    assert post.letters(Progress.DEAD)[0].failure is Failure.ADDRESS_FORBIDDEN
    assert post.endpoint.requests == []


def test_while_a_secret_is_rotated_the_old_one_and_the_new_one_verify(post: Post) -> None:
    hook = post.hook("police")
    with post.database.begin() as connection:
        addresses.rotate(connection, hook, who="account-1", now=NOW, overlap=timedelta(days=1))
    post.tell(key="first")
    post.round()
    post.now = NOW + timedelta(days=1)
    post.tell(key="second")
    post.round()
    during, afterwards = post.endpoint.requests
    old, new = secret_of(MASTER, hook, 1), secret_of(MASTER, hook, 2)
    assert verify(during.headers[HEADER], during.body, NOW, [old]) is Verdict.VALID
    assert verify(during.headers[HEADER], during.body, NOW, [new]) is Verdict.VALID
    assert verify(afterwards.headers[HEADER], afterwards.body, post.now, [old]) is Verdict.WRONG
    assert verify(afterwards.headers[HEADER], afterwards.body, post.now, [new]) is Verdict.VALID


def test_reminders_of_a_day_come_as_one_letter_in_the_morning(post: Post) -> None:
    post.mailbox("police")
    for number in range(3):
        post.tell(Kind.CLOCK_REMINDER, key=f"clock:{number}")
    assert post.round() == Round()
    post.now = MORNING
    assert post.round() == Round(delivered=3)
    (letter,) = post.mail.letters
    assert letter["Subject"] == "3 条提醒"


def test_without_a_mail_server_letters_wait_and_no_attempt_is_counted(post: Post) -> None:
    post.mailbox("police")
    post.hook("police")
    post.tell()
    post.tell(Kind.CLOCK_REMINDER)
    post.now = MORNING
    assert post.courier(server=None).round() == Round(delivered=1)
    assert [(each.channel, each.attempts) for each in post.letters(Progress.WAITING)] == [(Channel.DIGEST, 0)]
    assert post.round() == Round(delivered=1)


def test_an_address_that_was_switched_off_meanwhile_gets_nothing(post: Post) -> None:
    mailbox = post.mailbox("health")
    post.tell()
    with post.database.begin() as connection:
        addresses.switch_off(connection, mailbox, who="account-1", now=NOW)
    assert post.round() == Round(dead=1)
    assert post.mail.letters == []
    assert post.letters(Progress.DEAD)[0].failure is Failure.NO_ADDRESS


def test_a_courier_that_dies_in_the_middle_delays_a_notice_and_loses_none(post: Post) -> None:
    post.mailbox("health")
    post.tell()
    with post.database.begin() as connection:
        assert deliveries.take(connection, NOW, NOW + LEASE, frozenset(Channel)) is not None
    assert post.round() == Round()
    post.now = NOW + LEASE
    assert post.round() == Round(delivered=1)
    assert post.letters(Progress.DELIVERED)[0].attempts == 2


def test_a_notice_that_kills_couriers_dies_itself(post: Post) -> None:
    post.mailbox("health")
    post.tell()
    for number in range(RETRY.attempts):
        with post.database.begin() as connection:
            due = NOW + number * LEASE
            assert deliveries.take(connection, due, due + LEASE, frozenset(Channel)) is not None
    post.now = NOW + RETRY.attempts * LEASE
    assert post.round() == Round(dead=1)
    assert post.letters(Progress.DEAD)[0].failure is Failure.BROKEN
    assert post.mail.letters == []


def test_a_defect_of_ours_stops_one_notice_and_not_the_others(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.mailbox("health")
    post.hook("health")
    post.tell()

    def broken(_host: str, _port: int) -> list[object]:
        raise ZeroDivisionError

    assert post.courier(lookup=broken).round() == Round(delivered=1, again=1)
    assert post.letters(Progress.WAITING)[0].failure is Failure.BROKEN
    assert "broke" in caplog.text


def test_a_round_ends_after_so_many(post: Post) -> None:
    post.hook("police")
    for number in range(5):
        post.tell(key=f"case:{number}")
    assert post.courier().round(most=3) == Round(delivered=3)
    assert post.round() == Round(delivered=2)
