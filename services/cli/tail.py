"""`govbus tail`: decodes a topic and follows it, sensitive values masked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from services.cli import bus
from services.cli.acting import AsOrNobody
from services.cli.output import CommandFailed, ExitCode, Format, emit_json, wants_json
from services.cli.reveal import Look, Reveal, Why, record_reveals
from services.control.owners import whose_topic
from services.ledger.counts import Place
from services.ledger.masking import OPEN_TOPICS, provider_of
from services.ledger.reader import Bounds, TopicReader
from services.ledger.showing import NotAnOffset, as_line, start_offset
from services.stack.progress import say
from topics.event import KafkaRecord, ProviderId, TopicName
from topics.policy import Policy

_HOW_TO_PRINT = "how to print is --output here, or --json; -o is where to begin, as in kcat"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("tail")(tail_command)


def tail_command(
    topic: Annotated[str, typer.Argument(help="The topic to read.")],
    offset: Annotated[
        str,
        typer.Option(
            "-o",
            "--offset",
            help="As kcat's -o, where to begin in each partition: beginning, end, an offset, -N for the last "
            "N, s@MS for a time in ms since 1970. How to print is --output.",
        ),
    ] = "end",
    exit_at_end: Annotated[bool, typer.Option("-e", "--exit", help="End at the last record.")] = False,
    partition: Annotated[
        int | None, typer.Option("-p", "--partition", help="Only this partition.", min=0)
    ] = None,
    count: Annotated[
        int | None, typer.Option("-c", "--count", help="End after so many records.", min=1)
    ] = None,
    reveal: Reveal = False,
    who: AsOrNobody = None,
    why: Why = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --output json.")] = False,
    output: Annotated[
        Format, typer.Option("--output", help="How to print; -o is where to begin.")
    ] = Format.TABLE,
) -> None:
    """Decode a topic and follow it; sensitive values are masked unless --reveal, which is recorded."""
    with bus.open_bus() as opened:
        lookup = opened.lookup
        places = _places(lookup.reader, TopicName(topic), partition)
        policy = lookup.policies[max(lookup.policies)] if lookup.policies else None
        if reveal:
            _record(opened, topic, policy, who, why)
        for number, record in enumerate(_records(lookup.reader, places, offset, exit_at_end), 1):
            _show(as_line(lookup, record, policy, reveal=reveal), wants_json(as_json, output))
            if number == count:
                return


def _places(reader: TopicReader, topic: TopicName, partition: int | None) -> list[Place]:
    known = reader.places(topic)
    if not known:
        remedy = "`govbus plan --offline` lists the topics of the definitions"
        raise CommandFailed(ExitCode.USAGE, f"there is no topic {topic}", "", remedy)
    found = [one for one in known if partition in (None, one.partition)]
    if not found:
        remedy = f"it has the partitions {', '.join(str(one.partition) for one in known)}"
        raise CommandFailed(ExitCode.USAGE, f"{topic} has no partition {partition}", "-p", remedy)
    return found


def _record(opened: bus.Bus, topic: str, policy: Policy | None, who: str | None, why: str | None) -> None:
    if topic.startswith(OPEN_TOPICS):
        return
    provider = provider_of(topic, policy)
    if provider is None:
        raise CommandFailed(
            ExitCode.REFUSED,
            f"nobody is known who could be told that {topic} was revealed",
            topic,
            "read it without --reveal",
        )
    record_reveals(opened, [Look(ProviderId(provider), topic, whose_topic(topic, policy))], who, why)


def _records(
    reader: TopicReader, places: list[Place], offset: str, exit_at_end: bool
) -> Iterator[KafkaRecord]:
    starts = _starts(reader, places, offset)
    if not exit_at_end:
        yield from reader.follow(starts, lambda: False)
        return
    ends = reader.bounds_of(starts)
    yield from reader.read_all({place: Bounds(start, ends[place].end) for place, start in starts.items()})


def _starts(reader: TopicReader, places: list[Place], offset: str) -> dict[Place, int]:
    try:
        return {place: start_offset(reader, place, offset) for place in places}
    except NotAnOffset as error:
        remedy = (
            _HOW_TO_PRINT
            if offset in list(Format)
            else "beginning, end, a number, -N for the last N, or s@MS for a time in ms"
        )
        raise CommandFailed(ExitCode.USAGE, f"{offset!r} is no offset", "-o", remedy) from error


def _show(line: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit_json(line)
        return
    console = Console(emoji=False)
    written = datetime.fromtimestamp(line["timestamp_ms"] / 1000, UTC).isoformat(timespec="milliseconds")
    say(console, f"[bold]{escape(line['at'])}[/] [dim]{written}[/]")
    for part in ("key", "value", "headers"):
        if line[part] != {}:
            say(console, f"[dim]{part}[/] {escape(_as_text(line[part]))}", indent=2, hanging=2)


def _as_text(content: Any) -> str:
    """``name=value`` for a person; what has no value at all is a tombstone."""
    if content is None:
        return "none"
    if isinstance(content, dict):
        return " · ".join(f"{name}={value}" for name, value in content.items())
    return str(content)
