"""`govbus publish`: a provider's file of records, published with the provider's own credentials."""

import io
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, TextIO

import typer
from confluent_kafka import KafkaException
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from producers.publisher import PrepareTopic, Publisher, PublishResult
from producers.upload import BadLine, CorrectFile, RefusedReport, Row, read_csv, read_json_lines, upload
from schemas.registry import SchemaNotFound
from services.cli.bus import require
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.cli.provider_login import read_login
from services.control.credentials import credentials_path
from services.control.definitions import (
    Definitions,
    DefinitionsInvalid,
    load_definitions,
    packaged_definitions,
)
from services.stack.api import Stack
from services.stack.settings import StackSettings
from topics.event import ResourceId
from topics.quality.rules import CodeList
from topics.resource import Resource

_EXAMPLES: Final = 5
_ENCODINGS: Final = "most files are utf-8-sig, or gb18030 where a Chinese spreadsheet wrote them"


class FileFormat(StrEnum):
    """How the file is written."""

    AUTO = "auto"
    JSONL = "jsonl"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("publish")(publish)


def publish(
    resource: Annotated[str, typer.Argument(help="The resource, e.g. licence.permit.v1.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON lines or CSV.")],
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="By the file's name, if not given.")
    ] = FileFormat.AUTO,
    encoding: Annotated[
        str, typer.Option(help="Of a CSV file; gb18030 for a Chinese spreadsheet.")
    ] = "utf-8-sig",
    version: Annotated[
        int | None,
        typer.Option(min=0, help="Version of rows without _version; the time in ms, if not given."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Where refused lines are listed; FILE.refused.csv, if not given.")
    ] = None,
    credentials: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The provider's file of credentials, as apply wrote it."
        ),
    ] = None,
    definitions: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of definitions.")
    ] = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Publish every good record of a file; name every refused line (exit code 1 if there is one)."""
    _check_encoding(encoding)
    declared = _definitions(definitions)
    target = declared.resources.get(ResourceId(resource))
    if target is None:
        known = ", ".join(sorted(declared.resources)) or "none"
        raise CommandFailed(ExitCode.USAGE, f"there is no resource {resource}", known, "name one of these")
    settings = StackSettings.from_environment()
    if credentials is None:
        # With another file of credentials it may be another bus.
        require(Stack(settings), "kafka", "registry")
    path = credentials or credentials_path(settings.home, f"provider-{target.provider}")
    refusals = _Refusals(report or file.with_name(f"{file.name}.refused.csv"))
    try:
        result = _run(
            _publisher(target, declared, path), _Source(file, file_format, encoding), version, refusals
        )
    finally:
        refusals.close()
    _tell(result, refusals, wants_json(as_json, output))
    if refusals.count or not result.complete:
        raise typer.Exit(ExitCode.NEGATIVE)


def _check_encoding(encoding: str) -> None:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding).read()
    except (LookupError, ValueError) as error:
        what = f"there is no encoding {encoding}"
        raise CommandFailed(ExitCode.USAGE, what, "--encoding", _ENCODINGS) from error


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path
    format: FileFormat
    encoding: str

    def rows(self, content: BinaryIO, item_schema: dict[str, Any]) -> Iterator[Row | BadLine]:
        table_like = self.format is FileFormat.CSV or (
            self.format is FileFormat.AUTO and self.path.suffix.lower() == ".csv"
        )
        if table_like:
            return read_csv(content, item_schema, self.encoding)
        return read_json_lines(content, item_schema)


class _Refusals:
    """The report of what was refused: a file that is made with the first refusal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.examples: list[BadLine] = []
        self._file: TextIO | None = None
        self._report: RefusedReport | None = None

    def add(self, bad: BadLine) -> None:
        """List one line."""
        if self._report is None:
            # With a byte order mark, or a spreadsheet reads Chinese item names as something else.
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")
            self._report = RefusedReport(self._file)
        self._report.add(bad)
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(bad)

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()


def _run(publisher: Publisher, source: _Source, version: int | None, refusals: _Refusals) -> PublishResult:
    columns = (TextColumn("publishing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    used = time.time_ns() // 1_000_000 if version is None else version
    with ExitStack() as scope:
        content = scope.enter_context(source.path.open("rb"))
        bar = scope.enter_context(
            Progress(*columns, console=Console(stderr=True, emoji=False), transient=True)
        )
        task = bar.add_task("publishing", total=source.path.stat().st_size)
        try:
            publisher.open()
            rows = source.rows(content, publisher.item_schema)
            followed = _followed(rows, lambda: bar.update(task, completed=content.tell()))
            return upload(publisher, followed, used, refusals.add)
        except CorrectFile as error:
            raise CommandFailed(
                ExitCode.USAGE, str(error), str(source.path), "correct the first line"
            ) from error
        except UnicodeError as error:
            what = f"the file cannot be read as {source.encoding}"
            raise CommandFailed(ExitCode.USAGE, what, str(source.path), _ENCODINGS) from error
        except (PrepareTopic, SchemaNotFound) as error:
            remedy = "ask the operator to run `govbus apply`"
            raise CommandFailed(ExitCode.REFUSED, str(error), "", remedy) from error
        except KafkaException as error:
            remedy = "`govbus status` shows what is down; check the file of credentials"
            raise CommandFailed(ExitCode.UNAVAILABLE, str(error), "", remedy) from error


def _followed(rows: Iterator[Row | BadLine], moved: Any) -> Iterable[Row | BadLine]:
    for number, row in enumerate(rows):
        if number % 100 == 0:
            moved()
        yield row


def _definitions(folder: Path | None) -> Definitions:
    try:
        return load_definitions(folder or packaged_definitions())
    except DefinitionsInvalid as error:
        raise CommandFailed(ExitCode.USAGE, str(error), "", "correct the definitions") from error


def _publisher(resource: Resource, declared: Definitions, path: Path) -> Publisher:
    login = read_login(path)
    lists = [_code_list(key, codes) for key, codes in declared.code_lists.items()]
    try:
        return Publisher(
            resource,
            login.kafka(),
            login.schemas(),
            code_lists=lists,
            item_schema=declared.item_schemas[resource.id],
        )
    except PrepareTopic as error:
        remedy = "publish only resources whose source is of the kind publish"
        raise CommandFailed(ExitCode.USAGE, str(error), "", remedy) from error


def _code_list(key: str, codes: Iterable[str]) -> CodeList:
    name, _, version = key.partition("@")
    return CodeList(name, version, frozenset(codes))


def _tell(result: PublishResult, refusals: _Refusals, as_json: bool) -> None:
    report = str(refusals.path) if refusals.count else None
    if as_json:
        emit_json(
            {
                "published": result.published,
                "refused": refusals.count,
                "unconfirmed": result.pending,
                "broken": result.broken or None,
                "report": report,
            }
        )
        return
    counts = [(result.published, refusals.count, result.pending)]
    table("Published", ("published", "refused", "unconfirmed"), counts)
    if refusals.examples:
        rows = [(bad.line, "; ".join(str(problem) for problem in bad.problems)) for bad in refusals.examples]
        table(f"The first refused lines; all are in {report}", ("line", "problem"), rows)
    if result.broken:
        Console(stderr=True, emoji=False).print(result.broken, markup=False)
