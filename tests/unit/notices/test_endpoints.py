"""Where a webhook may go, and where it never goes."""

from ipaddress import IPv6Address, ip_address, ip_network

import hypothesis
import pytest
from hypothesis import strategies as st

from services.control.notices.endpoint import Endpoint, endpoint_of, may_reach


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://hooks.example.cn", Endpoint("https", "hooks.example.cn", 443, "/")),
        ("https://hooks.example.cn/a?b=c", Endpoint("https", "hooks.example.cn", 443, "/a?b=c")),
        ("https://Hooks.example.cn:8443/a", Endpoint("https", "hooks.example.cn", 8443, "/a")),
        ("https://203.0.113.7/a", Endpoint("https", "203.0.113.7", 443, "/a")),
        ("https://[2001:db8::1]:8443/a", Endpoint("https", "2001:db8::1", 8443, "/a")),
    ],
)
def test_an_endpoint_has_a_host_a_port_and_a_path(url: str, found: Endpoint) -> None:
    assert endpoint_of(url) == found


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.cn",
        "http://hooks.example.cn/",
        "ftp://hooks.example.cn/",
        "file:///etc/passwd",
        "https://",
        "https:///a",
        "https://user@hooks.example.cn/",
        "https://user:word@hooks.example.cn/",
        "https://hooks.example.cn:0/",
        "https://hooks.example.cn:99999/",
        "https://hooks.example.cn:x/",
        "https://hooks.example.cn/#a",
        "https://hooks.example.cn\\@other.cn/",
        "https://hooks.example.cn/\r\nHost: other",
        "https://hooks .example.cn/",
        "https://政务.cn/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://-a.cn/",
        "https://" + "a" * 2_000,
    ],
)
def test_what_is_no_endpoint_is_refused(url: str) -> None:
    assert endpoint_of(url) is None


def test_plain_http_is_an_endpoint_only_where_it_was_allowed() -> None:
    assert endpoint_of("http://hooks.example.cn/", plain=True) == Endpoint(
        "http", "hooks.example.cn", 80, "/"
    )


@hypothesis.given(st.text(max_size=60).map("https://{}".format))
def test_any_text_is_an_endpoint_or_none(url: str) -> None:
    found = endpoint_of(url)
    assert found is None or (found.scheme == "https" and found.host and 0 < found.port < 65_536)


@pytest.mark.parametrize("address", ["1.1.1.1", "203.119.25.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_reached(address: str) -> None:
    assert may_reach(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104 - never bound to
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_networks_of_the_bus_are_not_reached_by_whatever_form_of_their_address(address: str) -> None:
    assert not may_reach(ip_address(address))


def test_an_allowed_network_is_reached_and_nothing_beside_it() -> None:
    allowed = [ip_network("10.1.0.0/16"), ip_network("fd12::/64")]
    assert may_reach(ip_address("10.1.2.3"), allowed)
    assert may_reach(ip_address("::ffff:10.1.2.3"), allowed)
    assert may_reach(ip_address("fd12::5"), allowed)
    assert not may_reach(ip_address("10.2.0.1"), allowed)
    assert not may_reach(ip_address("127.0.0.1"), allowed)


@hypothesis.given(st.ip_addresses(network="10.0.0.0/8"))
def test_no_private_address_is_reached_behind_another_kind_of_address(address: object) -> None:
    inner = int(ip_address(str(address)))
    for wrapped in (0xFFFF << 32 | inner, int(ip_address("64:ff9b::")) | inner, 0x2002 << 112 | inner << 80):
        assert not may_reach(IPv6Address(wrapped))
