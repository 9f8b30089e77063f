"""Under which policy versions a partition was decided: what is kept as metadata of its committed offset."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

_FORM: Final = re.compile(r"[0-9]+(;[0-9]+@[0-9]+)*")


class Mark(NamedTuple):
    """Before this offset a catch-up has come to this version."""

    version: int
    end: int


class Region(NamedTuple):
    """Offsets, the end excluded, that were all decided under one version."""

    start: int
    end: int
    version: int


@dataclass(frozen=True, slots=True)
class Applied:
    """A version for everything before the position, but for what a catch-up under way has done already.

    Offsets of marks rise and their versions fall: a catch-up that finds another policy begins at the front
    again, with what that policy adds.
    """

    version: int
    """0 where no offset was committed."""
    marks: tuple[Mark, ...] = ()

    @property
    def newest(self) -> int:
        """The highest version under which anything was decided."""
        return max((mark.version for mark in self.marks), default=self.version)

    def regions(self, position: int) -> Iterator[Region]:
        """What lies before the position, in the order of its offsets."""
        start = 0
        for mark in (*self.marks, Mark(self.version, position)):
            if start < mark.end:
                yield Region(start, mark.end, mark.version)
            start = max(start, mark.end)

    def caught_up(self, version: int, end: int) -> "Applied":
        """The same once everything before ``end`` has come to that version."""
        later = tuple(mark for mark in self.marks if mark.end > end)
        return Applied(self.version, (Mark(version, end), *later))

    def text(self) -> str:
        """As it stands beside the committed offset: ``4``, or ``4;6@55;5@60`` in the middle of a catch-up."""
        return ";".join([str(self.version), *(f"{version}@{end}" for version, end in self.marks)])


def read_applied(text: str | None) -> Applied:
    """What stands beside a committed offset; version 0 where it is not from a processor."""
    if text is None or _FORM.fullmatch(text) is None:
        return Applied(0)
    version, *marks = text.split(";")
    pairs = (mark.split("@") for mark in marks)
    return Applied(int(version), tuple(Mark(int(each), int(end)) for each, end in pairs))
