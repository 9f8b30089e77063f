"""What is said of files and of the bus in English, in Chinese: each text by its pattern.

A text of files names lines, keys and days, so it is no fixed word; what stands in it stays as it is. A test
provokes every text of packs and calendars and demands that it is found here.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

_OF_CALENDARS: Final = {
    r"has other columns than a calendar": "列与日历文件不符",
    r"begin the file with the line (.+)": "文件首行应为 {0}",
    r"the year is missing or no year": "年份缺失或不正确",
    r"write the year of the notice into the column year of each line": "请在每行的 year 列填写通知的年份",
    r"(\S+) stands there twice": "{0} 重复出现",
    r"keep one of the two": "请保留其中之一",
    r"has (\d+) cells": "该行有 {0} 个单元格",
    r"give each line the columns (.+)": "每行应包含各列：{0}",
    r"the name is missing": "缺少名称",
    r"write which holiday it belongs to": "请写明所属的节假日",
    r"(.+) is no date": "{0} 不是日期",
    r"write it as 2027-02-06": "请写作 2027-02-06 的形式",
    r"(\S+) is a day of another year": "{0} 不属于该年度",
    r"take the line out: the notice of (\d+) is about days from (\S+) to (\S+)": (
        "请删去该行：{0} 年的通知只涉及 {1} 至 {2}"
    ),
    r"(.+) is no kind of day": "没有 {0} 这种日期类型",
    r"(\S+) is worked anyway, it is no Saturday or Sunday": "{0} 本是工作日，不是周六或周日",
    r"correct the date, or take the line out": "请更正日期，或删去该行",
    r"(.+) is another year than (\d+), which the file begins with": "{0} 与文件开头的年份 {1} 不同",
    r"put each year's notice into a file of its own": "请将每年的通知各存为一个文件",
    r"(\S+) is a holiday by law and not among the days": "{0} 是法定节假日，却不在其中",
    r"take over the whole notice, also the holidays that fall on a weekend": (
        "请录入通知全文，包括落在周末的节假日"
    ),
    r"the notice is of another year": "通知属于其他年度",
    r"name the year of the notice": "请填写通知的年份",
}
_OF_YAML: Final = {
    r"not YAML: (.+)": "不是有效的 YAML：{0}",
    r"correct the form of this line": "请更正该行的格式",
    r"alias \*(.+)": "使用了别名 *{0}",
    r"write the value out: definitions repeat rather than refer": "请写出具体内容，不使用别名",
    r"nested more than (\d+) levels deep": "嵌套超过 {0} 层",
    r"take the needless levels out": "请去掉多余的层级",
    r"(\S+) is given twice": "{0} 写了两次",
    r"the file is empty": "文件为空",
    r"write the definition, or delete the file": "请填写内容",
    r"is missing": "缺少该项",
    r"add (\S+)": "请补上 {0}",
    r"is not known here": "此处没有该项",
    r"correct its name or take it out": "请更正名称，或删去",
    r"is (.+), not text": "不是文本，而是 {0}",
    r"put the value in quotes": "请给取值加上引号",
    r"change the definition accordingly": "请据此修改",
    r"does not match (.+)": "不符合格式 {0}",
    r"correct the spelling": "请更正写法",
    r"correct the value": "请更正取值",
    r"input should be (.+)": "取值应为：{0}",
    r"(dictionary|tuple|list) should have at least (\d+) items? after validation, not (\d+)": (
        "至少应有 {1} 项，现有 {2} 项"
    ),
    r"string should have at least (\d+) characters?": "至少应有 {0} 个字符",
    r"string should have at most (\d+) characters?": "最多 {0} 个字符",
}
_OF_PACKS: Final = {
    r"has no length, not one of (.+)": "没有写明时长，应为以下之一：{0}",
    r"has (\S+(?: and \S+)*), not one of (.+)": "写了 {0}，只能是以下之一：{1}",
    r"by is (.+), not a month and day such as 01-31, or 02-last": "by 写作 {0}，应为 01-31 或 02-last 的形式",
    r"pauses_while stands beside a date, which does not wait": "固定日期不能暂停，不得写 pauses_while",
    r"at_once leaves no day: it neither waits, nor is it extended, nor counted": (
        "写了 at_once 就没有天数，不得再写暂停、延长或计入首日"
    ),
    r"remind_at does not rise": "remind_at 须由小到大且不重复",
    r"is verified and names no article: name it, or write verified: false": (
        "标明已核实却未写条款：请写明条款，或写 verified: false"
    ),
    r"there is no document (\S+) in this pack": "本策略包没有文件 {0}",
    r"name one of: (.*); or add it to documents": "请选用：{0}；或将其加入 documents",
    r"there is no key (\S+)": "没有 {0} 这个键",
    r"`govbus clock packs list` shows those that there are": "可用 `govbus clock packs list` 查看全部",
    r"has no value, but is a (\S+)": "没有取值，其类型为 {0}",
    r"has (.+), but is a (\S+)": "写了 {0}，其类型却为 {1}",
    r"give it (\w+)": "请填写 {0}",
    r"(.+) is no choice here": "{0} 不是可选取值",
    r"write (?:one|some) of: (.+)": "请选用：{0}",
    r"name (?:one|some) of: (.+)": "请选用：{0}",
    r"is empty": "为空",
    r"give it a stage": "请至少写一个阶段",
    r"(\S+) is given twice for the same facts": "{0} 在相同情形下写了两次",
    r"keep one of the two, or tell them apart by when": "请保留其一，或用 when 加以区分",
    r"a notice is given working days before": "预告须按工作日提前",
    r"(.+): version (\d+) of (\S+) is there already; write version: (\d+)": (
        "{2} 的第 {1} 版已存在；请写 version: {3}"
    ),
    r"(\S+) and (\S+) are both of the level (\S+); name one pack of each level": (
        "{0} 与 {1} 同属层级 {2}；每个层级只能选用一个策略包"
    ),
    r"(\S+): (.+) of (\S+) and (.+) of (\S+) are in different units; .+": (
        "{0}：{2} 的 {1} 与 {4} 的 {3} 单位不同；请统一单位和起算事件"
    ),
    r"(\S+): (.+) of (\S+) and (.+) of (\S+) run from different events, (\S+) and (\S+); .+": (
        "{0}：{2} 的 {1} 与 {4} 的 {3} 起算事件不同（{5}、{6}）；请统一单位和起算事件"
    ),
    r"(\S+): (.+) of (\S+) and (.+) of (\S+) take different words, neither fewer than the other; .+": (
        "{0}：{2} 的 {1} 与 {4} 的 {3} 取值不同且互不包含；请使其中一个包含另一个"
    ),
}
_OF_THE_BUS: Final = {
    r"the ledger knows no suspension(?: or withdrawal)? (\S+)": "账本中没有暂停或收回 {0}",
    r"there is no such record among those that your department received": "本部门收到的记录中没有这一条",
    r"`name` is given, or the scope is `all`": "请填写 `name`，或将 scope 写作 `all`",
    r"case (\d+) lifts what holds its grant: (POST \S+) with the action resume": (
        "该授权由申请 {0} 恢复：请以操作 resume 调用 {1}"
    ),
    r"policy version (\d+) has no grant (\S+)": "策略第 {0} 版中没有授权 {1}",
    r"grant (\S+) names (.+), which the policy has not any more": "授权 {0} 涉及的 {1} 已不在策略中",
    r"(.+) lacks (.+)": "{0} 缺少：{1}",
    r"row (\d+): (.+) does not fit into a sheet of Excel": "第 {0} 行：{1} 超出 Excel 的限制，请改用 CSV",
}


@cache
def _patterns() -> Mapping[re.Pattern[str], str]:
    known = _OF_CALENDARS | _OF_YAML | _OF_PACKS | _OF_THE_BUS
    return {re.compile(pattern, re.DOTALL): said for pattern, said in known.items()}


def in_chinese(text: str) -> str | None:
    """The text in Chinese; one that has Chinese in it stays, and of one that nobody knows None is said."""
    for pattern, said in _patterns().items():
        found = pattern.fullmatch(text)
        if found is not None:
            return said.format(*found.groups())
    return text if any("\u4e00" <= each <= "\u9fff" for each in text) else None
