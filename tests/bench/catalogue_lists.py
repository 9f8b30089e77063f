"""How long lists and searches of a large catalogue take: generated entries in a real PostgreSQL of its own.

Run by hand: ``python -m tests.bench.catalogue_lists [ENTRIES] [ROUNDS]``. It prints milliseconds as JSON.
A list is what a page needs: its entries, how many there are, and every facet.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from statistics import median, quantiles
from typing import Any, Final

from sqlalchemy import Connection, text

from services.control.catalogue.entry import (
    Department,
    Entry,
    EntryItem,
    Format,
    Opening,
    ResourceCode,
    Sharing,
)
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.vocabulary import (
    Cycle,
    FormatClass,
    Grade,
    ItemType,
    OpenType,
    ResourceClass,
    Sensitivity,
    ShareMode,
)
from services.control.store.catalogue.listing import Facet, Question, count, facets, page
from services.control.store.catalogue.loading import Loaded, Loading, load
from services.control.store.ids import new_id
from services.control.store.migrate import migrate
from services.demo.numbers import credit_code
from tests.database_fixture import DatabaseOnly
from tests.support.catalogue import COMPLETE

WHEN: Final = datetime(2026, 11, 26, tzinfo=UTC)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SUBJECTS: Final = _words(
    "人口 户籍 婚姻 企业 个体工商户 社会组织 不动产 土地 房屋 车辆 驾驶人 医疗机构 药品 食品 学校 "
    "学籍 教师 养老 社会保险 公积金 低保 残疾人 就业 劳动合同 税务 发票 财政 预算 水利 气象 环境 "
    "排污 林业 农田 粮食 电力 燃气 公交 道路 桥梁 安全生产 消防 灾害 信用 处罚 许可 招标 采购 档案 文物"
)
_OBJECTS: Final = _words(
    "登记 备案 许可 变更 注销 年检 检查 处罚 缴费 发放 统计 监测 评价 名录 证照 位置 台账 申报"
)
_ITEMS: Final = _words(
    "证件号码 姓名 名称 统一社会信用代码 地址 联系方式 登记日期 有效期 状态 类别 金额 面积 数量 经度 "
    "纬度 主管部门 区划代码 备注 编号 等级"
)
_QUESTIONS: Final = {
    "two characters, frequent": "登记",
    "two characters, rare": "文物",
    "three characters": "不动产",
    "a whole name": "不动产登记信息",
    "initials": "bdcdj",
    "two words": "社会保险 缴费",
    "one character": "水",
    "found nowhere": "航空母舰",
}


def generated(number: int, chance: random.Random) -> Iterator[Entry]:
    """So many valid entries of sixty departments, with eight to sixteen items each."""
    providers = [Department(f"第{index}局", credit_code(chance)) for index in range(60)]
    for each in range(1, number + 1):
        subject, object_ = chance.choice(_SUBJECTS), chance.choice(_OBJECTS)
        names = chance.sample(_ITEMS, chance.randint(8, 16))
        yield replace(
            COMPLETE,
            code=ResourceCode("3", f"{each % 40:02}", f"{each % 300:03}", "", f"{each:06}"),
            name=f"{subject}{object_}信息{each}",
            provider=chance.choice(providers),
            summary=f"{subject}{object_}的{'、'.join(names)}，由各区县汇总上报，用于{chance.choice(_SUBJECTS)}管理",
            form=Format(FormatClass.DATABASE, "PostgreSQL"),
            items=tuple(
                EntryItem(name, ItemType.TEXT, 50, "", index == 0, Sensitivity.NONE, Grade.GENERAL)
                for index, name in enumerate(names)
            ),
            sharing=Sharing(mode=chance.choice((ShareMode.DATABASE, ShareMode.INTERFACE))),
            opening=Opening(OpenType.UNCONDITIONAL),
            update_cycle=chance.choice(tuple(Cycle)),
            resource_class=ResourceClass.DEPARTMENT,
        )


def measured(rounds: int, ask: Callable[[], object]) -> dict[str, float]:
    """Median, 95th percentile and longest of so many rounds, in milliseconds; the first is not counted."""
    ask()
    took = []
    for _ in range(rounds):
        begin = time.perf_counter()
        ask()
        took.append((time.perf_counter() - begin) * 1000)
    return {
        "median": round(median(took), 1),
        "p95": round(quantiles(took, n=20)[-1], 1),
        "longest": round(max(took), 1),
    }


def listed(connection: Connection, question: Question, deep: bool = False) -> None:
    """What a page of a list needs."""
    found = page(connection, question)
    if deep and found.following is not None:
        page(connection, question, after=found.following)
    count(connection, question)
    facets(connection, question)


def measure(connection: Connection, rounds: int) -> dict[str, Any]:
    """All figures."""
    chosen = {Facet.UPDATE_CYCLE: frozenset({"daily", "weekly"}), Facet.STATE: frozenset({"draft"})}
    lists = {"first page": Question(published_only=False), "by facets": Question("", chosen, False)}

    def asked(question: Question, deep: bool) -> dict[str, float]:
        return measured(rounds, lambda: listed(connection, question, deep))

    return {
        "list": {name: asked(question, True) for name, question in lists.items()},
        "search": {name: asked(Question(words, {}, False), False) for name, words in _QUESTIONS.items()},
    }


def main(number: int, rounds: int) -> None:
    """Fill a database of its own, measure, and remove it."""
    server = DatabaseOnly()
    try:
        server.up()
        with server.opened() as database:
            migrate(database)
            entries = list(generated(number, random.Random(7)))  # noqa: S311 - made-up data
            begin = time.perf_counter()
            with database.begin() as connection:
                done = load(connection, entries, Loading("bench", WHEN, "bench", CatalogueRules(), new_id))
            took = time.perf_counter() - begin
            if not isinstance(done, Loaded):
                raise SystemExit(f"the generated entries are wrong: {done.clashes[:3]}")
            with database.begin() as connection:
                connection.execute(text("ANALYZE"))
            with database.begin() as connection:
                figures = measure(connection, rounds)
        answer = {"entries": number, "rounds": rounds, "import_s": round(took, 1)}
        sys.stdout.write(json.dumps({**answer, **figures}, ensure_ascii=False, indent=1) + "\n")
    finally:
        server.reset()
        rmtree(Path(server.settings.home), ignore_errors=True)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [10_000, 100][len(given) :]))
