"""Which of an engine's implementations runs: the compiled one, generated Python, or the reference."""

from enum import StrEnum

from topics.engine import native


class Implementation(StrEnum):
    """The implementations of an engine, the fastest first; all give the same bytes."""

    NATIVE = "native"
    GENERATED = "generated"
    REFERENCE = "reference"


VARIABLE = "GOVBUS_ENGINE"
"""The environment variable by which a process is told to use one of them."""


class NotAvailable(Exception):  # noqa: N818 - named after what was asked for
    """The implementation that was asked for does not exist or cannot run here."""


def choose(forced: str | None = None) -> Implementation:
    """The implementation to run: the forced one, else the fastest that can run here.

    Raises:
        NotAvailable: ``forced`` is none of them, or it is native and nothing was compiled.
    """
    if not forced:
        return Implementation.NATIVE if native.compiled() else Implementation.GENERATED
    if forced not in list(Implementation):
        raise NotAvailable(f"{VARIABLE}={forced}: give one of {', '.join(Implementation)}")
    if forced == Implementation.NATIVE and not native.compiled():
        raise NotAvailable(f"{VARIABLE}={forced}: no compiled modules are here, install with a C compiler")
    return Implementation(forced)
