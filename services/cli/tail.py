"""`govbus tail`: decodes a topic and follows it, sensitive values masked."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from schemas.registry import SchemaNotFound
from services.cli import bus
from services.cli.output import CommandFailed, ExitCode, Format, emit_json, wants_json
from services.cli.reveal import Actor, Reveal, Why, record_reveal
from services.ledger.counts import Place
from services.ledger.lookup import Lookup
from services.ledger.masking import MASKED, OPEN_TOPICS, mask_record, provider_of
from services.ledger.reader import Bounds, TopicReader
from services.stack.progress import say
from topics.engine.reference import Undecodable
from topics.event import KafkaRecord, ProviderId, TopicName
from topics.policy import Policy

_HOW_TO_PRINT = "how to print is --output here, or --json; -o is where to begin, as in kcat"
_START = re.compile(r"beginning|end|-?[0-9]{1,18}|s@[0-9]{1,15}")


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
    actor: Actor = None,
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
            _record(opened, topic, policy, actor, why)
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


def _record(opened: bus.Bus, topic: str, policy: Policy | None, actor: str | None, why: str | None) -> None:
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
    record_reveal(opened, ProviderId(provider), topic, actor, why)


def _records(
    reader: TopicReader, places: list[Place], offset: str, exit_at_end: bool
) -> Iterator[KafkaRecord]:
    starts = {place: start_offset(reader, place, offset) for place in places}
    if not exit_at_end:
        yield from reader.follow(starts, lambda: False)
        return
    ends = reader.bounds_of(starts)
    yield from reader.read_all({place: Bounds(start, ends[place].end) for place, start in starts.items()})


def start_offset(reader: TopicReader, place: Place, text: str) -> int:
    """The offset that kcat's ``-o`` means, within what the partition keeps.

    ``-N`` means the last N records: other than in kcat, the marks of transactions do not count.

    Raises:
        CommandFailed: the text means nothing.
    """
    if not _START.fullmatch(text):
        raise CommandFailed(
            ExitCode.USAGE,
            f"{text!r} is no offset",
            "-o",
            _HOW_TO_PRINT
            if text in list(Format)
            else "beginning, end, a number, -N for the last N, or s@MS for a time in ms",
        )
    low, end = reader.bounds(place)
    if text in ("beginning", "end"):
        return low if text == "beginning" else end
    if text.startswith("s@"):
        return reader.offset_at(place, int(text[2:]))
    if text.startswith("-"):
        return _last(reader, place, Bounds(low, end), -int(text))
    return min(max(int(text), low), end)


def _last(reader: TopicReader, place: Place, bounds: Bounds, count: int) -> int:
    """The offset of the last record but so many: further back until there are enough."""
    span = count
    while span:
        start = max(bounds.end - span, bounds.low)
        offsets = [record.offset for record in reader.read(place, start, bounds.end)]
        if len(offsets) >= count:
            return offsets[-count]
        if start == bounds.low:
            return start
        span *= 4
    return bounds.end


def as_line(lookup: Lookup, record: KafkaRecord, policy: Policy | None, *, reveal: bool) -> dict[str, Any]:
    """One record of docs/cli/tail.schema.json."""
    key, value = _decoded(lookup, record.key), _decoded(lookup, record.value)
    if not reveal:
        key, value = mask_record(record.topic, key, value, policy)
    shown = record.topic.startswith(_HEADERS_WITHOUT_PERSONS) or reveal
    return {
        "at": record.coordinates,
        "timestamp_ms": record.timestamp_ms,
        "key": key,
        "value": value,
        "headers": {
            name: text.decode(errors="replace") if shown else MASKED for name, text in record.headers
        },
    }


# Only the bus writes here, and never a person into a header; a raw header is its provider's.
_HEADERS_WITHOUT_PERSONS = (
    *OPEN_TOPICS,
    "sub.",
    "resource.",
    "quarantine.",
    "claims.",
    "stopped.",
    "versions.",
)


def _decoded(lookup: Lookup, framed: bytes | None) -> Any:
    if framed is None:
        return None
    try:
        return dict(lookup.decoder.decode(framed))
    except (Undecodable, SchemaNotFound):
        try:
            return framed.decode()
        except UnicodeDecodeError:
            return framed.hex()


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
