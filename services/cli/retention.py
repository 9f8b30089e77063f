"""`govbus retention show`: for how long the running broker keeps evidence, and by which article."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from services.cli.bus import require
from services.cli.output import ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.control.clocks.calendar import civil_day
from services.control.kafka_topics import read_topics
from services.control.retention.floor import Floor, is_protected
from services.control.retention.keeping import days_kept, too_short
from services.control.stack_access import access_of
from services.control.state import Topic
from services.stack.api import Stack
from services.stack.settings import StackSettings

app = typer.Typer(help="For how long evidence is kept.", no_args_is_help=True)


@app.callback()
def retention() -> None:
    """For how long evidence is kept."""


@app.command("show")
def show_command(
    every: Annotated[bool, typer.Option("--all", help="Also topics that hold no evidence.")] = False,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Show what is kept, until when, and by which article (exit code 1 where too briefly)."""
    stack = Stack(StackSettings.from_environment())
    require(stack, "kafka")
    access = access_of(stack)
    topics, floor = read_topics(access.admin()), access.audit_floor()
    short = too_short(topics, floor)
    chosen = [topics[name] for name in sorted(topics) if every or is_protected(name)]
    if wants_json(as_json, output):
        emit_json(_answer(chosen, floor) | {"too_short": [str(each) for each in short]})
    else:
        columns = ("topic", "days", "kept_until", "least_days")
        rows = [[_row(each, floor)[name] or "for ever" for name in columns] for each in chosen]
        table(f"At least {floor.days} days: {floor.because}", columns, rows)
    if short:
        raise typer.Exit(ExitCode.NEGATIVE)


def _answer(topics: list[Topic], floor: Floor) -> dict[str, Any]:
    source = floor.source
    return {
        "floor": {
            "days": floor.days,
            "document": None if source is None else source.document,
            "article": None if source is None else source.article,
            "verified": source is not None and source.verified,
            "pack": floor.pack or None,
            "known": floor.known,
        },
        "topics": [_row(each, floor) for each in topics],
    }


def _row(topic: Topic, floor: Floor) -> dict[str, Any]:
    """``kept_until`` is of what is written today; None for ever."""
    days = days_kept(topic) if topic.configs.get("cleanup.policy") == "delete" else None
    until = None if days is None else civil_day(datetime.now(UTC) + timedelta(days=days)).isoformat()
    least = floor.days if is_protected(topic.name) else None
    return {"topic": topic.name, "days": days, "kept_until": until, "least_days": least}
