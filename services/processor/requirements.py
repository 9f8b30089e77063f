"""What a processor needs on the broker beside its data: ``apply`` makes and grants it."""

from dataclasses import dataclass

from topics.event import TopicName


@dataclass(frozen=True, slots=True)
class FaustNeeds:
    """Names for one processor group's Faust app."""

    app_id: str
    """Its consumer group too: READ on it."""
    topics: tuple[tuple[TopicName, int], ...]
    """Topic and partitions, to be made; READ and WRITE (and DESCRIBE) on the prefix ``<app id>-``."""


def faust_app_id(group: str) -> str:
    """``faust-gate``, ``faust-fanout.default``."""
    return f"faust-{group}"


def faust_topics(app_id: str) -> FaustNeeds:
    """What must exist before the app starts; Faust itself may create nothing."""
    return FaustNeeds(app_id, ((TopicName(f"{app_id}-__assignor-__leader"), 1),))
