"""`govbus grant`: what a grant is and gives; each command is registered by its own module."""

import typer

from services.cli import grant_contract

app = typer.Typer(help="What grants give, and under which contract.", no_args_is_help=True)


@app.callback()
def grant() -> None:
    """What grants give, and under which contract."""


grant_contract.register(app)
