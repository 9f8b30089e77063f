"""`govbus prepare`: fetch what the stack needs and let its Java parts learn to start, once."""

import time

import typer
from rich.console import Console

from services.bench.own_stack import own_stack
from services.cli.stack import explained
from services.stack.exercise import exercise
from services.stack.progress import Bars


def prepare() -> None:
    """Fetch what the stack needs; let Kafka, Connect and the registry learn to start in half the time.

    Once for each version of them, for all stacks of this user; about a minute. Without it everything works
    and starts more slowly.
    """
    console = Console(stderr=True, emoji=False)
    with explained() as stack:
        if stack.knows_its_start():
            console.print("Everything is there, and the Java parts know how to start.")
            return
        begin = time.monotonic()
        console.print("The Java parts start once, work a little and write down what they learned.")
        with Bars() as bars, own_stack(bars, cache=stack.settings.cache, learn=True) as learning:
            exercise(learning)
    took = time.monotonic() - begin
    console.print(f"Done after {took:.0f} s: from now on they start in about half the time.")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(prepare)
