"""Bench 6: the engine alone, without Kafka: events per second and core of each implementation."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_FOLDER: Final = Path(__file__).parents[2] / "tests" / "bench"
#: Part of the answer → file in tests/bench and the function in it, which returns figures per implementation.
MEASURES: Final = {
    "fanout": ("engine_fanout.py", "measure_fanout"),
    "gate": ("engine_gate.py", "measure_gate"),
}


def run(folder: Path = _FOLDER) -> dict[str, Any]:
    """Run what there is to run; null where it is not there, as in an installation without the checkout."""
    return {part: _measured(folder / file, function) for part, (file, function) in MEASURES.items()}


def _measured(path: Path, function: str) -> Any:
    if not path.exists():
        return None
    return getattr(_module(path), function)()


def _module(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"govbus_bench_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
