"""What is known of a transaction that is being committed while the next batch is decided."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from services.processor.contract import Batch
from services.processor.observation import Observed


@dataclass(slots=True)
class Commit:
    """One transaction on its way, without the bytes that it wrote."""

    task: "asyncio.Task[float]"
    """Ends with the seconds for which the transaction was open."""
    portion: Batch
    outputs: int
    outcomes: Mapping[str, int]
    observed: Observed
    is_last: bool = False
    """Whether its batch has no further transaction."""
