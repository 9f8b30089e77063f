"""librdkafka's own broker, without the three seconds for which it lets the first member of a group wait."""

import ctypes
from functools import cache
from importlib.metadata import files
from typing import Any

_PRODUCER = 0
_POINTER = ctypes.c_void_p
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "conf_new": (_POINTER, []),
    "conf_set": (ctypes.c_int, [_POINTER, ctypes.c_char_p, ctypes.c_char_p, _POINTER, ctypes.c_size_t]),
    "new": (_POINTER, [ctypes.c_int, _POINTER, _POINTER, ctypes.c_size_t]),
    "destroy": (None, [_POINTER]),
    "mock_cluster_new": (_POINTER, [_POINTER, ctypes.c_int]),
    "mock_cluster_destroy": (None, [_POINTER]),
    "mock_cluster_bootstraps": (ctypes.c_char_p, [_POINTER]),
    "mock_group_initial_rebalance_delay_ms": (None, [_POINTER, ctypes.c_int32]),
}


@cache
def _library() -> ctypes.CDLL:
    """The library that the client brings; its producer cannot set how long a group waits."""
    path = next(file for file in files("confluent-kafka") or () if "librdkafka" in file.name)
    found = ctypes.CDLL(str(path.locate()))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = found[f"rd_kafka_{name}"]
        function.restype, function.argtypes = result, arguments
        setattr(found, name, function)
    return found


class MockBroker:
    """One broker at ``bootstrap``, until it is closed."""

    def __init__(self) -> None:
        library = _library()
        settings = library.conf_new()
        for name, value in ((b"bootstrap.servers", b"mock"), (b"log_level", b"0")):
            assert library.conf_set(settings, name, value, None, 0) == 0
        self._client = library.new(_PRODUCER, settings, None, 0)
        self._cluster = library.mock_cluster_new(self._client, 1)
        library.mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        self.bootstrap: str = library.mock_cluster_bootstraps(self._cluster).decode()

    def close(self) -> None:
        _library().mock_cluster_destroy(self._cluster)
        _library().destroy(self._client)
