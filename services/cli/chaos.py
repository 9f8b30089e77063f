"""`govbus chaos`: break the engine on purpose, on a stack of its own, and prove that nothing got lost."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from services.chaos.inject import BrokerLost
from services.chaos.instances import InstanceStuck, Say
from services.chaos.report import page
from services.chaos.run import ChaosRun, Hands, Parameters
from services.chaos.watch import Unfinished
from services.chaos.writer import StreamFailed
from services.cli import processes
from services.cli.output import CommandFailed, ExitCode, Json, emit_json, note, table
from services.cli.plan import access_of
from services.control.apply import Apply
from services.stack.api import Stack
from services.stack.python_process import PythonComponent
from services.stack.settings import StackSettings
from services.stack.supervisor import interruptible
from topics.names import GATE_GROUP

app = typer.Typer(help="Break things on purpose and prove that nothing got lost.", no_args_is_help=True)
_EVENTS_PER_SECOND = 400


@app.callback()
def chaos() -> None:
    """Break things on purpose and prove that nothing got lost."""


@app.command("engine")
def engine(
    minutes: Annotated[float, typer.Option(min=0.2, help="How long the stream runs and things break.")],
    seed: Annotated[int, typer.Option(help="The stream and the plan of faults come from it.")] = 1,
    events: Annotated[
        int | None,
        typer.Option(min=100, help="Changes in that time; 400 a second if not given."),
    ] = None,
    logs: Annotated[
        Path | None, typer.Option(help="Folder to which the logs of all processes are copied at the end.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Kill, freeze and cut two gates, two fan-outs and the broker, then compare every record."""
    wanted = events or int(minutes * 60 * _EVENTS_PER_SECOND)
    try:
        with interruptible():
            answer = ChaosRun(Parameters(minutes=minutes, events=wanted, seed=seed), hands(note, logs)).run()
    except (InstanceStuck, BrokerLost, StreamFailed, Unfinished) as error:
        remedy = "the run is void; run it again, and if it happens again, with this seed, it is a defect"
        raise CommandFailed(ExitCode.UNAVAILABLE, str(error), "", remedy) from error
    if as_json:
        emit_json(answer)
    else:
        _print(answer)
    raise typer.Exit(ExitCode.OK if answer["correct"] and answer["in_time"] else ExitCode.NEGATIVE)


@app.command("page")
def page_command(
    answer: Annotated[
        Path, typer.Argument(help="A file whose last line is what `govbus chaos engine --json` printed.")
    ],
) -> None:
    """Print the report of a run as Markdown."""
    try:
        found = json.loads(answer.read_text(encoding="utf-8").strip().splitlines()[-1])
        typer.echo(page(found), nl=False)
    except (OSError, IndexError, ValueError, KeyError) as error:
        what = f"{answer} does not end with the answer of a run: {type(error).__name__}"
        remedy = "write it with `govbus chaos engine --minutes N --json > FILE`"
        raise CommandFailed(ExitCode.USAGE, what, "", remedy) from error


def hands(say: Say, logs: Path | None = None) -> Hands:
    """What a run needs of the command line's knowledge; ``say`` is told how it goes on."""
    cache = StackSettings.from_environment(os.environ).cache

    def apply(stack: Stack, definitions: Any) -> None:
        Apply(access_of(stack), definitions, say=say).run()

    return Hands(make=_make, apply=apply, cache=cache, say=say, logs=logs)


def _make(base_port: int, group: str, number: int) -> PythonComponent:
    if group == GATE_GROUP:
        return processes.gate(base_port, number)
    return processes.fanout(base_port, group.removeprefix("fanout."), 0, number)


def _print(answer: dict[str, Any]) -> None:
    kinds = answer["faults"]["by_kind"].items()
    table(
        "Recovery in seconds",
        ["fault", "times", "p50", "p99", "max"],
        [(kind, found["count"], *(found["recovery_s"] or {}).values()) for kind, found in kinds],
    )
    table("Found", ["what", "records"], answer["found"].items())
    closed = answer["balance"]["closed"]
    typer.echo(
        f"{answer['events']} events, {answer['faults']['counted']} faults, seed {answer['seed']}: "
        f"{'nothing lost, repeated or reordered' if answer['correct'] else 'FAILED'}; "
        f"the books {'close' if closed else 'DO NOT CLOSE'}; recovery {answer['recovery_s']}"
    )
