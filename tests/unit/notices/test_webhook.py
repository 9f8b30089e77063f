"""Webhooks go to the address that was looked at and nowhere else, signed, and every failure has a reason."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from services.control.notices.endpoint import IpAddress
from services.control.notices.retrying import Delivered, Failure, Never, NotNow
from services.control.notices.signature import HEADER, Verdict, sign, verify
from services.control.sending.webhook import Reach, post
from tests.support.certificates import make_certificates
from tests.support.receivers import HOST, HttpReceiver, http_server

LOOPBACK = (ip_network("127.0.0.0/8"),)
NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)
BODY = '{"text":"已暂停"}'.encode()
SIGNED = sign(BODY, NOW, ["secret"])
PLAIN = Reach(LOOPBACK, plain=True, timeout_s=2.0)


def to(*addresses: str) -> "Lookup":
    return Lookup([ip_address(each) for each in addresses])


class Lookup:
    """A resolver that answers the same to every name, and counts how often it was asked."""

    def __init__(self, addresses: Sequence[IpAddress]) -> None:
        self.addresses, self.asked = addresses, list[str]()

    def __call__(self, host: str, _port: int) -> Sequence[IpAddress]:
        self.asked.append(host)
        return self.addresses


def test_a_signed_body_arrives_and_its_signature_is_valid() -> None:
    with http_server(HttpReceiver()) as receiver:
        url = f"http://hooks.example.cn:{receiver.port}/govbus?a=b"
        assert post(url, BODY, SIGNED, PLAIN, to("127.0.0.1")) == Delivered()
    (got,) = receiver.requests
    assert (got.path, got.body) == ("/govbus?a=b", BODY)
    assert got.headers["Host"] == f"hooks.example.cn:{receiver.port}"
    assert got.headers["Content-Type"] == "application/json; charset=utf-8"
    assert verify(got.headers[HEADER], got.body, NOW, ["secret"]) is Verdict.VALID
    assert verify(got.headers[HEADER], got.body + b" ", NOW, ["secret"]) is Verdict.WRONG


def test_the_certificate_must_be_that_of_the_name_though_the_address_was_looked_up_before(
    tmp_path: Path,
) -> None:
    right, wrong = make_certificates(tmp_path, HOST), make_certificates(tmp_path, "other.example.cn")
    reach = Reach(LOOPBACK, ca_file=right.authority, timeout_s=2.0)
    with http_server(HttpReceiver(), right.server_context()) as receiver:
        url = f"https://{HOST}:{receiver.port}/"
        assert post(url, BODY, SIGNED, reach, to("127.0.0.1")) == Delivered()
        assert post(url, BODY, SIGNED, Reach(LOOPBACK, timeout_s=2.0), to("127.0.0.1")) == NotNow(
            Failure.TLS_REFUSED, "SSLError"
        )
    with http_server(HttpReceiver(), wrong.server_context()) as other:
        reach = Reach(LOOPBACK, ca_file=wrong.authority, timeout_s=2.0)
        found = post(f"https://{HOST}:{other.port}/", BODY, SIGNED, reach, to("127.0.0.1"))
    assert found == NotNow(Failure.TLS_REFUSED, "SSLError")
    assert other.requests == []


def test_a_private_address_is_never_connected_to_unless_its_network_is_allowed() -> None:
    with http_server(HttpReceiver()) as receiver:
        url = f"http://{HOST}:{receiver.port}/"
        strict = Reach(plain=True, timeout_s=2.0)
        assert post(url, BODY, SIGNED, strict) == Never(Failure.ADDRESS_FORBIDDEN)
        assert post(f"http://127.0.0.1:{receiver.port}/", BODY, SIGNED, strict) == Never(
            Failure.ADDRESS_FORBIDDEN
        )
        assert receiver.requests == []
        assert post(url, BODY, SIGNED, Reach((*LOOPBACK, ip_network("::1/128")), True, timeout_s=2.0)) in (
            Delivered(),
            NotNow(Failure.UNREACHABLE, "ConnectionError"),
        )


def test_one_forbidden_address_among_several_is_enough_to_refuse() -> None:
    with http_server(HttpReceiver()) as receiver:
        found = post(
            f"http://hooks.example.cn:{receiver.port}/", BODY, SIGNED, PLAIN, to("127.0.0.1", "10.0.0.1")
        )
    assert found == Never(Failure.ADDRESS_FORBIDDEN)
    assert receiver.requests == []


def test_a_name_is_resolved_once_so_that_it_cannot_change_between_check_and_connection() -> None:
    lookup = to("127.0.0.1")
    with http_server(HttpReceiver()) as receiver:
        # No such name exists: whoever resolved it again would not arrive.
        assert post(f"http://rebound.invalid:{receiver.port}/", BODY, SIGNED, PLAIN, lookup) == Delivered()
    assert lookup.asked == ["rebound.invalid"]


def test_a_redirect_is_not_followed() -> None:
    with http_server(HttpReceiver()) as inside:
        outside = HttpReceiver(status=lambda _: 307, headers={"Location": f"http://127.0.0.1:{inside.port}/"})
        with http_server(outside) as receiver:
            found = post(f"http://hooks.example.cn:{receiver.port}/", BODY, SIGNED, PLAIN, to("127.0.0.1"))
    assert found == Never(Failure.REDIRECTED, "307")
    assert len(receiver.requests) == 1
    assert inside.requests == []


def test_no_proxy_of_the_machine_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with http_server(HttpReceiver()) as receiver:
        url = f"http://hooks.example.cn:{receiver.port}/"
        assert post(url, BODY, SIGNED, PLAIN, to("127.0.0.1")) == Delivered()


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (200, Delivered()),
        (299, Delivered()),
        (404, NotNow(Failure.ANSWER_NOT_2XX, "404")),
        (410, Never(Failure.ANSWER_NOT_2XX, "410")),
        (429, NotNow(Failure.ANSWER_NOT_2XX, "429")),
        (503, NotNow(Failure.ANSWER_NOT_2XX, "503")),
    ],
)
def test_the_answer_decides_whether_it_arrived_and_whether_to_try_again(
    status: int, found: Delivered | NotNow | Never
) -> None:
    with http_server(HttpReceiver(status=lambda _: status)) as receiver:
        url = f"http://hooks.example.cn:{receiver.port}/"
        assert post(url, BODY, SIGNED, PLAIN, to("127.0.0.1")) == found
    assert len(receiver.requests) == 1


def test_an_answer_that_never_ends_is_cut_off() -> None:
    reach = Reach(LOOPBACK, plain=True, timeout_s=0.3)
    with http_server(HttpReceiver(trickle=True)) as receiver:
        begun = time.monotonic()
        found = post(f"http://hooks.example.cn:{receiver.port}/", BODY, SIGNED, reach, to("127.0.0.1"))
        passed = time.monotonic() - begun
    assert found == NotNow(Failure.UNREACHABLE, "no whole answer in time")
    assert 0.3 <= passed < 10


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://user@hooks.example.cn/", Never(Failure.ADDRESS_MALFORMED)),
        ("file:///etc/passwd", Never(Failure.ADDRESS_MALFORMED)),
    ],
)
def test_what_is_no_endpoint_is_not_tried(url: str, found: Never) -> None:
    lookup = to("127.0.0.1")
    assert post(url, BODY, SIGNED, PLAIN, lookup) == found
    assert lookup.asked == []


def test_a_name_without_an_address_and_a_port_without_a_server_are_told() -> None:
    assert post("https://no-such-name.invalid/", BODY, SIGNED, PLAIN) == NotNow(
        Failure.NAME_UNKNOWN, "gaierror"
    )
    assert post("https://hooks.example.cn/", BODY, SIGNED, PLAIN, to()) == NotNow(Failure.NAME_UNKNOWN)
    with http_server(HttpReceiver()) as gone:
        url = f"http://hooks.example.cn:{gone.port}/"
    assert post(url, BODY, SIGNED, PLAIN, to("127.0.0.1")) == NotNow(Failure.UNREACHABLE, "ConnectionError")
