"""The watch of a stack as one test wants it; whatever ran before runs again afterwards."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from services.cli.processes import watch
from services.stack.api import Stack


def start_watch(stack: Stack, **settings: str) -> None:
    """Run it anew with these settings, each by its name behind ``GOVBUS_WATCH_``."""
    component = watch(stack.settings.watch_port)
    named: Mapping[str, str] = {f"GOVBUS_WATCH_{name.upper()}": value for name, value in settings.items()}
    stack.stop_process(component.name)
    stack.run_process(replace(component, settings={**(component.settings or {}), **named}))


@contextmanager
def without_watch(stack: Stack) -> Iterator[None]:
    """No watch meanwhile but one that the test starts: another one restarts and stops captures."""
    component = watch(stack.settings.watch_port)
    ran = component.name in {status.name for status in stack.status()}
    stack.stop_process(component.name)
    try:
        yield
    finally:
        stack.stop_process(component.name)
        if ran:
            stack.run_process(component)
