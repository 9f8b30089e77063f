"""``python -m services.stack.again NAME``: starts a process again that crashed, and ends.

So it is nobody's child: whoever stops a process waits for its children, too, and the watch may be stopped.
"""

import os
import sys
from collections.abc import Sequence

from services.stack.api import Stack
from services.stack.errors import StackError
from services.stack.settings import StackSettings


def main(arguments: Sequence[str]) -> int:
    """0: it was started; 1: it lives, or was stopped meanwhile; 2: standard error says what is against it."""
    (name,) = arguments
    try:
        return 0 if Stack(StackSettings.from_environment(os.environ)).start_again(name) else 1
    except (StackError, OSError) as error:
        sys.stderr.write(f"{name} is not started again: {error}\n")
        return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
