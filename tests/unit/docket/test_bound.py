"""A case is bound to values with their sources: kept and read back, and deciding what the packs decided."""

import json
from datetime import date
from pathlib import Path

import pytest

from services.control.cases.words import Batch, Decides, Unconditional
from services.control.catalogue.vocabulary import Grade
from services.control.clocks.merge import in_words, merge
from services.control.docket.bound import REPLY, SUPPLY, bound, bound_document, bound_of, with_pack
from services.control.docket.written import UnknownForm
from tests.support.desk import COUNTY, PACKS, policy
from tests.unit.clocks.written_packs import errors, pack, policy_of

ALL = ("national-2025", "province-sample-2024", "jiyuan-2022", "county-template-2021", "department-sample")


def test_a_policy_comes_back_as_it_was_with_its_digest() -> None:
    made = policy(*ALL)
    kept = bound_of(json.loads(json.dumps(bound_document(made))))
    assert kept == made
    assert kept.digest == made.digest


def test_another_value_or_another_ruler_makes_another_digest() -> None:
    digests = {
        policy("yanjin-2019").digest,
        policy("jiyuan-2022").digest,
        policy("yanjin-2019", levels=("council",)).digest,
        COUNTY.digest,
    }
    assert len(digests) == 4


@pytest.mark.requirement("A6-06")
def test_what_is_kept_decides_what_the_packs_decide() -> None:
    packs = merge([PACKS[each] for each in ALL], date(2026, 1, 5))
    kept = bound_of(bound_document(bound(packs)))
    for key in packs.values:
        for facts in packs.situations(key):
            found = [in_words(each.given) for each in kept.decide(key, facts)]
            assert found == [in_words(each.given) for each in packs.decide(key, facts)], key


@pytest.mark.requirement("C2", "C3", "C10")
@pytest.mark.parametrize(
    ("packs", "rule", "value"),
    [
        (("yanjin-2019",), "precheck", False),
        (("province-sample-2024",), "precheck", True),
        (("yanjin-2019",), "decides", Decides.PROVIDER),
        (("jiyuan-2022",), "decides", Decides.AUTHORITY),
        (("national-2025",), "decides", Decides.PROVIDER),
        (("bengbu-2017",), "unconditional", Unconditional.FILE_AND_COMMIT),
        (("national-2025",), "unconditional", Unconditional.AUTO),
        (("county-template-2021",), "batch", Batch.ALLOWED),
        (("national-2025",), "batch", Batch.LAST_RESORT),
        (("national-2025",), "dispute_levels", ("data_bureau", "council")),
    ],
)
def test_the_packs_set_the_rules_of_a_case(packs: tuple[str, ...], rule: str, value: object) -> None:
    assert getattr(policy(*packs).rules({}), rule) == value


def test_another_pack_stands_in_for_the_one_of_its_level_only() -> None:
    other = with_pack(COUNTY, PACKS["county-template-2021"])
    assert [each.id for each in other.packs] == ["national-2025", "county-template-2021"]
    assert [in_words(each.given) for each in COUNTY.decide(REPLY, {})] == ["5 working days"]
    assert [in_words(each.given) for each in other.decide(REPLY, {})] == ["10 working days"]
    assert other.decide(SUPPLY, {}) == COUNTY.decide(SUPPLY, {})


def test_a_policy_of_another_form_is_not_guessed_at() -> None:
    with pytest.raises(UnknownForm):
        bound_of({**bound_document(COUNTY), "form": 2})


@pytest.mark.requirement("A3-11")
@pytest.mark.parametrize("key", ["grade.masked_from", "grade.checked_from"])
@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ({}, None),
        ({"national": "core"}, Grade.CORE),
        ({"national": "core", "city": "important"}, Grade.IMPORTANT),
        ({"national": "important", "county": "core"}, Grade.IMPORTANT),
        ({"city": "core", "county": "important", "department": "general"}, Grade.GENERAL),
        ({"province": "general", "department": "core"}, Grade.GENERAL),
    ],
)
def test_of_several_layers_the_lowest_grade_counts_whoever_names_it(
    tmp_path: Path, key: str, given: dict[str, str], counts: Grade | None
) -> None:
    packs = [pack(level, {key: {"choice": grade}}) for level, grade in given.items()]
    other = pack("province", {"modes.batch": {"choice": "allowed"}})
    made = bound(policy_of(tmp_path, *(packs if given else [other])))
    rules = bound_of(json.loads(json.dumps(bound_document(made)))).rules({})
    found = {"grade.masked_from": rules.masked_from, "grade.checked_from": rules.checked_from}
    assert found == {**dict.fromkeys(found), key: counts}


def test_a_pack_names_a_grade_of_the_catalogue_and_no_other(tmp_path: Path) -> None:
    (said,) = errors(tmp_path, pack("city", {"grade.masked_from": {"choice": "secret"}}))
    assert "core, important, general" in said
