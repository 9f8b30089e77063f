"""Every text about packs, calendars and the bus that the API shows exists in Chinese."""

from datetime import date
from pathlib import Path

import pytest

from services.api.said import OF_FILES, problem_in
from services.api.said_of_texts import in_chinese
from services.control.cases.words import Problem
from services.control.catalogue.vocabulary import Language
from services.control.clocks.calendar_file import CalendarInvalid, packaged_years, parse_year
from services.control.clocks.merge import CorrectPacks, merge
from services.control.clocks.pack_file import PacksInvalid, packaged_packs, parse_pack

PACK = (packaged_packs() / "yanjin-2019.yaml").read_text(encoding="utf-8")
YEAR = next(iter(sorted(Path(packaged_years()).glob("2026.csv")))).read_text(encoding="utf-8")
HEAD = "date,kind,name,year\n"
STAGE = "      - {name: reply, obliged: provider, starts_on: request_received"
CLOCK = (
    "id: x-1\ntitles: {zh: 甲, en: a}\nlevel: city\nversion: 1\nstanding: draft\neffective_from: null\n"
    "documents:\n  m: 文件\nvalues:\n  clocks.subscription.provider_reply:\n"
    "    source: {document: m, article: 第一条}\n    stages:\n"
)
VALUE = CLOCK.split("  clocks.")[0]
SOURCE = "    source: {document: m, article: 第一条}\n"
CALENDARS = (
    "x,y\n",
    HEAD + "2026-01-01,holiday,元旦,soon\n",
    YEAR + "2026-01-01,holiday,元旦,2026\n",
    YEAR + "2026-03-03,holiday\n",
    YEAR + "2026-13-03,holiday,元旦,2026\n",
    YEAR + "2028-03-03,holiday,元旦,2026\n",
    YEAR + "2026-03-03,feast,,2026\n",
    YEAR + "2026-03-03,make_up,元旦,2027\n",
    HEAD + "2026-01-01,holiday,元旦,2026\n",
)
PACKS = (
    "",
    "a: [",
    "a: &b 1\nc: *b\n",
    "a: " + "[" * 60 + "]" * 60,
    "a: 1\na: 2\n",
    "id: 1\nunknown: 2\nlevel: village\nversion: 0\nvalues: {}\ndocuments: {}\n",
    CLOCK + STAGE + "}\n",
    CLOCK + STAGE + ", working_days: 5, natural_days: 5}\n",
    CLOCK + STAGE + ", working_days: five}\n",
    CLOCK + STAGE + ", by: 13-01}\n",
    CLOCK + STAGE + ", by: 01-31, pauses_while: [returned]}\n",
    CLOCK + STAGE + ", at_once: true, pauses_while: [returned]}\n",
    CLOCK + STAGE + ", working_days: 5, remind_at: [80, 50]}\n",
    CLOCK + STAGE + ", working_days: 5}\n" + STAGE + ", working_days: 6}\n",
    CLOCK.replace("    stages:\n", "    stages: []\n"),
    CLOCK.replace("document: m, article: 第一条", "document: n") + STAGE + ", working_days: 5}\n",
    CLOCK.replace("document: m", "document: n") + STAGE + ", working_days: 5}\n",
    CLOCK.replace("    stages:\n", "    days: 5\n"),
    CLOCK.replace("    stages:\n", ""),
    VALUE + "  clocks.unknown:\n" + SOURCE + "    days: 5\n",
    VALUE + "  modes.batch:\n" + SOURCE + "    choice: never\n",
    VALUE + "  taxonomy.basic:\n" + SOURCE + "    words: []\n",
    VALUE + "  taxonomy.basic:\n" + SOURCE + "    words: [population, population, unknown]\n",
)


@pytest.mark.parametrize("text", CALENDARS)
def test_what_is_wrong_with_a_calendar_is_said_in_chinese(text: str) -> None:
    with pytest.raises(CalendarInvalid) as caught:
        parse_year(text, "2026")
    for each in caught.value.errors:
        assert in_chinese(each.problem), each.problem
        assert in_chinese(each.remedy), each.remedy


@pytest.mark.parametrize("text", PACKS)
def test_what_is_wrong_with_a_pack_is_said_in_chinese(text: str) -> None:
    with pytest.raises(PacksInvalid) as caught:
        parse_pack(text, "pack")
    for each in caught.value.errors:
        assert in_chinese(each.problem), each.problem
        assert in_chinese(each.remedy), each.remedy


def test_packs_that_make_no_policy_are_said_in_chinese() -> None:
    packs = [parse_pack(PACK, "pack"), parse_pack(PACK.replace("yanjin-2019", "other-2019"), "pack")]
    with pytest.raises(CorrectPacks) as caught:
        merge(packs, date(2026, 3, 2))
    assert in_chinese(f"{caught.value.what}; {caught.value.remedy}")


def test_what_stands_in_a_text_stays_and_what_nobody_knows_is_not_guessed() -> None:
    assert in_chinese("2026-01-01 stands there twice") == "2026-01-01 重复出现"
    assert in_chinese("some new text") is None
    assert in_chinese("已经是中文") == "已经是中文"


def test_a_line_without_chinese_words_is_still_said_in_chinese() -> None:
    problem = Problem(OF_FILES, "3: date", "some new text", "do something new")
    said = problem_in(problem, Language.ZH)
    assert (said.field, said.what, said.remedy) == ("3: date", "此处内容有误", "请更正此处")
    assert problem_in(problem, Language.EN) == problem
