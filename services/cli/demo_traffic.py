"""`govbus demo --traffic SECONDS`: the city goes on living, so that there is something to watch."""

import random
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg2
from psycopg2.extensions import make_dsn
from rich.console import Console

from services.cli.output import CommandFailed, ExitCode
from services.demo.traffic import play_traffic
from services.stack.api import Stack
from services.stack.postgres import SUPERUSER_SECRET
from services.stack.progress import Bars

_PAUSE_S = 1.0


def admin_dsn(stack: Stack) -> str:
    """How an administrator of the sample databases connects."""
    endpoints = stack.endpoints()
    return str(
        make_dsn(
            host=endpoints.postgres_host,
            port=endpoints.postgres_port,
            user="postgres",
            password=stack.secret(SUPERUSER_SECRET),
            dbname="postgres",
        )
    )


def go_on(
    stack: Stack,
    console: Console,
    seconds: int,
    sleep: Callable[[float], None] = time.sleep,
    rng: random.Random | None = None,
) -> int:
    """Let one person of the granted district move each second; return how many have.

    Ctrl-C ends it well.

    Raises:
        CommandFailed: there is no city to move in.
    """
    moved = 0
    with Bars(console) as bars:
        bars.begin("moves", "people of the city move, one a second; Ctrl-C ends it", seconds)
        try:
            with suppress(KeyboardInterrupt):
                for _ in play_traffic(admin_dsn(stack), seconds, rng or random.Random()):  # noqa: S311
                    moved += 1
                    bars.advance("moves", 1)
                    sleep(_PAUSE_S)
        except (psycopg2.Error, RuntimeError) as error:
            where = f"the stack in {stack.settings.home}"
            remedy = "`make demo` makes a city and leaves it running"
            raise CommandFailed(
                ExitCode.UNAVAILABLE, f"no city answers: {type(error).__name__}", where, remedy
            ) from error
        bars.done("moves", f"{moved} people moved")
    return moved
