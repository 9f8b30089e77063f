"""Where a webhook goes: what may be an endpoint, and which network addresses must never be reached; pure.

Whoever names an endpoint makes the bus send a request there. So it must not lead into the networks that the
bus itself stands in, whatever its name says and whatever that name is resolved to.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network
IpAddress = IPv4Address | IPv6Address

_LONGEST: Final = 2_000
_PRINTABLE: Final = re.compile(r"[!-~]+")
_LABEL: Final = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_PORTS: Final = {"https": 443, "http": 80}
_NAT64: Final = IPv6Network("64:ff9b::/96")
_SHARED: Final = IPv4Network("100.64.0.0/10")
"""Addresses behind a carrier's translation (RFC 6598): neither private nor public."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address of a webhook in its parts."""

    scheme: str
    host: str
    """A name, or an address without brackets."""
    port: int
    path: str
    """With the query, from the first slash on."""

    @property
    def authority(self) -> str:
        """Host and port as the header ``Host`` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def endpoint_of(url: str, *, plain: bool = False) -> Endpoint | None:
    """The parts of a URL, or None where it is no endpoint.

    Args:
        url: what a department gives: no user, password or fragment, nothing but printable ASCII.
        plain: whether http will do, for receivers in the same machine room.
    """
    if len(url) > _LONGEST or _PRINTABLE.fullmatch(url) is None or "\\" in url or "#" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in (("https", "http") if plain else ("https",)) or "@" in parts.netloc:
        return None
    host = parts.hostname or ""
    if port == 0 or not (_HOST.fullmatch(host) or _address(host)):
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme, host, port or _PORTS[parts.scheme], path)


def may_reach(address: IpAddress, allowed: Collection[Network] = ()) -> bool:
    """Whether a request may be sent to a network address: a public one, or one of an allowed network.

    An IPv4 address inside an IPv6 one counts as what it is.
    """
    address = _inner(address)
    if any(address in network for network in allowed if network.version == address.version):
        return True
    return address.is_global and not address.is_multicast and not _is_shared(address)


def _inner(address: IpAddress) -> IpAddress:
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.teredo[1] if address.teredo is not None else address


def _is_shared(address: IpAddress) -> bool:
    return isinstance(address, IPv4Address) and address in _SHARED


def _address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host
