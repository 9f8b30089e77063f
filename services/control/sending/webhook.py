"""Posts a signed body to an endpoint: to an address that was looked at before, and to no other.

The name is resolved once, every address it has is checked, and the connection goes to one that passed: a name
that is resolved to something else a moment later changes nothing. Redirects are not followed, no proxy and no
netrc of the machine is used, and of the answer only the status is read.
"""

import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import requests

from services.control.notices.endpoint import IpAddress, Network, endpoint_of, may_reach
from services.control.notices.retrying import Delivered, Failure, Never, NotNow, Outcome
from services.control.notices.signature import HEADER
from services.control.sending.dialling import Dial, PinnedAdapter

Resolve = Callable[[str, int], Sequence[IpAddress]]
"""The addresses of a name; raises OSError where it has none."""

_LATE: Final = "no whole answer in time"
_GONE: Final = 410
_OK: Final = range(200, 300)
_REDIRECT: Final = range(300, 400)


@dataclass(frozen=True, slots=True)
class Reach:
    """What webhooks may reach, and how."""

    allowed: Collection[Network] = ()
    plain: bool = False
    ca_file: Path | None = None
    timeout_s: float = 10.0
    """For the connection and for each part of the answer; three times as long for everything."""


def resolve(host: str, port: int) -> Sequence[IpAddress]:
    """The addresses that the machine's resolver knows for a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(where[0]).partition("%")[0]) for *_, where in found]


def post(url: str, body: bytes, signature: str, reach: Reach, lookup: Resolve = resolve) -> Outcome:
    """Send one body; every failure is an outcome, and none of them holds what the other side said."""
    found = judged(url, reach, lookup)
    if isinstance(found, Never | NotNow):
        return found
    return _answered(url, found, body, signature, reach)


def judged(url: str, reach: Reach, lookup: Resolve = resolve) -> IpAddress | Never | NotNow:
    """The address that an endpoint's name leads to now, or why nothing may be sent there."""
    endpoint = endpoint_of(url, plain=reach.plain)
    if endpoint is None:
        return Never(Failure.ADDRESS_MALFORMED)
    try:
        addresses = lookup(endpoint.host, endpoint.port)
    except (OSError, UnicodeError) as error:
        return NotNow(Failure.NAME_UNKNOWN, type(error).__name__)
    if not addresses:
        return NotNow(Failure.NAME_UNKNOWN)
    if not all(may_reach(each, reach.allowed) for each in addresses):
        # One forbidden address is enough: a name that has both is no accident.
        return Never(Failure.ADDRESS_FORBIDDEN)
    return addresses[0]


def _answered(url: str, address: IpAddress, body: bytes, signature: str, reach: Reach) -> Outcome:
    with Dial(address, reach.timeout_s, 3 * reach.timeout_s) as dial:
        try:
            status = _status(dial, url, body, signature, reach)
            # A cut connection looks like an answer that ends early.
            return NotNow(Failure.UNREACHABLE, _LATE) if dial.expired else _of_status(status)
        except (requests.RequestException, OSError) as error:
            if dial.expired:
                return NotNow(Failure.UNREACHABLE, _LATE)
            encrypted = isinstance(error, requests.exceptions.SSLError)
            failure = Failure.TLS_REFUSED if encrypted else Failure.UNREACHABLE
            return NotNow(failure, type(error).__name__)


def _status(dial: Dial, url: str, body: bytes, signature: str, reach: Reach) -> int:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "govbus-notices",
        HEADER: signature,
    }
    with requests.Session() as session:
        session.trust_env = False
        for scheme in ("https://", "http://"):
            session.mount(scheme, PinnedAdapter(dial))
        with session.post(
            url,
            data=body,
            headers=headers,
            allow_redirects=False,
            stream=True,
            timeout=reach.timeout_s,
            verify=True if reach.ca_file is None else str(reach.ca_file),
        ) as answer:
            return answer.status_code


def _of_status(status: int) -> Outcome:
    if status in _OK:
        return Delivered()
    if status in _REDIRECT:
        return Never(Failure.REDIRECTED, str(status))
    return (Never if status == _GONE else NotNow)(Failure.ANSWER_NOT_2XX, str(status))
