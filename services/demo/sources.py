"""Gives Connect the sample databases' connections: one owner-only file per provider, as a provider would."""

import secrets

from services.demo.databases import TABLES
from services.stack.api import Stack
from services.stack.secret_files import write_private
from topics.event import ProviderId


def connection_secrets(stack: Stack) -> dict[ProviderId, str]:
    """Write what is missing and return each capture role's password."""
    return {provider: _password(stack, provider) for provider in TABLES}


def _password(stack: Stack, provider: ProviderId) -> str:
    path = stack.context.layout.connect_secrets / f"{provider}.properties"
    if path.exists():
        lines = dict(
            line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line
        )
        return lines["password"]
    password = secrets.token_urlsafe(24)
    # Without host and port it is the stack's own server, wherever that listens today.
    write_private(path, f"user={TABLES[provider].capture_role}\npassword={password}\n")
    return password
