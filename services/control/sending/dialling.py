"""One connection to one network address, whatever name the request has, and an end to it after a while.

The name still goes into the request and is what the certificate must hold; only where the connection leads is
decided here. A receiver that answers one byte every few seconds would hold an ordinary request for ever; here
the connection is cut when its time is over.
"""

import socket
import threading
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from services.control.notices.endpoint import IpAddress

_NO_RETRY: Final = 0


class Dial:
    """Connects to one address; a context that ends the connection when its time or its block is over."""

    def __init__(self, address: IpAddress, connect_s: float, whole_s: float) -> None:
        self._address, self._connect_s, self._whole_s = str(address), connect_s, whole_s
        self._held: list[socket.socket] = []
        self._timer: threading.Timer | None = None
        self.expired = False

    def connect(self, port: int) -> socket.socket:
        """A new connection to the address.

        Raises:
            OSError: nobody answers there.
        """
        found = socket.create_connection((self._address, port), timeout=self._connect_s)
        # TLS takes the socket over; its double stays valid and ends the same connection.
        self._held.append(found.dup())
        return found

    def __enter__(self) -> "Dial":
        self._timer = threading.Timer(self._whole_s, self._cut)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        for each in self._held:
            each.close()

    def _cut(self) -> None:
        self.expired = True
        for each in self._held:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The other side was faster.
                continue


class PinnedAdapter(HTTPAdapter):
    """Sends requests over the connections of a dial, once and without another try."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        super().__init__(max_retries=_NO_RETRY)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """As requests calls it; the pools connect by the dial."""
        super().init_poolmanager(*arguments, **options)
        plain, encrypted = _pools(self._dial)
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": encrypted}


def _pools(dial: Dial) -> tuple[type[HTTPConnectionPool], type[HTTPSConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return dial.connect(self.port)

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return dial.connect(self.port)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return PlainPool, EncryptedPool
