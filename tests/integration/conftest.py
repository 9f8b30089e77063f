"""The broker that tests of processors share, and a bus of one test's own on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.processor_bus import Bus, KafkaOnly, kafka_only, open_bus


@pytest.fixture(scope="session")
def broker() -> Iterator[KafkaOnly]:
    with kafka_only() as stack:
        yield stack


@pytest.fixture
def bus(broker: KafkaOnly, tmp_path: Path) -> Iterator[Bus]:
    with open_bus(broker, tmp_path) as bus:
        yield bus
