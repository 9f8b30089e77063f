"""How many examples hypothesis makes for a test that needs more or fewer than the profile says."""

from typing import Any

from hypothesis import settings

_USUAL = 100


def examples(count: int, **more: Any) -> settings:
    """So many examples, and as many times more as the profile asks for more than the usual hundred."""
    return settings(max_examples=count * settings().max_examples // _USUAL, **more)
