"""A block is written as the schema says that the policy's id stands for, whichever program writes it."""

from schemas.load import control_schema
from services.ledger.blocks import block_from
from services.processor.blocks import BlockDraft, BlockWriter
from tests.support.policy import CONTROL
from topics.engine.reference import ReferenceCodec
from topics.event import PolicyNumber, SchemaId, TopicName
from topics.names import LEDGER_DELIVERY
from topics.wire import split


def draft(disputes: int = 0) -> BlockDraft:
    topic = TopicName("resource.population.person.v1")
    found = BlockDraft("fanout.default", "fanout.default.0", topic, 2, 10, PolicyNumber(3), 20)
    found.disputes = disputes
    return found


def test_a_block_says_which_disputes_were_known() -> None:
    output = BlockWriter(CONTROL).output(LEDGER_DELIVERY, draft(7))
    schema_id, body = split(output.value or b"")
    record = ReferenceCodec(control_schema("DecisionBlock")).decode(body)
    assert schema_id == CONTROL.decision_block
    assert block_from(record, "ledger.delivery:0:1", 5, intake=False).disputes == 7


def test_under_a_policy_without_disputes_a_block_has_the_form_that_readers_know() -> None:
    """The id under which it is framed was registered before there was such a field."""
    schema = control_schema("DecisionBlock")
    assert schema["fields"][-1]["name"] == "disputes"
    before = ReferenceCodec({**schema, "fields": schema["fields"][:-1]})
    ids = CONTROL.model_copy(update={"dispute_change": SchemaId(0)})
    _, body = split(BlockWriter(ids).output(LEDGER_DELIVERY, draft(7)).value or b"")
    record = before.decode(body)
    assert "disputes" not in record
    assert block_from(record, "ledger.delivery:0:1", 5, intake=False).disputes == 0
