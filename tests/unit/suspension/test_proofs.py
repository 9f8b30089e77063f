"""What the ledger keeps of a stop is found by its id; a withdrawal has the shape of a suspension."""

from services.control.suspension.acts import Act, ActWord
from services.control.suspension.proofs import resumption_of, stop_proof
from services.control.suspension.receipt import Receipt
from tests.support.suspending import ORDER, MemoryBus, MemoryJournal, suspending
from tests.unit.cli.called import shape

WITHDRAWN = {
    "grant": "case-1",
    "consumer": "health",
    "resource": "population.person.v1",
    "topic": "sub.health.population.person.v1.case-1",
    "state": "revoked",
    "generation": 2,
    "policy_version": 7,
    "read_removed_ms": 1_000,
    "acknowledgements": [
        {"instance": "fanout.default.0", "version": 7, "applied_ms": 1_100, "positions": []}
    ],
    "fenced": ["fanout.default.1"],
    "cut": {"0": 12, "1": 9},
    "cut_ms": 1_900,
    "outside": "what was fetched",
}
WITHDRAWAL = Act(
    "w-case-1-2", "li", ActWord.WITHDRAW, "grant", "case-1", 1_950, "case 7: BASIS_GONE", WITHDRAWN
)
RESUMED = {"id": "r-1", "filled": {"case-1": {"records": 30, "swept": 2}}}
RESUMPTION = Act("r-1", "li", ActWord.RESUME, "grant", "case-1", 3_000, "settled", RESUMED)


def test_a_suspension_is_found_as_it_was_written() -> None:
    bus = MemoryBus()
    receipt = suspending(bus, MemoryJournal()).order(ORDER, "s-1")
    assert stop_proof([WITHDRAWAL, *bus.acts.values()], "s-1") == receipt.as_json()


def test_a_withdrawal_is_found_by_its_act_and_by_its_receipts_name_in_the_shape_of_a_suspension() -> None:
    found = stop_proof([RESUMPTION, WITHDRAWAL], "w-case-1-2")
    assert found is not None
    assert found == stop_proof([WITHDRAWAL], "case-1.2")
    shape("grant-receipt").validate(found)
    assert (found["by"], found["reason"]) == ("li", "case 7: BASIS_GONE")
    assert [held["cut"] for held in found["grants"]] == [{"0": 12, "1": 9}]
    assert found["acknowledgements"][0]["group"] == "fanout.default"
    assert Receipt.from_json(found).is_cut


def test_what_is_not_there_is_not_found_and_a_resumption_is_no_stop() -> None:
    acts = [RESUMPTION, WITHDRAWAL]
    assert stop_proof(acts, "r-1") is None
    assert stop_proof(acts, "case-1.1") is None
    assert resumption_of(acts, "r-1") == RESUMED
    assert resumption_of(acts, "w-case-1-2") is None
