"""The browser's libraries: fetched once by the coordinates and digests of vendor.lock, never from elsewhere.

The cache, the check of each digest and the retries are those of the stack's Java archives. A library is one
file out of a package of the npm registry. Pages work without them: forms are forms; only lists that renew
themselves and charts are missing.
"""

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.stack.errors import CheckConnection
from services.stack.jars import JarCache, Kind, LockedFile
from services.stack.progress import Reporter

LOCK: Final = Path(__file__).with_name("vendor.lock")
REGISTRY_VARIABLE: Final = "GOVBUS_NPM_REGISTRY"
NPM: Final = Kind("npm", "packages for browsers", REGISTRY_VARIABLE)
RUN_TIME: Final = "portal"
TESTS: Final = "tests"
BROWSER: Final = "browser"


@dataclass(frozen=True, slots=True)
class Library:
    """One file out of a package: under which name it is served, and where in the package it lies."""

    name: str
    member: str
    package: LockedFile


def read_libraries(part: str = RUN_TIME, path: Path = LOCK) -> tuple[Library, ...]:
    """The libraries of a part that the lock names: the portal, its tests, or the browser of these."""
    entries = json.loads(path.read_text(encoding="utf-8"))["libraries"]
    return tuple(
        Library(each["name"], each["member"], LockedFile(**each["package"]))
        for each in entries
        if each["package"]["part"] == part
    )


def fetch(cache: Path, libraries: Iterable[Library], reporter: Reporter) -> Mapping[str, bytes]:
    """The content of libraries by name; what is not in the cache yet is downloaded and verified.

    Raises:
        CheckConnection: the registry cannot be reached, or nobody said where it is.
        RefusedDownload: a package has another digest than the lock.
    """
    wanted = tuple(libraries)
    packages = tuple({each.package.path: each.package for each in wanted}.values())
    kept = JarCache(cache, packages, kind=NPM)
    if kept.missing():
        JarCache(cache, packages, registry(), NPM).fetch(reporter)
    return {each.name: _member(kept.location(each.package), each.member) for each in wanted}


def registry() -> str:
    """Where packages are downloaded: as the environment says, else as this machine's npm is set up.

    Raises:
        CheckConnection: neither says it.
    """
    named = os.environ.get(REGISTRY_VARIABLE)
    if named:
        return named
    npm = shutil.which("npm")
    if npm is None:
        raise CheckConnection(
            f"the scripts for browsers are not in the cache: set {REGISTRY_VARIABLE} to an npm registry"
        )
    asked = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def _member(archive: Path, member: str) -> bytes:
    with tarfile.open(archive) as content:
        found = content.extractfile(member)
        if found is None:
            raise LookupError(f"{archive.name} has no file {member}")
        return found.read()
