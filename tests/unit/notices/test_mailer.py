"""Letters are handed over encrypted to a server whose certificate holds, and every failure has a reason."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.control.notices.letter import letter
from services.control.notices.retrying import Delivered, Failure, Never, NotNow
from services.control.notices.text import text_of
from services.control.notices.words import Language
from services.control.sending.mailer import MailServer, send
from tests.support.certificates import Certificates, make_certificates
from tests.support.notices import NOW, PORTAL, happened
from tests.support.receivers import HOST, MailReceiver, mail_server

TEXT = text_of(happened(), Language.ZH, PORTAL)
LETTER = letter([TEXT], Language.ZH, "bus@example.cn", "clerk@example.cn", NOW, "1")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"), HOST)


def at(receiver: MailReceiver, certificates: Certificates) -> MailServer:
    return MailServer(HOST, receiver.port, ca_file=certificates.authority, timeout_s=5.0)


def test_a_letter_arrives_encrypted_with_all_that_it_says(certificates: Certificates) -> None:
    with mail_server(MailReceiver(), certificates.server_context()) as receiver:
        assert send(at(receiver, certificates), LETTER) == Delivered()
    (received,) = receiver.letters
    assert receiver.encrypted == [True]
    assert received["Subject"] == TEXT.subject
    assert (received["From"], received["To"]) == ("bus@example.cn", "clerk@example.cn")
    assert TEXT.what_to_do in received.get_content()
    assert TEXT.link in received.get_content()


def test_a_server_that_offers_no_encryption_gets_nothing(certificates: Certificates) -> None:
    with mail_server(MailReceiver(), None) as receiver:
        found = send(at(receiver, certificates), LETTER)
    assert isinstance(found, NotNow)
    assert found.failure is Failure.TLS_REFUSED
    assert receiver.letters == []


def test_a_server_with_a_strangers_certificate_gets_nothing(
    certificates: Certificates, tmp_path: Path
) -> None:
    stranger = make_certificates(tmp_path, HOST)
    with mail_server(MailReceiver(), stranger.server_context()) as receiver:
        found = send(at(receiver, certificates), LETTER)
    assert isinstance(found, NotNow)
    assert found.failure is Failure.TLS_REFUSED
    assert receiver.letters == []


def test_a_certificate_for_another_name_does_not_hold(tmp_path: Path) -> None:
    other = make_certificates(tmp_path, "mail.example.cn")
    with mail_server(MailReceiver(), other.server_context()) as receiver:
        found = send(at(receiver, other), LETTER)
    assert isinstance(found, NotNow)
    assert found.failure is Failure.TLS_REFUSED
    assert receiver.letters == []


def test_the_login_is_given_and_a_wrong_one_is_told_without_its_password(certificates: Certificates) -> None:
    wanted = MailReceiver(login=("govbus", "right"))
    with mail_server(wanted, certificates.server_context()) as receiver:
        server = replace(at(receiver, certificates), user="govbus", password=lambda: "right")
        assert send(server, LETTER) == Delivered()
        refused = send(replace(server, password=lambda: "wrong-password"), LETTER)
    assert refused == NotNow(Failure.LOGIN_REFUSED, "535")
    assert len(receiver.letters) == 1


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("550 no such clerk 张伟", Never(Failure.RECIPIENT_REFUSED, "550")),
        ("450 try later", NotNow(Failure.RECIPIENT_REFUSED, "450")),
    ],
)
def test_a_refused_recipient_is_tried_again_only_if_that_may_help(
    answer: str, found: NotNow | Never, certificates: Certificates
) -> None:
    with mail_server(MailReceiver(answer=lambda _: answer), certificates.server_context()) as receiver:
        assert send(at(receiver, certificates), LETTER) == found


def test_a_server_that_is_not_there_is_told(certificates: Certificates) -> None:
    with mail_server(MailReceiver(), None) as receiver:
        gone = at(receiver, certificates)
    found = send(gone, LETTER)
    assert isinstance(found, NotNow)
    assert found.failure is Failure.UNREACHABLE
