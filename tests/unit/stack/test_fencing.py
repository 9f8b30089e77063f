"""Whether a broker that does not run any more still leads, by what the controller's log says."""

import subprocess
from pathlib import Path

import psutil
import pytest

from services.stack.errors import ReadComponentLog
from services.stack.fencing import OVERRIDES, await_fence, may_lead

SCRIPT = Path(__file__).parents[3] / "services/stack/compose-entry.sh"


def change(fenced: int, broker: int = 1, epoch: int = 0x0A11) -> bytes:
    """The record as Kafka 4.3 writes it: frame, type 17, version 0, broker, epoch, one tag."""
    return (
        b"\x01\x11\x00"
        + broker.to_bytes(4, "big")
        + epoch.to_bytes(8, "big")
        + b"\x01\x00\x01"
        + fenced.to_bytes(1, "big", signed=True)
    )


FENCED, LEADS = change(1), change(-1)
SHUTTING_DOWN = b"\x01\x11\x01" + change(1)[3:15] + b"\x01\x01\x01\x01"


def data(folder: Path, *segments: bytes) -> Path:
    log = folder / "__cluster_metadata-0"
    log.mkdir()
    for number, segment in enumerate(segments):
        (log / f"{number * 1000:020d}.log").write_bytes(segment)
    return folder


@pytest.mark.parametrize(
    ("segments", "leads"),
    [
        ((), False),
        ((b"noise " + LEADS + b" noise",), True),
        ((LEADS + b"noise" + FENCED,), False),
        ((FENCED + LEADS,), True),
        ((LEADS + SHUTTING_DOWN,), True),
        ((LEADS + change(1, broker=2),), True),
        ((LEADS, b"noise" + FENCED), False),
        ((FENCED, LEADS), True),
        ((FENCED, b"noise"), False),
        # So old that it does not tell any more: starting and stopping would be in it.
        ((b"noise",), True),
    ],
)
def test_the_last_change_of_the_broker_decides(
    tmp_path: Path, segments: tuple[bytes, ...], leads: bool
) -> None:
    folder = data(tmp_path, *segments)
    assert may_lead(folder) is leads
    asked = subprocess.run(
        ["/bin/bash", SCRIPT, "may-lead"], env={"PATH": "/usr/bin:/bin", "GOVBUS_KAFKA_DATA": str(folder)}
    )
    assert (asked.returncode == 0) is leads, "the container's entry script judges alike"


def test_a_controller_that_does_not_fence_in_time_stops_the_start(tmp_path: Path) -> None:
    folder, log = data(tmp_path, LEADS), tmp_path / "kafka.log"
    log.write_text("why it did not\n")
    with pytest.raises(ReadComponentLog, match="why it did not"):
        await_fence(psutil.Process(), folder, log, timeout_s=0.0)


def test_a_controller_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    folder, log = data(tmp_path, LEADS), tmp_path / "kafka.log"
    log.write_text("refused its configuration\n")
    with subprocess.Popen(["/bin/sleep", "60"]) as child:
        controller = psutil.Process(child.pid)
        child.kill()
        child.wait()
        with pytest.raises(ReadComponentLog, match="refused its configuration"):
            await_fence(controller, folder, log, timeout_s=60.0)


def test_the_container_fences_with_the_same_settings() -> None:
    script = SCRIPT.read_text("utf-8")
    for override in OVERRIDES:
        name, _, value = override.partition("=")
        wanted = "$controller" if "{host}" in value else value
        assert f"{name}={wanted}" in script
