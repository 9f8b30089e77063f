"""What every answer of a run says of the run itself: when, of which commit, on which machine, how busy."""

import os
import platform
import subprocess
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]


def circumstances(command: str, *, quick: bool, began: float) -> dict[str, Any]:
    """The frame around the figures; ``began`` is monotonic seconds."""
    return {
        "bench": command,
        "quick": quick,
        **when_and_where(),
        "seconds": round(time.monotonic() - began, 1),
    }


def when_and_where() -> dict[str, Any]:
    """The moment, the commit and the machine, as they are now."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "commit": commit(),
        "machine": {
            "processors": os.cpu_count(),
            "processor": _processor(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "load_average": [round(value, 1) for value in os.getloadavg()],
        },
    }


def commit(root: Path = _ROOT) -> str | None:
    """The commit of the checkout, with a plus where files differ from it; None without a checkout."""
    described = _git(root, "rev-parse", "--short", "HEAD")
    if described is None:
        return None
    return described + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607 - whichever git there is
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def framed(figures: Mapping[str, Any], command: str, *, quick: bool, began: float) -> dict[str, Any]:
    """Figures with their circumstances."""
    return {**circumstances(command, quick=quick, began=began), **figures}
