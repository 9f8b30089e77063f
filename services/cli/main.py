"""The program `govbus`: every command in one place; a new one is one line here."""

from typing import Final

import typer

from services.cli.lazily import loading

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
    "notice": "notice",
    "policy": "policy_packs",
    "database": "database",
    "report": "report",
    "retention": "retention",
    "evidence": "evidence",
    "snapshot": "snapshot",
    "replay": "replay",
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
    "reconcile": "reconcile",
    "trace": "trace",
}
"""Commands of their own, and the module whose ``register`` adds each."""

app = typer.Typer(
    name="govbus",
    cls=loading({**_GROUPS, **_COMMANDS}),
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def govbus() -> None:
    """One source per fact, exactly to the departments that may see it, with proof of every step."""
