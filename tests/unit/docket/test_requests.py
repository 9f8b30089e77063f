"""An order is read as it was written; one from before batches were handed out once is one all the same."""

from datetime import UTC, datetime

import pytest

from services.control.cases.words import DeliveryMode
from services.control.docket.requests import GrantRequest, Wanted
from tests.support.policy import sample_policy
from topics.event import GrantId

NOW = datetime(2026, 9, 22, 8, 0, tzinfo=UTC)
HEALTH = GrantId("health-persons-gusu")


def order(mode: DeliveryMode) -> GrantRequest:
    once = mode is DeliveryMode.BATCH
    grant = sample_policy().grants[HEALTH].grant.model_copy(update={"once": once})
    return GrantRequest("c-1", 1, 2, NOW, Wanted.PROVIDE, HEALTH, mode, grant, ("topic",))


@pytest.mark.parametrize("mode", list(DeliveryMode))
def test_an_order_is_read_as_it_was_written(mode: DeliveryMode) -> None:
    assert GrantRequest.from_document(order(mode).document, NOW) == order(mode)


def test_a_batch_of_an_older_order_is_handed_out_once() -> None:
    document = order(DeliveryMode.BATCH).document
    del document["grant"]["once"]
    assert GrantRequest.from_document(document, NOW) == order(DeliveryMode.BATCH)
