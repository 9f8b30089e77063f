"""The sentences that contracts say beside what they quote from definitions, in both languages."""

from enum import StrEnum
from typing import Final

from services.control.catalogue.vocabulary import Language


class Phrase(StrEnum):
    """What is said; the facts that fill its braces stand in the wording."""

    TITLE = "title"
    DESCRIPTION = "description"
    ALL_ROWS = "all_rows"
    ROWS = "rows"
    DAYS = "days"
    ONCE = "once"
    RECORD = "record"
    WITHDRAWAL = "withdrawal"
    READ = "read"
    LOGIN = "login"
    KEY_CANONICAL = "key_canonical"
    KEY_PSEUDONYM = "key_pseudonym"
    CE_SPECVERSION = "ce_specversion"
    CE_ID = "ce_id"
    CE_SOURCE = "ce_source"
    CE_TYPE = "ce_type"
    CE_TIME = "ce_time"
    POSITION = "govbus_position"
    GRANT = "govbus_grant"
    POLICY = "govbus_policy"
    MARKS = "govbus_marks"
    CONTENT_TYPE = "content-type"
    MASK_PARTIAL = "partial"
    MASK_HASH = "hash"
    MASK_YEAR = "year"
    MASK_DISTRICT = "district"
    MASK_DROP = "drop"
    FOREIGN = "foreign"
    STOPS = "stop"
    MARKS_ONLY = "mark"
    BEFORE_MASK = "before_mask"
    READER = "reader"
    PROVIDES = "provides"
    LATENCY = "latency"
    FREQUENCY = "frequency"
    RETENTION = "retention"
    BEGINS = "begins"
    ENDS = "ends"


_P = Phrase
_SAID: Final[dict[Phrase, tuple[str, str]]] = {
    _P.TITLE: ("{resource} for {consumer}", "{resource}（提供给{consumer}）"),
    _P.DESCRIPTION: (
        "Purpose: {purpose}. Legal basis: {basis}. {rows} {days}",
        "用途：{purpose}。依据：{basis}。{rows}{days}",
    ),
    _P.ALL_ROWS: ("All records.", "全部记录。"),
    _P.ROWS: ("Only records of which {filters}.", "仅限{filters}的记录。"),
    _P.DAYS: ("In force from {start} to {end}.", "有效期自{start}至{end}。"),
    _P.ONCE: (
        "Handed out once: changes do not follow.",
        "仅一次性交付，之后的变更不再提供。",
    ),
    _P.RECORD: (
        "The full state of one record: all items of the grant, never only what changed.",
        "一条记录的完整状态：授权的全部信息项，而不只是变化的部分。",
    ),
    _P.WITHDRAWAL: (
        "No value: delete what is held under this key. The record was deleted at its source, or it left the "
        "grant.",
        "没有值：请删除该键下的数据。记录已在来源处删除，或已不在授权范围内。",
    ),
    _P.READ: (
        "Read with isolation.level=read_committed, in a group of the department's own.",
        "请以 isolation.level=read_committed 读取，并使用本部门自己的消费组。",
    ),
    _P.LOGIN: (
        "The department's own login; it stands in its credentials file and in no contract.",
        "本部门自己的账号，见凭据文件；合同中不含账号密码。",
    ),
    _P.KEY_CANONICAL: (
        "Identity and record id, which the grant shows unmasked of every record anyway.",
        "主体标识和记录编号，授权本来就不脱敏地提供全部记录的这两项。",
    ),
    _P.KEY_PSEUDONYM: (
        "A name for the record that means nothing outside this grant, so that a withdrawal names nobody.",
        "仅在本授权内有意义的代号，因此撤回记录时不会暴露任何人。",
    ),
    _P.CE_SPECVERSION: ("Version of CloudEvents.", "CloudEvents 版本。"),
    _P.CE_ID: (
        "The original change, <topic>/<partition>/<offset>; unique within its source.",
        "原始变更的坐标，<主题>/<分区>/<偏移量>，在其来源内唯一。",
    ),
    _P.CE_SOURCE: ("The resource.", "信息资源。"),
    _P.CE_TYPE: (
        "What happened to the record as far as the grant sees it.",
        "在授权范围内该记录发生了什么。",
    ),
    _P.CE_TIME: ("When the provider committed the change, in UTC.", "提供方提交变更的时间（协调世界时）。"),
    _P.POSITION: (
        "generation.incarnation.commit.ordinal, to be compared number by number: the greater one is newer.",
        "代次.实例.提交.序号，逐个按数值比较，较大者较新。",
    ),
    _P.GRANT: (
        "<grant>@<generation>; a greater generation is newer than any position of a lesser one.",
        "<授权>@<代次>；代次较大者总是较新。",
    ),
    _P.POLICY: ("The policy version that decided the delivery.", "决定本次投递的策略版本。"),
    _P.MARKS: (
        "Quality rules that the record breaks without being stopped for it, separated by commas; absent if "
        "none. Possible: {rules}.",
        "记录违反但不拦截的质量规则，以逗号分隔；没有则无此头。可能的值：{rules}。",
    ),
    _P.CONTENT_TYPE: ("Form of the value.", "值的格式。"),
    _P.MASK_PARTIAL: (
        "The first {first} and the last {last} characters are shown, each other one is *; a text no longer "
        "than that is all *.",
        "显示前 {first} 个和后 {last} 个字符，其余每个字符以 * 代替；不长于此的文本全部以 * 代替。",
    ),
    _P.MASK_HASH: (
        "32 hexadecimal characters: equal values stay equal within this grant and cannot be had back.",
        "32 位十六进制字符：同一授权内相同的值结果相同，且不可还原。",
    ),
    _P.MASK_YEAR: (
        "The year only: 1 January of a date, the first four characters of a text.",
        "仅年份：日期变为当年 1 月 1 日，文本保留前四个字符。",
    ),
    _P.MASK_DISTRICT: ("The first six characters only.", "仅前六个字符。"),
    _P.MASK_DROP: (
        "Never given: null, or empty where there is no null.",
        "不提供：为空值；不允许空值时为空文本。",
    ),
    _P.FOREIGN: (
        "Always null here: the fact belongs to {owner} and comes from its own resource.",
        "在此始终为空值：该事实归{owner}所有，由其自己的资源提供。",
    ),
    _P.STOPS: ("A record that breaks the rule is stopped.", "违反规则的记录被拦截。"),
    _P.MARKS_ONLY: (
        "A record that breaks the rule is delivered with a mark.",
        "违反规则的记录带标记投递。",
    ),
    _P.BEFORE_MASK: ("Judged before the mask.", "在脱敏之前判断。"),
    _P.READER: ("{consumer} may {right} {topic}.", "{consumer}可对 {topic} 执行 {right}。"),
    _P.PROVIDES: ("Provides the resource.", "信息资源提供方。"),
    _P.LATENCY: (
        "From the provider's commit to the bus, as the update cycle “{cycle}” promises.",
        "从提供方提交到进入总线的时间，由更新周期“{cycle}”承诺。",
    ),
    _P.FREQUENCY: ("The update cycle of the catalogue: {cycle}.", "目录中的更新周期：{cycle}。"),
    _P.RETENTION: (
        "Every record is kept at least so long; after that the newest of each key stays.",
        "每条记录至少保留这么久，此后每个键保留最新的一条。",
    ),
    _P.BEGINS: ("First day of the grant.", "授权首日。"),
    _P.ENDS: ("Last day of the grant.", "授权末日。"),
}

WORDING: Final = {
    phrase: {Language.EN: english, Language.ZH: chinese} for phrase, (english, chinese) in _SAID.items()
}


def say(phrase: Phrase, language: Language, **facts: object) -> str:
    """The sentence with its facts."""
    return WORDING[phrase][language].format(**facts)
