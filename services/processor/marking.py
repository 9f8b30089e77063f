"""Gives a processor the disputes between two turns, so that it marks what is disputed."""

import logging
from typing import Protocol, runtime_checkable

from services.processor.disputes_reader import DisputesReader
from services.processor.health import Health
from topics.disputes import DisputeKeyMissing, Disputes
from topics.policy import Policy

_log = logging.getLogger(__name__)


@runtime_checkable
class Marks(Protocol):
    """A processor that marks disputed records."""

    def adopt_disputes(self, disputes: Disputes) -> None:
        """Mark the records of these disputes from the next batch on.

        Raises:
            DisputeKeyMissing: the ones before stay.
        """
        ...


class Marking:
    """Which disputes a processor knows.

    The topic is read whole before the first batch, so that nothing disputed is delivered unmarked because an
    instance has just begun. From then on nothing waits for it: each decision block says which number it knew.
    """

    def __init__(self, processor: Marks, reader: DisputesReader, health: Health) -> None:
        self._processor, self._reader, self._health = processor, reader, health
        self._begun = False
        self._tried = 0
        self._lacking: str | None = None

    def ready(self, policy: Policy) -> bool:
        """Take over the newest disputes; called between transactions. Says whether batches may be decided."""
        if not policy.control_schemas.dispute_change:
            # A policy older than disputes: its blocks could not say what was known.
            return True
        self._reader.want()
        self._begun = self._begun or self._reader.caught_up
        self._health.tell("disputes", None if self._begun else self._reader.problem)
        if self._begun:
            self._adopt(self._reader.newest)
        return self._begun

    def _adopt(self, newest: Disputes) -> None:
        if newest.number != self._tried:
            self._tried = newest.number
            try:
                self._processor.adopt_disputes(newest)
            except DisputeKeyMissing as error:
                self._lacking = str(error)
                _log.error("disputes %d are not marked: %s", newest.number, error)
            else:
                self._lacking = None
                self._health.disputes = newest.number
                _log.info("disputes %d adopted, %d are open", newest.number, len(newest.open))
        self._health.disputes_problem = self._lacking or self._reader.refused
