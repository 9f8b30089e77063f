"""Tells the C library how a processor uses memory: librdkafka frees small pieces by the thousand."""

import ctypes
from typing import Final

_M_MXFAST: Final = 1
"""glibc's mallopt(3): up to which size freed pieces go to lists that are never merged."""


def merge_freed_pieces_at_once() -> bool:
    """Do without glibc's fast bins; returns whether there was such an allocator.

    Each header of a record is a piece of memory of its own. Freed ones pile up in the fast bins until a large
    piece is freed, and then all of them are walked: with nine headers a record that took half of the client's
    time (docs/bench.md). The thread caches before the fast bins stay as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_M_MXFAST, 0) == 1)
