"""``topic:partition:offset``, the name of a record everywhere."""

import re
from typing import Final, NamedTuple

from services.ledger.counts import Place
from topics.event import TopicName

_COORDINATE: Final = re.compile(
    r"(?P<topic>[A-Za-z0-9._-]+):(?P<partition>[0-9]{1,9}):(?P<offset>[0-9]{1,18})"
)


class NotACoordinate(Exception):  # noqa: N818 - the caller corrects the text
    """The text is not TOPIC:PARTITION:OFFSET."""


class Coordinate(NamedTuple):
    """One record's place."""

    topic: TopicName
    partition: int
    offset: int

    @property
    def place(self) -> Place:
        """Topic and partition."""
        return Place(self.topic, self.partition)

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


def parse_coordinate(text: str) -> Coordinate:
    """Read ``topic:partition:offset``.

    Raises:
        NotACoordinate: it is something else.
    """
    found = _COORDINATE.fullmatch(text)
    if found is None:
        raise NotACoordinate(f"{text!r} is not TOPIC:PARTITION:OFFSET, e.g. raw.police.public.person:0:17")
    return Coordinate(TopicName(found["topic"]), int(found["partition"]), int(found["offset"]))
