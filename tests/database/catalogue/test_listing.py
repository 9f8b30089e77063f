"""Entries are found by what people type, listed page by page without a gap, and counted by what they say."""

from dataclasses import replace

import pytest

from services.control.catalogue.entry import Department
from services.control.catalogue.lifecycle import Action, Actor, Role, State
from services.control.catalogue.vocabulary import Cycle, OpenType
from services.control.store.catalogue.listing import (
    Count,
    Cursor,
    Facet,
    Page,
    Question,
    count,
    facets,
    page,
    wanted,
)
from services.control.store.catalogue.loading import load
from services.control.store.catalogue.steps import Asked, edit_entry, open_entry, take_step
from services.control.store.database import ControlDatabase
from services.control.store.errors import BeginAnew
from services.control.store.ids import new_id
from tests.support.catalogue import CODES, COMPLETE, entry, item
from tests.support.stored_catalogue import CLERK, RULES, WHEN, brought, done, loading, numbered, opened

MARKET = Department("市场监督管理局", CODES[1])
COMPANIES = numbered(
    2,
    name="企业登记信息",
    provider=MARKET,
    summary="登记",
    items=(item(name="经营范围"),),
    name_en="Companies",
)
ADDRESSES = numbered(3, name="地址编码", summary="门牌", items=(item(name="居住地址"),))


@pytest.fixture
def filled(control_database: ControlDatabase) -> ControlDatabase:
    with control_database.begin() as connection:
        load(connection, [COMPLETE, COMPANIES, ADDRESSES], loading())
    return control_database


def ask(database: ControlDatabase, question: Question, limit: int = 50, after: Cursor | None = None) -> Page:
    with database.begin() as connection:
        return page(connection, question, limit, after)


def names(database: ControlDatabase, words: str) -> list[str]:
    return [each.name for each in ask(database, Question(words, published_only=False)).entries]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("居住证", ["居住证办理信息"]),
        ("居住", ["居住证办理信息", "地址编码"]),
        ("住", ["居住证办理信息", "地址编码"]),
        ("jzz", ["居住证办理信息"]),
        ("ＪＺＺ", ["居住证办理信息"]),
        ("qydj", ["企业登记信息"]),
        ("jyfw", ["企业登记信息"]),
        ("companies", ["企业登记信息"]),
        ("市场 登记", ["企业登记信息"]),
        ("登记 市场监督", ["企业登记信息"]),
        ("证件号码", ["居住证办理信息"]),
        ("3013205/000002", ["企业登记信息"]),
        ("居住证-办理", ["居住证办理信息"]),
        ("证居", []),
        ("居住 企业", []),
        ("户籍", []),
        ("100%", []),
        ("_", ["居住证办理信息", "企业登记信息", "地址编码"]),
    ],
)
def test_entries_are_found_by_what_people_type(words: str, found: list[str], filled: ControlDatabase) -> None:
    assert names(filled, words) == found


def test_the_best_match_comes_first(control_database: ControlDatabase) -> None:
    named = ["人口信息", "常住人口信息", "人口", "企业登记信息"]
    with control_database.begin() as connection:
        for number, name in enumerate(named, start=1):
            summary = "含人口" if name == "企业登记信息" else "摘要"
            opened(connection, numbered(number, name=name, summary=summary, items=(item(name="编号"),)))
    assert names(control_database, "人口") == ["人口", "人口信息", "常住人口信息", "企业登记信息"]
    assert names(control_database, "rk") == ["人口", "人口信息", "常住人口信息", "企业登记信息"][:3]


def test_pages_hold_every_entry_once_in_order(control_database: ControlDatabase) -> None:
    entries = [numbered(number, summary="甲" if number % 2 else "乙") for number in range(1, 48)]
    with control_database.begin() as connection:
        load(connection, entries, loading())
    for words, expected in (("", 47), ("甲", 24), ("居住证", 47)):
        question, seen, cursor = Question(words, published_only=False), [], None
        while True:
            found = ask(control_database, question, 10, cursor)
            seen += [each.code for each in found.entries]
            if (cursor := found.following) is None:
                break
            assert len(found.entries) == 10
        assert len(seen) == len(set(seen)) == expected
        assert seen == sorted(seen, key=str)


def test_a_draft_without_a_code_is_listed_after_all_others(filled: ControlDatabase) -> None:
    with filled.begin() as connection:
        opened(connection, entry(code=None, name="未编码"))
    assert names(filled, "")[-1] == "未编码"


@pytest.mark.parametrize("cursor", ["", "none", "WzEsMl0", "e30", "WzAsIngiLCJ5Il0", "\u4e00"])
def test_a_cursor_that_is_none_is_refused(cursor: str, filled: ControlDatabase) -> None:
    with pytest.raises(BeginAnew):
        ask(filled, Question(published_only=False), after=Cursor(cursor))


def test_only_what_is_published_is_seen_unless_it_is_ones_own(filled: ControlDatabase) -> None:
    assert ask(filled, Question()).entries == ()
    with filled.begin() as connection:
        brought(connection, opened(connection, numbered(9)))
    assert [each.code for each in ask(filled, Question()).entries] == [str(numbered(9).code)]
    own = ask(filled, Question(departments=frozenset({CODES[1]}))).entries
    assert [each.name for each in own] == [COMPANIES.name, numbered(9).name]
    with filled.begin() as connection:
        assert count(connection, Question()) == 1
        assert facets(connection, Question(), [Facet.STATE]) == {Facet.STATE: [Count("published", 1)]}


def test_a_list_shows_what_is_published_while_a_draft_is_on_its_way(
    control_database: ControlDatabase,
) -> None:
    with control_database.begin() as connection:
        published = brought(connection, opened(connection))
        revised = done(take_step(connection, published, Action.REVISE, Asked(CLERK, WHEN, "改名"), RULES))
        draft = replace(revised.dossier.versions[-1].entry, name="暂住登记信息")
        done(edit_entry(connection, revised, draft, Asked(CLERK, WHEN)))
    (shown,) = ask(control_database, Question()).entries
    assert (shown.name, shown.state, shown.published, shown.newest) == (COMPLETE.name, State.DRAFT, 1, 2)
    assert ask(control_database, Question("暂住")).entries == ()


def test_what_is_withdrawn_is_no_longer_seen_by_others(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        published = brought(connection, opened(connection))
        done(take_step(connection, published, Action.WITHDRAW, Asked(CLERK, WHEN, "停用"), RULES))
    assert ask(control_database, Question()).entries == ()


def test_facets_count_as_if_nothing_of_them_were_chosen(control_database: ControlDatabase) -> None:
    market = Actor("clerk", Role.PROVIDER, CODES[1])
    with control_database.begin() as connection:
        for number in (1, 2, 3):
            opened(connection, numbered(number, update_cycle=Cycle.DAILY))
        opened(connection, numbered(4, update_cycle=Cycle.YEARLY))
        companies = replace(COMPANIES, code=numbered(5).code, update_cycle=Cycle.YEARLY)
        open_entry(connection, new_id(WHEN), companies, Asked(market, WHEN))
        chosen = {Facet.UPDATE_CYCLE: frozenset({"yearly"})}
        question = Question(chosen=chosen, published_only=False)
        assert count(connection, question) == 2
        found = facets(connection, question, [Facet.UPDATE_CYCLE, Facet.PROVIDER, Facet.OPEN_TYPE])
    assert found == {
        Facet.UPDATE_CYCLE: [Count("daily", 3), Count("yearly", 2)],
        Facet.PROVIDER: [Count(CODES[0], 1, "公安局"), Count(CODES[1], 1, MARKET.name)],
        Facet.OPEN_TYPE: [Count(OpenType.NOT_OPEN.value, 2)],
    }


def test_several_values_of_a_facet_and_several_facets(filled: ControlDatabase) -> None:
    both = Question(chosen={Facet.PROVIDER: frozenset({CODES[0], CODES[1]})}, published_only=False)
    neither = Question(
        chosen={Facet.PROVIDER: frozenset({CODES[1]}), Facet.STATE: frozenset({"published"})},
        published_only=False,
    )
    assert len(ask(filled, both).entries) == 3
    assert ask(filled, neither).entries == ()


def test_words_are_compared_as_they_stand_in_texts() -> None:
    assert wanted(" 居住证　ＪＺＺ - ") == ("居住证", "jzz")
