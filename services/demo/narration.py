"""Tells the demo's story to a person: chapters, steps, and what each department saw."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.demo.readers import Arrival
from services.demo.story import Told
from services.stack.progress import say

_INDENT = 3
_INDENT_OF_EFFECTS = 5
#: A department's name and an operation stand before what it read.
_WIDTH_OF_HEADS = 19


class Narrator:
    """Writes to one console; with ``--json`` that is standard error, so that the answer stands alone."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def chapter(self, number: int, title: str) -> None:
        """A new part of the story begins."""
        self.console.print()
        say(self.console, f"[bold cyan]{number}. {escape(title)}[/]")

    def say(self, text: str) -> None:
        """One plain sentence."""
        say(self.console, escape(text), _INDENT)

    def told(self, told: Told) -> None:
        """A change at a source, and what it must lead to."""
        self.console.print()
        say(self.console, f"[bold]{escape(told.description)}[/]", _INDENT)
        say(self.console, f"[dim]expected: {escape(told.expected)}[/]", _INDENT)

    def arrivals(self, arrivals: Sequence[Arrival], nothing: Sequence[str]) -> None:
        """What each department read, and who read nothing."""
        for arrival in arrivals:
            say(
                self.console,
                f"[green]{escape(arrival.consumer):<10}[/] {arrival.delivery.operation.value:<7}"
                f" {escape(_fields(arrival))} [dim]({arrival.latency_ms:.0f} ms after the commit)[/]",
                _INDENT_OF_EFFECTS,
                _WIDTH_OF_HEADS,
            )
        for consumer in nothing:
            say(self.console, f"[dim]{escape(consumer):<10} nothing[/]", _INDENT_OF_EFFECTS)

    def stopped(self, step: str, reason: str, detail: str, coordinates: str) -> None:
        """An event that went to quarantine."""
        text = f"{step}: {reason} ({detail}) {coordinates}"
        say(self.console, f"[yellow]quarantine[/] {escape(text)}", _INDENT_OF_EFFECTS, _WIDTH_OF_HEADS)

    def rows(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A small table."""
        table = Table(*columns, title=title, title_justify="left")
        for row in rows:
            table.add_row(*(escape(str(cell)) for cell in row))
        self.console.print(table)

    def commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """What to run next: each purpose with its command on a line of its own, whole, to be copied."""
        self.console.print()
        for purpose, command in commands:
            say(self.console, f"[dim]# {escape(purpose)}[/]", _INDENT)
            self.console.print(f"{' ' * _INDENT}[bold]{escape(command)}[/]", highlight=False, soft_wrap=True)


def _fields(arrival: Arrival) -> str:
    if arrival.value is None:
        key = ", ".join(str(part)[:12] for part in arrival.key.values())
        return f"tombstone of key {key}…"
    shown = [f"{name}={value}" for name, value in arrival.value.items() if value is not None]
    return ", ".join(shown[:4]) + (", …" if len(shown) > 4 else "")
