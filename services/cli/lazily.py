"""Groups of commands of which only the module of the command that is asked for is loaded.

All of them take longer to load than most answers take to find.
"""

from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group


class _Commands(UserDict[str, Any]):
    """Commands and groups by name; a module's name stands for what is not loaded yet."""

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        if isinstance(found, str):
            found = self.data[name] = _loaded(name, import_module(f"services.cli.{found}"))
        return found


def _loaded(name: str, module: ModuleType) -> Any:
    if hasattr(module, "app"):
        group = get_group(module.app)
        group.name = name
        return group
    alone = typer.Typer()
    module.register(alone)
    return get_group(alone).commands[name]


def loading(modules: Mapping[str, str]) -> type[TyperGroup]:
    """A class of groups that know the names of these commands, and load a module when it is asked for.

    Args:
        modules: the modules of ``services.cli`` by the names of their commands. A module with an ``app`` is a
            group; of another, ``register`` adds the command.
    """

    class LoadedWhenAsked(TyperGroup):
        """Beside the commands that the group was made with, those of the modules."""

        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.commands = _Commands({**self.commands, **modules})

        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the library names it
            """All names, those that were there first."""
            return list(self.commands)

    return LoadedWhenAsked
