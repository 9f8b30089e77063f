"""How long apply waits for processors."""

from pathlib import Path

from services.control.settings import ApplySettings
from services.processor.settings import ProcessorSettings
from services.processor.transactions import FIRST_PATIENCE_SECONDS, GRACE_SECONDS


def test_an_instance_that_gives_up_a_hung_transaction_still_answers_before_it_is_fenced() -> None:
    processor = ProcessorSettings(group="fanout.default", data_dir=Path(), web_port=1)
    hung = max(processor.patience_s, FIRST_PATIENCE_SECONDS) + GRACE_SECONDS
    next_attempt = FIRST_PATIENCE_SECONDS + GRACE_SECONDS
    assert ApplySettings().revocation_lease_s > hung + next_attempt
