"""`govbus demo`: the main job of the bus as a story that a person can follow, on the real stack."""

from typing import Annotated

import typer
from rich.console import Console

from services.cli.demo_story import DemoStory
from services.cli.demo_traffic import go_on
from services.cli.demo_waiting import DemoStuck
from services.cli.output import CommandFailed, ExitCode, emit_json
from services.demo.answer import DemoAnswer
from services.demo.kept import OtherCity
from services.demo.narration import Narrator
from services.stack.api import Stack
from services.stack.progress import Bars
from services.stack.settings import StackSettings


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("demo")(demo)


def demo(
    persons: Annotated[
        int | None,
        typer.Option(min=10, help="How many persons the sample city has: 2000, or as many as are kept."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Another seed gives another city, where none is kept: 1, or the kept one's."),
    ] = None,
    updates: Annotated[int, typer.Option(min=1, help="How many changes the latency is measured over.")] = 300,
    days: Annotated[
        int, typer.Option(min=0, max=31, help="Also play so many days of generated traffic, about 10 s each.")
    ] = 0,
    traffic: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="No story: over the city that runs, somebody moves each second, to have something to watch.",
        ),
    ] = 0,
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop the stack at the end, unless it ran before; its data stays.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as the last line.")] = False,
) -> None:
    """Start everything, make a city, share its data, and prove that the books balance."""
    console = Console(stderr=as_json, emoji=False)
    stack = Stack(StackSettings.from_environment())
    if traffic:
        moved = go_on(stack, console, traffic)
        if as_json:
            emit_json({"moved": moved})
        return
    ran_before = stack.has_processes()
    story = DemoStory(stack, Narrator(console), persons=persons, seed=seed, updates=updates, days=days)
    answer = _played(story, stack, stops=leave and not ran_before)
    if not leave or ran_before:
        story.farewell()
    story.show_accounts()
    if as_json:
        emit_json(answer.as_json())
    well = answer.balance["closed"] and not answer.latencies.missing
    raise typer.Exit(ExitCode.OK if well else ExitCode.NEGATIVE)


def _played(story: DemoStory, stack: Stack, *, stops: bool) -> DemoAnswer:
    """Tell the whole story; stop the stack afterwards where it is to be stopped.

    Raises:
        CommandFailed: an effect did not come, or the databases hold another city.
    """
    try:
        return story.play()
    except DemoStuck as error:
        where = f"the stack in {stack.settings.home}"
        remedy = "`govbus status` and `govbus doctor` say what is wrong; then run the demo again"
        raise CommandFailed(ExitCode.UNAVAILABLE, str(error), where, remedy) from error
    except OtherCity as error:
        where = f"the stack in {stack.settings.home}"
        remedy = f"`govbus demo --seed {error.kept.seed}` goes on with it; `govbus reset` deletes it first"
        raise CommandFailed(ExitCode.USAGE, str(error), where, remedy) from error
    finally:
        if stops:
            with Bars(Console(stderr=True, emoji=False)) as bars:
                stack.down(bars)
