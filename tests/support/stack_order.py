"""In which order files of tests run: those with a stack of their own before the common stack is there."""

import pytest


def own_stacks_first(items: list[pytest.Item]) -> None:
    """Sort the files stably, each staying whole: a common stack that idles takes half of a processor.

    The common stack of a process is started by the first test that asks for it, and runs to the end.
    """
    common = {item.path for item in items if "stack" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path in common)
