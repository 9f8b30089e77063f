"""Tells a person what the stack is doing: one line per download or component, with bars on a terminal."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

_NARROWEST = 20
_LINE_EVERY_S = 5.0


def say(console: Console, markup: str, indent: int = 0, hanging: int = 0) -> None:
    """Print one line: on a terminal broken between words, in a file or pipe not at all.

    Args:
        console: where.
        markup: what, as rich writes it.
        indent: columns before it.
        hanging: further columns before what does not fit into the first line.
    """
    if not console.is_terminal:
        console.print(f"{' ' * indent}{markup}", highlight=False, soft_wrap=True)
        return
    text, margin = Text.from_markup(markup, emoji=False), indent
    while True:
        line = text.wrap(console, max(console.width - margin, _NARROWEST))[0]
        console.print(Text.assemble(" " * margin, line), highlight=False, soft_wrap=True)
        rest = text.plain[len(line.plain) :].lstrip()
        if not rest:
            return
        text, margin = text[len(text.plain) - len(rest) :], indent + hanging


class Reporter(Protocol):
    """What the stack calls while it works; all calls may come from several threads."""

    def begin(self, key: str, text: str, total: float | None = None) -> None:
        """A step begins; ``total`` in bytes if its length is known."""

    def advance(self, key: str, amount: float) -> None:
        """The step got ``amount`` further."""

    def done(self, key: str, text: str) -> None:
        """The step is over."""


class Silent:
    """Says nothing; for tests and scripts."""

    def begin(self, key: str, text: str, total: float | None = None) -> None:
        """Ignore the begin of a step."""

    def advance(self, key: str, amount: float) -> None:
        """Ignore progress."""

    def done(self, key: str, text: str) -> None:
        """Ignore the end of a step."""


class Bars:
    """Progress bars on a console; without a terminal one plain line per finished step."""

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._console = console or Console(stderr=True, emoji=False)
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._tasks: dict[str, TaskID] = {}
        self._shown: dict[str, float] = {}
        """Steps that are looked at and not done → when a line of them was printed last."""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, key: str, text: str, total: float | None = None) -> None:
        """Show a line, with a bar if the length is known; a step that was there before keeps its line."""
        if key in self._tasks:
            self._progress.reset(self._tasks[key], description=text, total=total)
        else:
            self._tasks[key] = self._progress.add_task(text, total=total)
        if not self._console.is_terminal:
            self._console.print(f"{text} …", highlight=False)

    def advance(self, key: str, amount: float) -> None:
        """Move the bar."""
        if key in self._tasks:
            self._progress.advance(self._tasks[key], amount)

    def show(self, key: str, text: str, completed: float, total: float | None) -> None:
        """How far a step is that is looked at often; without a terminal a line every few seconds."""
        now, before = self._clock(), self._shown.get(key)
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(text, total=total)
        elif before is None:
            self._progress.reset(self._tasks[key])
        self._progress.update(self._tasks[key], description=text, completed=completed, total=total)
        if before is None or now - before >= _LINE_EVERY_S:
            self._shown[key] = now
            if not self._console.is_terminal:
                self._console.print(f"{text} …", highlight=False)

    def done(self, key: str, text: str) -> None:
        """Mark the line as finished."""
        self._shown.pop(key, None)
        if key in self._tasks:
            self._progress.update(self._tasks[key], description=text, total=1, completed=1)
        if not self._console.is_terminal:
            self._console.print(text, highlight=False)
