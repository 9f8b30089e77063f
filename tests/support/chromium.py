"""Chromium for tests: a build that needs nothing of the system, fetched by its digest and unpacked once."""

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import brotli

from services.portal.vendor import BROWSER, Library, fetch, read_libraries
from services.stack.progress import Silent

NAMED: Final = "GOVBUS_CHROMIUM"
"""Names another Chromium, as for pictures that need the system's fonts."""
_PROGRAM: Final = "chromium"
_FONTS: Final = "our-fonts.conf"
_FONTS_OF: Final = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{folder}/cache</cachedir></fontconfig>
"""
"""Without any font it ends at the first page."""
_ARGUMENTS: Final = ("--no-sandbox", "--no-zygote", "--disable-gpu")


@dataclass(frozen=True, slots=True)
class Chromium:
    """How to start it: the program, its arguments, and its environment, None for the usual one."""

    program: Path
    arguments: tuple[str, ...] = _ARGUMENTS
    environment: dict[str, str | float | bool] | None = None


def chromium(cache: Path) -> Chromium:
    """The one that the environment names, else the locked one.

    Raises:
        CheckConnection: it is not in the cache and cannot be downloaded.
        RefusedDownload: it has another digest than the lock.
    """
    named = os.environ.get(NAMED)
    if named:
        return Chromium(Path(named))
    libraries = read_libraries(BROWSER)
    folder = cache / "browser" / _digest(libraries)
    if not folder.exists():
        _unpack(fetch(cache, libraries, Silent()), folder)
    environment: dict[str, str | float | bool] = {
        **os.environ,
        "LD_LIBRARY_PATH": str(folder / "lib"),
        "FONTCONFIG_FILE": str(folder / _FONTS),
    }
    return Chromium(folder / _PROGRAM, environment=environment)


def _digest(libraries: tuple[Library, ...]) -> str:
    return hashlib.sha256("".join(each.package.sha256 for each in libraries).encode()).hexdigest()[:16]


def _unpack(found: Mapping[str, bytes], folder: Path) -> None:
    """Whole or not at all: another process may be at it too, and then the first one counts."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        for name, content in found.items():
            plain = brotli.decompress(content)
            if name == f"{_PROGRAM}.br":
                (draft / _PROGRAM).write_bytes(plain)
                (draft / _PROGRAM).chmod(0o755)
            else:
                with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
                    archive.extractall(draft, filter="data")
        (draft / _FONTS).write_text(_FONTS_OF.format(folder=folder), encoding="utf-8")
        if not folder.exists():
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
