"""Where a block says that all was withheld for a defect, deciding again would say something else."""

from services.fanout.line import DeliveryKind, GrantOutcome
from services.ledger.blocks import Block
from topics.event import WithheldReason


def as_written(block: Block, outcome: GrantOutcome) -> GrantOutcome:
    """The outcome as the block has it: a record that was stopped stands alone in its block.

    What stopped it (a processor that broke, a delivery that Kafka refused) is not part of the decision.
    """
    for count in block.grants:
        lacking = count.withheld.get(WithheldReason.INTERNAL, 0)
        if count.grant == outcome.grant and lacking and lacking == count.total:
            return GrantOutcome(
                outcome.grant, outcome.generation, DeliveryKind.WITHHELD, WithheldReason.INTERNAL
            )
    return outcome
