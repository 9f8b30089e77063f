"""What an instance says before it ends, where nobody but a person may start it again."""

from pathlib import Path
from typing import Final

from services.processor.errors import ExitCode, StopInstance

NEED_A_PERSON: Final = frozenset({ExitCode.POSITION_LOST, ExitCode.DEFECT})
"""A start later on may find offsets in the log that were not those it lost, and go on over the gap."""


def leave(folder: Path, instance: str, error: StopInstance) -> None:
    """Write down why it ends, where that is so; ``services.stack.python_process`` heeds and removes it."""
    if error.code in NEED_A_PERSON:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{instance}.waits").write_text(str(error), encoding="utf-8")
