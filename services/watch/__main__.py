"""``python -m services.watch``: reads settings, wires, looks every few seconds until it is asked to end."""

import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Final

from pydantic import ValidationError

from producers.connect_client import ConnectClient, RetryPolicy
from services.stack.api import Stack
from services.stack.errors import StackError
from services.stack.probes import loopback_session
from services.stack.settings import StackSettings
from services.watch.app import Reach, Watch
from services.watch.own_processes import OwnProcesses
from services.watch.settings import WatchSettings
from services.watch.web import StatusServer

#: The next round is soon: trying long within one would only delay the other connectors.
_RETRIES: Final = RetryPolicy(attempts=2, first_seconds=0.2, longest_seconds=0.5)
_LAST_ROUND_S: Final = 5.0


def main() -> int:
    """Run until SIGTERM or Ctrl-C; 0 after a clean end, 2 where the settings are wrong."""
    try:
        settings = WatchSettings.from_environment()
        watch = Watch(_reach(settings), settings, log_line)
        server = StatusServer(settings.port, watch.status, watch.is_alive)
    except ValidationError as error:
        # Not the values: one of them may be a secret that was put into the wrong variable.
        wrong = "; ".join(f"{item['loc']}: {item['msg']}" for item in error.errors(include_input=False))
        sys.stderr.write(f"watch: {wrong}\n")
        return 2
    except (StackError, OSError) as error:
        sys.stderr.write(f"watch: {error}; GOVBUS_WATCH_PORT sets the port\n")
        return 2
    return run(watch, server, settings.interval_s)


def run(watch: Watch, server: StatusServer, interval_s: float) -> int:
    """Look again and again; a signal ends it, and a round that is under way has a few seconds to end."""
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    # A thread of its own for the rounds: a signal is then heeded while one of them waits for an answer.
    rounds = Thread(target=_rounds, args=(watch, ended, interval_s), name="rounds", daemon=True)
    log_line("info", "watch-started", port=server.port)
    server.start()
    rounds.start()
    while rounds.is_alive() and not ended.wait(1.0):
        pass
    failed = not ended.is_set()
    rounds.join(_LAST_ROUND_S)
    server.stop()
    log_line("info", "watch-stopped")
    return int(failed)


def log_line(level: str, event: str, **fields: object) -> None:
    """One line of JSON on standard output."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event}
    sys.stdout.write(json.dumps(line | fields, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _rounds(watch: Watch, ended: Event, interval_s: float) -> None:
    while not ended.is_set():
        try:
            watch.round()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other rounds must go on being made
            # Its kind only: a text that nobody foresaw may hold anything. Without whole rounds the watch
            # is not ready, so a defect that stays is seen from outside.
            log_line("alarm", "round-failed", error=type(error).__name__)
        ended.wait(interval_s)


def _reach(settings: WatchSettings) -> Reach:
    if settings.connect_url and settings.connect_user:
        password = Path(str(settings.connect_password_file)).read_text(encoding="utf-8").strip()
        client = ConnectClient(settings.connect_url, settings.connect_user, password, retries=_RETRIES)
        return Reach(client, Path(str(settings.connect_secrets)), memory=settings.memory)
    stack = Stack(StackSettings.from_environment())
    endpoints = stack.endpoints()
    client = ConnectClient(
        endpoints.connect_url, *stack.connect_auth(), session=loopback_session(), retries=_RETRIES
    )
    ours = (endpoints.postgres_host, endpoints.postgres_port)
    layout = stack.context.layout
    memory = settings.memory or layout.data / "watch" / "continuity.json"
    return Reach(
        client, layout.connect_secrets, {ours: stack.superuser_connection}, memory, OwnProcesses(stack)
    )


if __name__ == "__main__":
    raise SystemExit(main())
