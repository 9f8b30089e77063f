"""`govbus demo`: the main job of the bus as a story that a person can follow, on the real stack."""

from typing import Annotated

import typer
from rich.console import Console

from services.cli.demo_story import DemoStory
from services.cli.demo_waiting import DemoStuck
from services.cli.output import CommandFailed, ExitCode, emit_json
from services.demo.narration import Narrator
from services.stack.api import Stack
from services.stack.progress import Bars
from services.stack.settings import StackSettings


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("demo")(demo)


def demo(
    persons: Annotated[int, typer.Option(min=10, help="How many persons the sample city has.")] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed gives another city.")] = 1,
    updates: Annotated[int, typer.Option(min=1, help="How many changes the latency is measured over.")] = 300,
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop the stack at the end, unless it ran before; its data stays.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as the last line.")] = False,
) -> None:
    """Start everything, make a city, share its data, and prove that the books balance."""
    console = Console(stderr=as_json, emoji=False)
    stack = Stack(StackSettings.from_environment())
    ran_before = stack.has_processes()
    story = DemoStory(stack, Narrator(console), persons=persons, seed=seed, updates=updates)
    try:
        answer = story.play()
    except DemoStuck as error:
        where = f"the stack in {stack.settings.home}"
        remedy = "`govbus status` and `govbus doctor` say what is wrong; then run the demo again"
        raise CommandFailed(ExitCode.UNAVAILABLE, str(error), where, remedy) from error
    finally:
        if leave and not ran_before:
            with Bars(Console(stderr=True, emoji=False)) as bars:
                stack.down(bars)
    if not leave or ran_before:
        story.farewell()
    if as_json:
        emit_json(answer.as_json())
    raise typer.Exit(ExitCode.OK if answer.balance["closed"] else ExitCode.NEGATIVE)
