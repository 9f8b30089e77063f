"""Makes vendor.lock: each package's path, SHA-256 and size, after its own integrity was compared.

Run by hand when a version changes: ``python -m services.portal.vendor_lock``. Nothing resolves at run time.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Final

import requests

from services.portal.vendor import BROWSER, LOCK, RUN_TIME, TESTS, registry
from services.stack.jars import download_session

WANTED: Final = (
    (RUN_TIME, "htmx.org", "2.0.11", "htmx.min.js", "package/dist/htmx.min.js"),
    (RUN_TIME, "htmx-ext-sse", "2.2.4", "sse.min.js", "package/dist/sse.min.js"),
    (RUN_TIME, "echarts", "6.1.0", "echarts.min.js", "package/dist/echarts.min.js"),
    (TESTS, "axe-core", "4.14.1", "axe.min.js", "package/axe.min.js"),
    (BROWSER, "@sparticuz/chromium", "153.0.0", "chromium.br", "package/bin/chromium.br"),
    (BROWSER, "@sparticuz/chromium", "153.0.0", "libraries.tar.br", "package/bin/al2023.tar.br"),
    (BROWSER, "@sparticuz/chromium", "153.0.0", "fonts.tar.br", "package/bin/fonts.tar.br"),
)
"""Part, package, version, the name under which a file of it is served, and where in it that file lies."""


def make(target: Path) -> int:
    """Download every package, compare it with its integrity, and write the lock; return how many there are.

    Raises:
        requests.RequestException: the registry does not answer, or has no such version.
        RuntimeError: a package is not what the registry says of it.
    """
    with download_session() as session:
        entries = [_entry(session, *each) for each in WANTED]
    target.write_text(json.dumps({"libraries": entries}, indent=1) + "\n", encoding="utf-8")
    return len(entries)


def _entry(
    session: requests.Session, part: str, package: str, version: str, name: str, member: str
) -> dict[str, Any]:
    base = registry().rstrip("/")
    described = session.get(f"{base}/{package}/{version}", timeout=60)
    described.raise_for_status()
    path = f"{package}/-/{package.rpartition('/')[2]}-{version}.tgz"
    content = session.get(f"{base}/{path}", timeout=120)
    content.raise_for_status()
    _compare(path, content.content, described.json()["dist"]["integrity"])
    locked = {
        "part": part,
        "coordinates": f"{package}@{version}",
        "path": path,
        "sha256": hashlib.sha256(content.content).hexdigest(),
        "size": len(content.content),
    }
    return {"name": name, "member": member, "package": locked}


def _compare(path: str, content: bytes, integrity: str) -> None:
    algorithm, _, expected = integrity.partition("-")
    found = base64.b64encode(hashlib.new(algorithm, content).digest()).decode()
    if found != expected:
        raise RuntimeError(f"{path} has another {algorithm} than the registry says")


if __name__ == "__main__":
    count = make(LOCK)
    sys.stdout.write(f"{count} libraries locked\n")
