"""Compiles the Cython modules beside their sources where a C compiler is; govbus also runs without.

A build hook of hatchling; ``python hatch_build.py`` compiles anew after a change.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
FOLDERS = ("topics/engine", "services/processor")
SKIP = "GOVBUS_WITHOUT_NATIVE"


def sources(root: Path) -> list[Path]:
    """The Cython modules, in a stable order."""
    return sorted(path for folder in FOLDERS for path in (root / folder).glob("*.pyx"))


def build_native(root: Path = ROOT) -> list[str]:
    """Compile every Cython module in place; returns the paths of what was made, relative to the root."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    here = Path.cwd()
    os.chdir(root)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            names = [str(path.relative_to(root)) for path in sources(root)]
            wanted = [
                Extension(
                    name.removesuffix(".pyx").replace("/", "."),
                    [name],
                    extra_compile_args=["-O3", "-fno-strict-aliasing"],
                )
                for name in names
            ]
            modules = cythonize(wanted, build_dir=scratch, quiet=True, include_path=["."], language_level="3")
            command = build_ext(Distribution({"ext_modules": modules}))
            command.build_temp = command.build_lib = scratch
            command.inplace, command.parallel = True, os.cpu_count()
            command.ensure_finalized()
            command.run()
            made = [Path(command.get_ext_fullpath(module.name)) for module in modules]
            return [str(path.relative_to(root) if path.is_absolute() else path) for path in made]
    finally:
        os.chdir(here)


class NativeBuildHook(BuildHookInterface):
    """Compiles before a wheel or an editable install is made; a failure is said and is no error."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Compile, and put what was made into a wheel."""
        if os.environ.get(SKIP):
            return self._say(f"not compiled, because {SKIP} is set")
        try:
            made = build_native(Path(self.root))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - no compiler, no headers, no Cython: all the same
            return self._say(
                f"not compiled ({type(error).__name__}: {error}); the engine runs in pure Python"
            )
        build_data["artifacts"] += made
        build_data["pure_python"], build_data["infer_tag"] = False, True
        return None

    def _say(self, text: str) -> None:
        self.app.display_info(f"govbus: {text}")


if __name__ == "__main__":
    for path in build_native():
        sys.stdout.write(f"{path}\n")
