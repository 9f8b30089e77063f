"""A policy sets what the catalogue accepts; where its packs say nothing, the narrowest counts."""

import pytest

from services.control.catalogue.parameters import NATIONAL_LEVELS, CatalogueRules
from services.control.catalogue.vocabulary import BasisLevel, Library
from services.control.docket.catalogue_rules import catalogue_rules
from tests.support.desk import policy

DEFAULT = CatalogueRules()


def test_without_a_policy_and_with_packs_that_say_nothing_the_narrowest_counts() -> None:
    assert catalogue_rules(None, DEFAULT) == DEFAULT
    assert catalogue_rules(policy("national-2025"), DEFAULT) == DEFAULT


@pytest.mark.requirement("C5", "A3-03")
def test_the_packs_say_which_levels_of_basis_suffice() -> None:
    assert catalogue_rules(policy("jiyuan-2022"), DEFAULT).denial_levels == NATIONAL_LEVELS
    county = catalogue_rules(policy("county-template-2021"), DEFAULT)
    assert county.denial_levels - NATIONAL_LEVELS == {
        BasisLevel.PROVINCE_POLICY,
        BasisLevel.CITY_POLICY,
        BasisLevel.COUNTY_POLICY,
    }


@pytest.mark.requirement("C6", "A3-04")
@pytest.mark.parametrize(
    ("packs", "needs"),
    [
        (("jiyuan-2022",), True),
        (("yanjin-2019",), False),
        (("jiyuan-2022", "yanjin-2019"), True),
        (("bengbu-2017",), True),
    ],
)
def test_the_packs_say_whether_sharing_on_condition_needs_a_basis(
    packs: tuple[str, ...], needs: bool
) -> None:
    assert catalogue_rules(policy(*packs), DEFAULT).condition_needs_basis is needs


@pytest.mark.requirement("A2-07", "C4")
@pytest.mark.parametrize(
    ("packs", "filed"),
    [
        (("jiyuan-2022",), False),
        (("yanjin-2019",), True),
        (("jiyuan-2022", "yanjin-2019"), True),
        (("national-2025",), False),
    ],
)
def test_the_packs_say_whether_a_revision_is_filed(packs: tuple[str, ...], filed: bool) -> None:
    assert catalogue_rules(policy(*packs), DEFAULT).revisions_filed is filed


@pytest.mark.requirement("C14", "C15")
def test_the_packs_name_libraries_and_themes() -> None:
    county = catalogue_rules(policy("yanjin-2019"), DEFAULT)
    assert Library.SOCIAL_CREDIT in county.basic
    assert Library.MACRO_ECONOMY not in county.basic
    assert Library.CREDIT_SYSTEM not in county.themes
    assert len(county.themes) == 10
