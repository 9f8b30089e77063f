"""The web process: reads its settings, wires its parts, and answers until it is told to stop."""

import logging
import os
import sys
from collections.abc import Mapping

import uvicorn

from services.api.settings import ApiSettings
from services.api.wiring import parts as wired
from services.portal.app import create_app
from services.portal.operations.on_stack import connect_stack
from services.portal.vendor import fetch, read_libraries
from services.stack.api import Stack
from services.stack.errors import StackError
from services.stack.progress import Silent
from services.stack.settings import StackSettings

_log = logging.getLogger("govbus.portal")


def main() -> int:
    """Run until SIGINT or SIGTERM; returns the exit code."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(name)s %(message)s")
    settings = ApiSettings.from_environment(os.environ)
    stack = Stack(StackSettings.from_environment(os.environ))
    parts = wired(settings, stack)
    app = create_app(parts, _libraries())
    connect_stack(app, parts, stack)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    return 0


def _libraries() -> Mapping[str, bytes]:
    """The browser's libraries; without them the portal runs, and says what is missing."""
    try:
        return fetch(StackSettings.from_environment(os.environ).cache, read_libraries(), Silent())
    except StackError as error:
        _log.warning("pages are served without scripts of others, charts are missing: %s", error)
        return {}


if __name__ == "__main__":
    sys.exit(main())
