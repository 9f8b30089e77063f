"""What the runner must do when Kafka, the registry or a processor fails; each error is named after that."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a processor's process ends; for which a supervisor may start it again, see ``last_word``."""

    STOPPED = 0
    """Asked to stop, nothing left open."""
    FAILED = 1
    """A defect of the shell itself."""
    FENCED = 3
    """Another instance with this id took over, or the policy writer withdrew this one."""
    POSITION_LOST = 4
    """The committed offset is no longer in the log: an operator must decide, nothing is skipped."""
    DEFECT = 5
    """A record breaks the processor and cannot be isolated."""
    CANNOT_START = 6
    """Settings, secrets or Kafka refuse the start."""
    WORN = 7
    """Too many producers were left in doubt, which stay in memory: nothing is wrong, start it again."""


class AbortTransaction(Exception):  # noqa: N818 - named after what to do
    """Abort the open transaction, rewind to the committed offsets and go on with the same producer."""


class OutputRefused(AbortTransaction):
    """The same, and somebody has to do without a record: Kafka refuses it for what it is, now and always."""


class RecreateProducer(Exception):  # noqa: N818 - named after what to do
    """The outcome is unknown or the producer is broken: close it, make one with the same id, rewind."""


class WaitAndRetry(Exception):  # noqa: N818 - named after what to do
    """Something outside does not answer now; nothing is lost, try again later."""


class StopInstance(Exception):  # noqa: N818 - named after what to do
    """This instance may not go on; its process ends with ``code``."""

    def __init__(self, code: ExitCode, why: str) -> None:
        super().__init__(why)
        self.code = code
