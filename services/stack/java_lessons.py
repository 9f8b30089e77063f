"""What a Java part learned in one run, it starts with in the next: linked classes and profiled methods.

The runtime writes it when it ends and maps it when it starts (JEP 483, 514, 515; from Java 25 on). It checks
itself that class path and runtime are the same, and does without where they are not.
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_QUIET: Final = ("-Xlog:aot*=off", "-Xlog:cds*=off")
"""Which classes cannot be kept, and that what was kept does not fit, is of no use to an operator."""
_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class JavaLessons:
    """Of one part, in a folder that all stacks of the user share, beside the archives.

    ``runtime`` and ``archives`` are what it is started from: with others it learns anew.
    """

    part: str
    shared: Path
    scratch: Path
    """A folder of this stack alone: two that end at the same time do not write the same file."""
    runtime: Path
    """The file in which the runtime says what it is: the same one may be installed in several places."""
    archives: Sequence[Path]

    @property
    def known(self) -> Path:
        """The file that is there once something was learned."""
        return self.shared / f"{self.part}-{self._digest()}.aot"

    @property
    def written(self) -> Path:
        """What a run that learns writes when it ends."""
        return self.scratch / self.known.name

    def options(self, *, learn: bool) -> list[str]:
        """Return the options that use what was learned; where nothing was, those that learn, if asked for."""
        if self.known.exists():
            return [f"-XX:AOTCache={self.known}", *_QUIET]
        self.written.unlink(missing_ok=True)
        return [f"-XX:AOTCacheOutput={self.written}", *_QUIET] if learn else []

    def keep(self) -> bool:
        """Take over what a run has written that ended by itself; return whether there was anything."""
        if not self.written.exists():
            return False
        coming = self.shared / f".{self.written.name}.{os.getpid()}"
        self.shared.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.move(self.written, coming)
        coming.replace(self.known)
        return True

    def _digest(self) -> str:
        """Names what it was learned from; the runtime looks at sizes and times itself, so they count too."""
        digest = hashlib.sha256(self.runtime.read_bytes())
        for path in self.archives:
            found = path.stat() if path.exists() else None
            seen = (found.st_size, found.st_mtime_ns) if found else None
            digest.update(f"\0{path}\0{seen}".encode())
        return digest.hexdigest()[:_DIGITS]
