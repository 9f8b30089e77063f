"""Tells the demo's story to a person: chapters, steps, and what each department saw."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.demo.readers import Arrival
from services.demo.story import Told


class Narrator:
    """Writes to one console; with ``--json`` that is standard error, so that the answer stands alone."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def chapter(self, number: int, title: str) -> None:
        """A new part of the story begins."""
        self.console.print()
        self.console.print(f"[bold cyan]{number}. {escape(title)}[/]")

    def say(self, text: str) -> None:
        """One plain sentence."""
        self.console.print(f"   {escape(text)}", highlight=False, soft_wrap=True)

    def told(self, told: Told) -> None:
        """A change at a source, and what it must lead to."""
        self.console.print()
        self.console.print(f"   [bold]{escape(told.description)}[/]", highlight=False, soft_wrap=True)
        self.console.print(f"   [dim]expected: {escape(told.expected)}[/]", highlight=False, soft_wrap=True)

    def arrivals(self, arrivals: Sequence[Arrival], nothing: Sequence[str]) -> None:
        """What each department read, and who read nothing."""
        for arrival in arrivals:
            seen = _fields(arrival)
            self.console.print(
                f"     [green]{escape(arrival.consumer):<10}[/] {arrival.delivery.operation.value:<7}"
                f" {escape(seen)} [dim]({arrival.latency_ms:.0f} ms after the commit)[/]",
                highlight=False,
                soft_wrap=True,
            )
        for consumer in nothing:
            self.console.print(f"     [dim]{escape(consumer):<10} nothing[/]", highlight=False)

    def stopped(self, step: str, reason: str, detail: str, coordinates: str) -> None:
        """An event that went to quarantine."""
        self.console.print(
            f"     [yellow]quarantine[/] {escape(step)}: {escape(reason)} ({escape(detail)})"
            f" {escape(coordinates)}",
            highlight=False,
            soft_wrap=True,
        )

    def rows(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A small table."""
        table = Table(*columns, title=title, title_justify="left")
        for row in rows:
            table.add_row(*(escape(str(cell)) for cell in row))
        self.console.print(table)


def _fields(arrival: Arrival) -> str:
    if arrival.value is None:
        key = ", ".join(str(part)[:12] for part in arrival.key.values())
        return f"tombstone of key {key}…"
    shown = [f"{name}={value}" for name, value in arrival.value.items() if value is not None]
    return ", ".join(shown[:4]) + (", …" if len(shown) > 4 else "")
