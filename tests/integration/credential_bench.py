"""Credentials as a department gets them on the real stack, and what opens the bus."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from services.cli.output import ExitCode
from services.control.credential_life import DEFAULT_DAYS
from services.control.process.credentials import CredentialsTurn
from services.control.provisioning.logins import Locks
from services.control.store.database import ControlDatabase
from tests.integration.apply_bench import Bench
from tests.integration.stack_checks import logs_in
from tests.integration.suspension_bench import environment


def fetch(bench: Bench, code: str) -> subprocess.CompletedProcess[str]:
    """Fetch a credential with a code, in a process of its own."""
    program = [sys.executable, "-m", "services.cli", "grant", "credential", "fetch"]
    return subprocess.run(
        program,
        env=environment(bench),
        input=f"{code}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def handed_over(bench: Bench, code: str) -> dict[str, Any]:
    """The credential that a code fetches."""
    ended = fetch(bench, code)
    assert ended.returncode == ExitCode.OK, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def opens(bench: Bench, credential: dict[str, Any]) -> bool:
    """Whether the broker lets its holder in."""
    return logs_in(bench.stack, credential["username"], credential["password"])


def let_expire(bench: Bench, database: ControlDatabase) -> None:
    """Take the control process's turn at a moment at which every credential of now is over."""
    later = datetime.now(UTC) + timedelta(days=DEFAULT_DAYS + 1)
    assert CredentialsTurn(database, Locks(bench.access), lambda: later, DEFAULT_DAYS).turn()
