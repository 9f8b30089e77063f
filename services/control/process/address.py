"""Where the control plane's database of a stack is: for whoever works with it, and for whoever migrates it."""

from enum import StrEnum

from services.control.store.database import Address
from services.stack.api import Stack
from services.stack.postgres import APPLICATION, APPLICATION_SECRET, CONTROL, CONTROL_SECRET


class As(StrEnum):
    """As whom somebody logs in."""

    APPLICATION = "application"
    """Reads and writes rows, owns nothing."""
    OWNER = "owner"
    """Owns the tables and migrates them."""


def stack_address(stack: Stack, role: As) -> Address:
    """The database of a stack; nothing is asked of it."""
    user, secret = {
        As.APPLICATION: (APPLICATION, APPLICATION_SECRET),
        As.OWNER: (CONTROL, CONTROL_SECRET),
    }[role]
    endpoints, file = stack.endpoints(), stack.context.secrets.path(secret)
    return Address.at(endpoints.postgres_host, endpoints.postgres_port, CONTROL, user, file)
