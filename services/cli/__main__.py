"""Runs `govbus`."""

import sys

from services.cli.main import app
from services.cli.output import run


def main() -> None:
    """Run the program and end with its exit code."""
    sys.exit(run(app))


if __name__ == "__main__":
    main()
