"""A provider's database fails over to a standby whose slot lags: a gap that is seen, never gone over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from producers.connect_status import Health
from services.control.recapture import forget
from services.stack.api import Stack
from tests.integration.own_capture import OwnCapture, eventually, own_capture
from tests.integration.test_continuity import fenced, raw_changes, raw_fold, table, watch_of
from tests.support.provider_server import ProviderServer, provider_server

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600), pytest.mark.requirement("A5-08")]


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with provider_server() as made:
        yield made


@pytest.fixture
def own(stack: Stack, server: ProviderServer) -> Iterator[OwnCapture]:
    """A capture of a table on a server that can fail over."""
    with own_capture(stack, "failover", rows=3, server=server) as made:
        made.start()
        eventually(lambda: made.connect.health(made.connector) is Health.RUNNING)
        eventually(lambda: set(raw_fold(made)) == {1, 2, 3})
        yield made


def standby_with_lagging_slot(own: OwnCapture, server: ProviderServer) -> ProviderServer:
    """A standby that has the rows up to here, and the capture's slot from before the last of them."""
    standby = server.standby()
    standby.start()
    # A slot on a standby begins with what runs on the primary, which says so by itself only now and then.
    eventually(lambda: server.sql("SELECT pg_log_standby_snapshot()"))
    standby.sql(f"SELECT pg_create_logical_replication_slot('{own.slot}', 'pgoutput')", own.provider)
    own.sql("INSERT INTO item (name) VALUES ('on both')")
    eventually(lambda: len(standby.sql("SELECT 1 FROM item", own.provider)) == 4)
    eventually(lambda: len(raw_fold(own)) == 4)
    standby.stop()
    return standby


def test_a_promoted_standby_with_a_lagging_slot_is_a_gap_until_the_capture_begins_anew(
    own: OwnCapture, server: ProviderServer, tmp_path: Path
) -> None:
    watch = watch_of(own, tmp_path / "continuity.json")
    assert fenced(own, watch) is None
    standby = standby_with_lagging_slot(own, server)
    own.sql("INSERT INTO item (name) SELECT 'lost with the primary' FROM generate_series(1, 50)")
    eventually(lambda: len(raw_fold(own)) == 54)
    assert fenced(own, watch) is None
    server.kill()
    promoted = standby.at(server.port)
    promoted.start()
    try:
        promoted.promote()
        # Below the position that was published last, where a capture that goes on would not look.
        own.sql("INSERT INTO item (name) VALUES ('after the failover')")
        found = eventually(lambda: fenced(own, watch))
        assert "timeline 1, the server is on 2" in found
        eventually(lambda: own.connect.health(own.connector) is Health.STOPPED)
        assert raw_fold(own) != table(own), "there was no gap: nothing was shown"

        forget(own.connect, own.provider, own.source)
        own.start(incarnation=2)
        own.connect.resume(own.connector)
        eventually(lambda: since(own, 54) == table(own))
        eventually(lambda: fenced(own, watch) is None)
        own.sql("DELETE FROM item WHERE id = 1")
        eventually(lambda: raw_changes(own)[-1][1] is None)
    finally:
        own.connect.delete(own.connector)
        promoted.kill()


def since(own: OwnCapture, first: int) -> dict[int, str]:
    """The table as the raw topic tells it from its n-th change on."""
    return {key: row["name"] for key, row in raw_changes(own)[first:] if row is not None}
