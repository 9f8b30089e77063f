"""Whether the compiled modules are here: built at install where a C compiler was, never required."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

MODULES: Final = (
    "topics.engine.native_batch",
    "topics.engine.native_check",
    "topics.engine.native_fanout",
    "topics.engine.native_gate",
    "topics.engine.native_lanes",
    "topics.engine.native_walk",
)


@cache
def compiled() -> bool:
    """Whether every compiled module can be imported; it is asked for each codec and does not change."""
    return all(find_spec(module) is not None for module in MODULES)


def module(name: str) -> Any:
    """A compiled module.

    Raises:
        ImportError: it was not built; ``compiled`` tells beforehand.
    """
    return import_module(name)
