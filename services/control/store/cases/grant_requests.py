"""Puts requests for grants into the outbox, in the transaction of the event that they come from."""

from sqlalchemy import Connection

from services.control.docket.requests import GrantRequest
from services.control.store.outbox import Act, append_document

_BY = "control"


class GrantOutbox:
    """The provisioner of the control plane: whoever makes grants reads them and reports each step."""

    def request(self, connection: Connection, request: GrantRequest) -> None:
        """Owe the request to whoever makes grants."""
        act = Act(
            who=_BY,
            what=f"grant.{request.wanted.value}",
            kind="grant",
            object=request.id,
            when=request.when,
            facts={"case": request.case, "event": request.event},
        )
        append_document(connection, act, request.document)
