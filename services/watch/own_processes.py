"""The bus's own processes of an embedded stack, as the watch keeps them."""

import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from services.stack.api import Stack

_STARTS_WITHIN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class OwnProcesses:
    """Those of one stack; ``services.watch.keeper.Processes``."""

    stack: Stack

    def crashed(self) -> list[str]:
        """Which were started, not stopped since, and do not live."""
        return self.stack.crashed()

    def start_again(self, name: str) -> bool:
        """Start it by a process that ends at once, so that it is no child of the watch.

        Raises:
            OSError, subprocess.TimeoutExpired: no process can be started.
        """
        command = [sys.executable, "-m", "services.stack.again", name]
        return subprocess.run(command, check=False, timeout=_STARTS_WITHIN_S).returncode == 0
