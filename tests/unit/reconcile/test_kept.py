"""What a comparison left behind is read back: how it ended, and the command that mends it."""

import pytest

from services.control.store.reconciliations.kept import CLASSES, Ending, comparison
from services.control.store.reconciliations.proofs import Proof
from services.reconcile.compare import Kind
from tests.support.volumes import proof

SINK = {"grant": "g", "table": "public.person", "trouble": None, "differences": {"lost": 2}}
SILENT = SINK | {"trouble": "it cannot be read", "differences": None}


@pytest.mark.parametrize(
    ("kept", "ending", "repair"),
    [
        (proof(), Ending.EQUAL, False),
        (proof(explained=3), Ending.EXPLAINED, False),
        (proof({"lost": 1, "extra": 2}), Ending.DIFFERS, True),
        (proof(differences=2, same=False, document={"sinks": [SINK]}), Ending.DIFFERS, False),
        (proof(same=False, document={"sinks": [SILENT]}), Ending.UNCOMPARED, False),
    ],
)
def test_the_ending_and_what_mends_it_follow_from_the_figures(
    kept: Proof, ending: Ending, repair: bool
) -> None:
    found = comparison(kept)
    assert found.ending is ending
    assert found.repair == ("govbus snapshot start population.person.v1" if repair else None)
    assert found.of_sinks == (2 if SINK in kept.document["sinks"] else 0)


def test_rows_are_counted_by_class() -> None:
    found = comparison(proof({"duplicated": 4}))
    assert found.classes == {"lost": 0, "extra": 0, "different": 0, "duplicated": 4}
    assert set(CLASSES) == set(Kind)
    assert (found.ranges, found.differing_ranges) == (256, 1)
