"""`govbus api schema`: the OpenAPI document of the control plane's API; needs nothing that runs."""

import sys

import typer

app = typer.Typer(help="The control plane's API.", no_args_is_help=True)


@app.callback()
def api() -> None:
    """The control plane's API."""


@app.command("schema")
def schema_command() -> None:
    """Print the OpenAPI 3.1 document of the API, as docs/openapi.json holds it."""
    # All of the API, which no other command needs: it would cost each of them half a second.
    from services.api.schema import document_text

    sys.stdout.write(document_text())
