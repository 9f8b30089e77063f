"""Lets a capture forget where it stands: it takes the full volume again under its next incarnation."""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Final

from producers.connect_client import ConnectClient
from producers.connect_errors import ConnectorNotFound, ConnectRefused
from producers.connector import connector_name, slot_name
from producers.slots import slot_report
from services.control.access import CaptureSource
from services.control.gaps import open_source
from topics.event import ProviderId

_PATIENCE_S: Final = 60.0
_LOOK_S: Final = 0.25


class CaptureDoesNotStop(Exception):  # noqa: N818 - says what keeps happening
    """The connector's tasks go on, or its position stays: look at Connect's log, then recapture again."""


def forget(
    client: ConnectClient,
    provider: ProviderId,
    source: CaptureSource,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Stop the provider's connector, delete its position, and drop its slot if that was invalidated.

    Each step may be repeated. A slot that is well stays: its log reaches back further than the new snapshot.

    Raises:
        CaptureDoesNotStop: Connect did not stop it in time.
        ConnectUnavailable: Connect does not answer.
        psycopg2.Error: the database does not let the slot be dropped.
    """
    name, deadline = connector_name(provider), clock() + _PATIENCE_S
    # A connector that is not there has nothing to stop and nothing to forget.
    with suppress(ConnectorNotFound):
        client.stop(name)
        _until(lambda: not client.status(name).tasks, deadline, f"{name} still has tasks", sleep, clock)
        _until(lambda: _without_offsets(client, name), deadline, f"{name} keeps its position", sleep, clock)
    _drop_lost_slot(source, slot_name(provider))


def _without_offsets(client: ConnectClient, name: str) -> bool:
    """Delete the position; Connect refuses while a worker does not know yet that the tasks have ended."""
    try:
        client.reset_offsets(name)
    except ConnectRefused:
        return False
    return not client.offsets(name)


def _drop_lost_slot(source: CaptureSource, slot: str) -> None:
    with closing(open_source(source)) as connection:
        connection.autocommit = True
        if any(report.name == slot and report.is_gap for report in slot_report(connection)):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_drop_replication_slot(%s)", (slot,))


def _until(
    condition: Callable[[], bool],
    deadline: float,
    otherwise: str,
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> None:
    while not condition():
        if clock() > deadline:
            raise CaptureDoesNotStop(f"{otherwise}; `govbus logs connect` says why")
        sleep(_LOOK_S)
