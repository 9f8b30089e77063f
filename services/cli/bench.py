"""`govbus bench …`: measures the bus on a stack of its own, against what else there is."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from services.bench import end_to_end, engine, fanout, gate, grants, load
from services.bench.answer import framed
from services.bench.books import StandsStill
from services.bench.field import Plan
from services.bench.own_stack import own_stack
from services.bench.probe import NothingMeasured, ProcessEnded
from services.bench.race import Limits
from services.bench.ride import Ride, Say
from services.bench.show import shown
from services.cli.bench_machinery import BusMachinery
from services.cli.output import CommandFailed, ExitCode, emit_json

app = typer.Typer(no_args_is_help=True, help="Measure the bus on a stack of its own.")

Events = Annotated[int | None, typer.Option(min=1_000, help="How many records each run goes through.")]
Repeats = Annotated[int | None, typer.Option(min=1, max=50, help="How many rounds of all contenders.")]
Quick = Annotated[bool, typer.Option("--quick", help="Smaller and shorter: about a minute each.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object, last.")]
Seed = Annotated[int, typer.Option(help="Another seed gives other records.")]
Save = Annotated[Path | None, typer.Option("--save", help="Also write the JSON object to this file.")]


@app.command("fanout")
def fanout_command(
    events: Events = None,
    repeats: Repeats = None,
    quick: Quick = False,
    seed: Seed = 1,
    save: Save = None,
    as_json: AsJson = False,
) -> None:
    """Canonical topic to five grants and the ledger, against five comparators."""
    plan = race_plan(events, repeats, quick=quick)
    _measure("fanout", lambda ride: fanout.run(ride, plan), quick, seed, save, as_json)


@app.command("gate")
def gate_command(
    events: Events = None,
    repeats: Repeats = None,
    quick: Quick = False,
    seed: Seed = 1,
    save: Save = None,
    as_json: AsJson = False,
) -> None:
    """Captured changes to canonical, quarantine and the ledger, against five comparators."""
    plan = race_plan(events, repeats, quick=quick)
    _measure("gate", lambda ride: gate.run(ride, plan), quick, seed, save, as_json)


@app.command("end-to-end")
def end_to_end_command(
    quick: Quick = False, seed: Seed = 1, save: Save = None, as_json: AsJson = False
) -> None:
    """Latency from a commit in PostgreSQL to a department's read, at several rates."""
    if quick:
        plan = end_to_end.Plan((500, 2_000), (), 6.0, 5_000, warm_up_s=15.0)
    else:
        plan = end_to_end.Plan(end_to_end.RATES, end_to_end.BETWEEN, 20.0, 50_000)
    _measure("end-to-end", lambda ride: end_to_end.run(ride, plan), quick, seed, save, as_json)


@app.command("grants")
def grants_command(quick: Quick = False, seed: Seed = 1, save: Save = None, as_json: AsJson = False) -> None:
    """Many grants on one resource, in grant groups, at full and at trickle rate."""
    if quick:
        plan = grants.Plan((1, 10, 20), 10, 20_000, 200, 20.0, 4.0)
    else:
        plan = grants.Plan((1, 10, 100, 1_000), 100, 200_000, 1_000, 20.0, 20.0)
    _measure("grants", lambda ride: grants.run(ride, plan), quick, seed, save, as_json, applied=False)


@app.command("load")
def load_command(
    events: Events = None, quick: Quick = False, seed: Seed = 1, save: Save = None, as_json: AsJson = False
) -> None:
    """A whole register from the snapshot to all grants."""
    rows = events or (20_000 if quick else 1_000_000)
    _measure("load", lambda ride: load.run(ride, rows), quick, seed, save, as_json)


@app.command("engine")
def engine_command(quick: Quick = False, save: Save = None, as_json: AsJson = False) -> None:
    """The engine alone, without Kafka; needs the checkout."""
    began = time.monotonic()
    _tell(framed(engine.run(), "engine", quick=quick, began=began), save, as_json)


def race_plan(events: int | None, repeats: int | None, *, quick: bool) -> Plan:
    """How large a race is; both compressions, but in a quick one lz4 only."""
    if quick:
        return Plan(events or 100_000, {"lz4": repeats or 2}, Limits(start_s=40, run_s=5), extras=False)
    rounds = repeats or 5
    return Plan(events or 400_000, {"lz4": rounds, "none": max(1, rounds * 3 // 5)}, Limits())


Run = Callable[[Ride], dict[str, Any]]


def _measure(
    name: str, run: Run, quick: bool, seed: int, save: Path | None, as_json: bool, *, applied: bool = True
) -> None:
    began = time.monotonic()
    say = _sayer(began)
    with _explained(), own_stack() as stack:
        say(f"a stack of its own runs in {stack.settings.home}")
        ride = Ride(stack, BusMachinery(stack), say, quick, seed)
        if applied:
            ride.machinery.apply()
        figures = run(ride)
    _tell(framed(figures, name, quick=quick, began=began), save, as_json)


def _sayer(began: float) -> Say:
    console = Console(stderr=True, emoji=False)

    def say(text: str) -> None:
        console.print(
            f"{time.monotonic() - began:6.0f} s  {text}", highlight=False, soft_wrap=True, markup=False
        )

    return say


def _tell(answer: dict[str, Any], save: Path | None, as_json: bool) -> None:
    if save is not None:
        save.parent.mkdir(parents=True, exist_ok=True)
        save.write_text(json.dumps(answer, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if as_json:
        emit_json(answer)
    else:
        sys.stdout.write(shown(answer))


_REMEDY: Final = "run it again when the machine is less busy; with --quick it asks for less"


@contextmanager
def _explained() -> Iterator[None]:
    """What may happen to a measurement is told with what to do."""
    try:
        yield
    except (NothingMeasured, ProcessEnded, StandsStill, TimeoutError) as error:
        raise CommandFailed(ExitCode.UNAVAILABLE, str(error), "the bench's own stack", _REMEDY) from error
