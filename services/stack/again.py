"""``python -m services.stack.again NAME``: starts a process again that crashed, and ends.

So it is nobody's child: whoever stops a process waits for its children, too, and the watch may be stopped.
"""

import os
import sys
from collections.abc import Sequence
from enum import IntEnum

from services.stack.api import Stack
from services.stack.errors import StackError, WaitForOther
from services.stack.settings import StackSettings


class Ended(IntEnum):
    """How it ended."""

    STARTED = 0
    NOT_NEEDED = 1
    """It lives, was stopped meanwhile, or only a person may start it."""
    FAILED = 2
    BUSY = 3
    """A command starts or stops the stack right now."""


def main(arguments: Sequence[str]) -> int:
    """End with one of ``Ended``; standard error says what was against it."""
    (name,) = arguments
    try:
        started = Stack(StackSettings.from_environment(os.environ)).start_again(name)
    except WaitForOther:
        return Ended.BUSY
    except (StackError, OSError) as error:
        sys.stderr.write(f"{name} is not started again: {error}\n")
        return Ended.FAILED
    return Ended.STARTED if started else Ended.NOT_NEEDED


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
