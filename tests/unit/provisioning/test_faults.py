"""Why a step failed is a code with words in both languages; what happened in detail stands beside it."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.control.cases.provisioning import Fault
from services.control.cases.wording_of_faults import FAULTS
from services.control.fill import WaitForOperator
from services.control.provisioning.ports import CannotProvide
from services.control.provisioning.reasons import detail_of, fault_of
from services.control.suspension.bus import NoPolicyYet


def test_every_code_has_words_in_both_languages_and_no_two_say_the_same() -> None:
    assert set(FAULTS) == set(Fault)
    for chinese, english in FAULTS.values():
        assert any("一" <= letter <= "鿿" for letter in chinese)
        assert english.isascii()
    assert len(set(FAULTS.values())) == len(Fault)


@pytest.mark.parametrize(
    ("error", "fault", "detail"),
    [
        (CannotProvide("it is held by s-1", "resume it", Fault.HELD), Fault.HELD, "it is held by s-1"),
        (NoPolicyYet("the bus is away"), Fault.NO_POLICY, "the bus is away"),
        (WaitForOperator("12 of 30 would go"), Fault.SHRINKS, "12 of 30 would go"),
        (KafkaException(KafkaError(KafkaError._TIMED_OUT)), Fault.BUS_SILENT, None),
        (FileNotFoundError("receipts"), Fault.FOLDER_UNUSABLE, "receipts"),
        (KeyError("320508 王小明"), Fault.INTERNAL, "KeyError"),
        (NoPolicyYet(""), Fault.NO_POLICY, "NoPolicyYet"),
    ],
)
def test_an_error_becomes_its_code_and_a_defect_of_ours_tells_only_its_name(
    error: Exception, fault: Fault, detail: str | None
) -> None:
    assert fault_of(error) is fault
    assert detail_of(error)
    if detail is not None:
        assert detail_of(error) == detail


def test_a_detail_is_never_longer_than_a_case_shows() -> None:
    assert len(detail_of(CannotProvide("x" * 9_000, ""))) == 500
