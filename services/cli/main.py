"""The program `govbus`: every command in one place; a new one is one line here.

Only the module of the command that is asked for is loaded: all of them take longer than most answers.
"""

from collections import UserDict
from importlib import import_module
from types import ModuleType
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

_GROUPS: Final = {
    "identity": "identity",
    "account": "account",
    "api": "api",
    "audit": "audit",
    "bench": "bench",
    "chaos": "chaos",
    "quarantine": "quarantine",
    "case": "case",
    "catalogue": "catalogue",
    "claims": "claims",
    "clock": "clock",
    "conflicts": "conflicts",
    "credential": "credential",
    "grant": "grant",
    "policy": "policy_packs",
    "database": "database",
    "evidence": "evidence",
    "ticket": "ticket",
}
"""Groups of commands, and the module that holds each as ``app``."""
_COMMANDS: Final = {
    "up": "stack",
    "down": "stack",
    "status": "stack",
    "logs": "stack",
    "reset": "stack",
    "run": "stack",
    "prepare": "prepare",
    "demo": "demo",
    "doctor": "doctor",
    "plan": "plan",
    "apply": "plan",
    "explain": "explain",
    "tail": "tail",
    "publish": "publish",
    "accept-schema": "accept_schema",
    "verify": "verify",
}
"""Commands of their own, and the module whose ``register`` adds each."""


class _Commands(UserDict[str, Any]):
    """Commands and groups by name; a module's name stands for what is not loaded yet."""

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        if isinstance(found, str):
            found = self.data[name] = _loaded(name, import_module(f"services.cli.{found}"))
        return found


def _loaded(name: str, module: ModuleType) -> Any:
    if name in _GROUPS:
        group = get_group(module.app)
        group.name = name
        return group
    alone = typer.Typer()
    module.register(alone)
    return get_group(alone).commands[name]


class LoadedWhenAsked(TyperGroup):
    """Knows the names of all commands, and loads the module of one when it is asked for."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = _Commands({**_GROUPS, **_COMMANDS})

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the library names it
        """All names, groups first."""
        return list(self.commands)


app = typer.Typer(
    name="govbus", cls=LoadedWhenAsked, no_args_is_help=True, pretty_exceptions_show_locals=False
)


@app.callback()
def govbus() -> None:
    """One source per fact, exactly to the departments that may see it, with proof of every step."""
