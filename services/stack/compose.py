"""What docker-compose.yml needs from the host: ``prepare`` before the start, ``settle`` once parts answer.

Run as ``python -m services.stack.compose prepare > .env``, later ``python -m services.stack.compose settle``.
"""

import sys

from services.stack.api import Stack
from services.stack.errors import StackError
from services.stack.progress import Bars
from services.stack.settings import StackSettings


def prepare(stack: Stack) -> dict[str, str]:
    """Generate the secrets and fetch Connect's plugins; return the variables that compose wants."""
    with Bars() as progress:
        stack.prepare(progress)
    stack.connect.write_secrets()
    return {
        "GOVBUS_HOME": str(stack.settings.home),
        "GOVBUS_PLUGINS": str(stack.context.jars.plugins()),
    }


def settle(stack: Stack) -> list[str]:
    """Make users, rights, topics and databases inside the parts that answer; return their names."""
    settled = []
    for component in stack.infrastructure:
        if component.ready():
            component.settle()
            settled.append(component.name)
    return settled


def main(arguments: list[str]) -> int:
    """Run one of the two steps; return the exit code."""
    stack = Stack(StackSettings.from_environment())
    try:
        if arguments == ["prepare"]:
            sys.stdout.write("".join(f"{name}={value}\n" for name, value in prepare(stack).items()))
        elif arguments == ["settle"]:
            sys.stdout.write(f"settled: {', '.join(settle(stack)) or 'nothing answers yet'}\n")
        else:
            sys.stderr.write("usage: python -m services.stack.compose prepare|settle\n")
            return 2
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
