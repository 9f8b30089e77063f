"""The bus's own processes of an embedded stack, as the watch keeps them."""

import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from services.stack.again import Ended
from services.stack.api import Stack
from services.stack.python_process import OwnProcess

_STARTS_WITHIN_S: Final = 30.0
_WATCH: Final = "watch"
"""Nobody keeps the keeper."""


@dataclass(frozen=True, slots=True)
class OwnProcesses:
    """Those of one stack; ``services.watch.keeper.Processes``."""

    stack: Stack

    def standing(self) -> list[OwnProcess]:
        """Which were started and not stopped since."""
        return [each for each in self.stack.own_processes() if each.name != _WATCH]

    def start_again(self, name: str) -> Ended:
        """Start it by a process that ends at once, so that it is no child of the watch."""
        command = [sys.executable, "-m", "services.stack.again", name]
        try:
            return Ended(subprocess.run(command, check=False, timeout=_STARTS_WITHIN_S).returncode)
        except (OSError, subprocess.SubprocessError, ValueError):
            return Ended.FAILED
