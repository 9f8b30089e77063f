"""Lists of words in policy packs: which bases, libraries and themes count, and how layers merge."""

from datetime import date
from pathlib import Path

import pytest

from services.control.clocks.merge import CorrectPacks, Policy, in_words, merge
from services.control.clocks.pack_file import PacksInvalid, load_packs, packaged_packs
from tests.unit.clocks.written_packs import TODAY, loaded, pack

PACKS = load_packs(packaged_packs())
DENIAL, CONDITION = "basis.deny.allowed_levels", "basis.conditional.required"
BASIC, THEME = "taxonomy.basic", "taxonomy.theme"
LAW = "law, administrative_regulation, central_policy"
LOCAL = f"{LAW}, province_policy, city_policy, county_policy"
FOUR = "population, legal_persons, natural_resources, licences"
GIVEN = [
    (DENIAL, "jiyuan-2022", LAW, "第三十二条(一)"),
    (DENIAL, "yanjin-2019", LAW, "三(一)"),
    (DENIAL, "county-template-2021", LOCAL, "第十条(一)"),
    (CONDITION, "jiyuan-2022", "required", "第三十二条(一)"),
    (CONDITION, "county-template-2021", "not_required", "第十条(一)"),
    (BASIC, "county-template-2021", FOUR, "第十条(二)"),
    (BASIC, "jiyuan-2022", f"{FOUR}, social_credit", "第三十二条(二)"),
    (BASIC, "bengbu-2017", f"{FOUR}, macro_economy", "第五条"),
]


def merged(*names: str, on: date = TODAY) -> Policy:
    return merge([PACKS[name] for name in names], on)


@pytest.mark.parametrize(("key", "name", "value", "article"), GIVEN)
@pytest.mark.requirement("C5", "C6", "C14")
def test_what_a_catalogue_accepts_is_a_value_with_its_article(
    key: str, name: str, value: str, article: str
) -> None:
    (decided,) = merged(name).decide(key)
    assert (in_words(decided.given), decided.given.source.article) == (value, article)


@pytest.mark.requirement("C5", "C6")
@pytest.mark.parametrize("lower", ["county-template-2021", "yanjin-2019"])
def test_a_lower_layer_may_accept_less_as_a_basis_and_never_more(lower: str) -> None:
    (levels,) = merged("jiyuan-2022", lower).decide(DENIAL)
    assert (levels.given.pack, in_words(levels.given)) == ("jiyuan-2022", LAW)
    (needed,) = merged("jiyuan-2022", lower).decide(CONDITION)
    assert needed.given.content == "required"
    (levels,) = merged("bengbu-2017", lower).decide(DENIAL)
    assert levels.given.pack == lower


@pytest.mark.requirement("C14", "C15")
def test_libraries_and_themes_are_those_of_the_lowest_layer_that_names_some() -> None:
    (themes,) = merged("jiyuan-2022", "yanjin-2019").decide(THEME)
    (upper,) = merged("jiyuan-2022").decide(THEME)
    assert isinstance(themes.given.content, tuple)
    assert isinstance(upper.given.content, tuple)
    assert set(upper.given.content) - set(themes.given.content) == {"credit_system"}
    (basic,) = merged("bengbu-2017", "county-template-2021").decide(BASIC)
    assert in_words(basic.given) == FOUR


def test_lists_of_which_neither_holds_the_other_make_no_policy(tmp_path: Path) -> None:
    packs = loaded(
        tmp_path,
        pack("city", {DENIAL: {"words": ["law", "local_rule"]}}),
        pack("county", {DENIAL: {"words": ["law", "county_policy"]}}),
    )
    with pytest.raises(CorrectPacks, match="neither fewer than the other") as caught:
        merge(packs.values(), TODAY)
    assert caught.value.remedy == "let one of the two hold the other"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"words": []}, "is empty"),
        ({"words": ["law", "moon"]}, "'moon' is no choice here"),
        ({"words": ["law", "law"]}, "law is given twice"),
        ({"choice": "law"}, "has choice, but is a list"),
    ],
)
def test_a_list_is_checked_word_by_word(tmp_path: Path, content: dict[str, object], problem: str) -> None:
    with pytest.raises(PacksInvalid, match=problem):
        loaded(tmp_path, pack("city", {DENIAL: content}))
