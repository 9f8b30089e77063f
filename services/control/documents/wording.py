"""The words of a case's documents in both languages: titles, labels, undertakings, states and modes."""

from enum import StrEnum
from typing import Final

from services.control.cases.words import DeliveryMode, State
from services.control.catalogue.vocabulary import Language


class Kind(StrEnum):
    """Which document (requirement A8-08)."""

    COMMITMENT = "commitment"
    """承诺书"""
    FILING = "filing"
    """备案表"""


class Label(StrEnum):
    """What stands before a fact."""

    CASE = "case"
    FILING_NUMBER = "filing_number"
    STATE = "state"
    SUBMITTED = "submitted"
    APPLICANT = "applicant"
    PROVIDER = "provider"
    RESOURCE = "resource"
    CODE = "code"
    SHARE_TYPE = "share_type"
    SHARE_BASIS = "share_basis"
    SCENARIO = "scenario"
    BASIS = "basis"
    ITEMS = "items"
    ROWS = "rows"
    MODE = "mode"
    BATCH = "batch"
    DAYS = "days"
    COMMITTED = "committed"
    GIVEN_ITEMS = "given_items"
    GIVEN_ROWS = "given_rows"
    GIVEN_DAYS = "given_days"


class Phrase(StrEnum):
    """Words that are no label."""

    ALL_ROWS = "all_rows"
    DAYS = "days"
    MASKED = "masked"
    YES = "yes"
    NO = "no"
    UNDERTAKES = "undertakes"
    SIGNATURE = "signature"
    SEAL = "seal"
    DATE = "date"
    DIGEST = "digest"
    RECOGNISED = "recognised"


_ZH, _EN = Language.ZH, Language.EN
_L, _P = Label, Phrase

TITLES: Final = {
    Kind.COMMITMENT: {_EN: "Commitment to the use of shared data", _ZH: "政务数据共享使用承诺书"},
    Kind.FILING: {_EN: "Filing form for the use of shared data", _ZH: "政务数据共享使用备案表"},
}

_LABELS: Final[dict[Label, tuple[str, str]]] = {
    _L.CASE: ("Case", "申请编号"),
    _L.FILING_NUMBER: ("Filing number", "备案编号"),
    _L.STATE: ("State", "办理状态"),
    _L.SUBMITTED: ("Submitted", "提交时间"),
    _L.APPLICANT: ("Applying department", "申请部门"),
    _L.PROVIDER: ("Providing department", "提供部门"),
    _L.RESOURCE: ("Resource", "信息资源名称"),
    _L.CODE: ("Resource code", "信息资源代码"),
    _L.SHARE_TYPE: ("Share type", "共享类型"),
    _L.SHARE_BASIS: ("Basis of the share type", "共享依据"),
    _L.SCENARIO: ("Scenario of use", "应用场景"),
    _L.BASIS: ("Duty basis", "履职依据"),
    _L.ITEMS: ("Items", "信息项"),
    _L.ROWS: ("Records", "数据范围"),
    _L.MODE: ("Mode of delivery", "共享方式"),
    _L.BATCH: ("Why batch delivery", "采用批量方式的理由"),
    _L.DAYS: ("Period", "使用期限"),
    _L.COMMITTED: ("Commitment acknowledged", "是否已承诺"),
    _L.GIVEN_ITEMS: ("Items given", "核准的信息项"),
    _L.GIVEN_ROWS: ("Records given", "核准的数据范围"),
    _L.GIVEN_DAYS: ("Period given", "核准的使用期限"),
}
LABELS: Final = {label: {_EN: english, _ZH: chinese} for label, (english, chinese) in _LABELS.items()}

_PHRASES: Final[dict[Phrase, tuple[str, str]]] = {
    _P.ALL_ROWS: ("All records", "全部记录"),
    _P.DAYS: ("{start} to {end}", "{start} 至 {end}"),
    _P.MASKED: ("{item} (masked: {mask})", "{item}（脱敏：{mask}）"),
    _P.YES: ("Yes", "是"),
    _P.NO: ("No", "否"),
    _P.UNDERTAKES: ("{applicant} undertakes:", "{applicant}承诺："),
    _P.SIGNATURE: ("Signature of the head of the department", "部门负责人签字"),
    _P.SEAL: ("Seal of the department", "部门盖章"),
    _P.DATE: ("Date", "日期"),
    _P.DIGEST: ("Digest of the content (SHA-256)", "内容校验码（SHA-256）"),
    _P.RECOGNISED: (
        "Made from case {case} as it stood after its event {event}. Whoever has the case can make the "
        "document again and compare the digest.",
        "根据申请 {case} 第 {event} 个事件后的内容生成。持有该申请的部门可重新生成本文件并核对校验码。",
    ),
}
PHRASES: Final = {phrase: {_EN: english, _ZH: chinese} for phrase, (english, chinese) in _PHRASES.items()}

UNDERTAKINGS: Final[dict[Language, tuple[str, ...]]] = {
    _EN: (
        "to use the data only for the scenario and the duty that are named above;",
        "not to give the data to a third party, in whatever form, unless the rules allow it and those "
        "consent whose consent they demand;",
        "not to publish the data without the consent of the providing department;",
        "not to use the data for paid services or any commercial purpose;",
        "not to combine the data with other data into something secret or sensitive;",
        "to manage and log the use of the data throughout, and to let it be audited;",
        "to report it when the duty ends, and to use the data no longer than the period that is named above.",
    ),
    _ZH: (
        "仅将数据用于上述应用场景和履职需要；",
        "不以任何形式向第三方提供数据，但规定允许并取得规定所要求的同意的除外；",
        "未经提供部门同意，不公开发布数据；",
        "不将数据用于社会有偿服务或任何商业用途；",
        "不将数据与其他数据汇聚、关联形成涉密或敏感信息；",
        "对数据使用实行全过程管理并留存日志，接受审计；",
        "履职需要终止时及时报告，且不超出上述使用期限使用数据。",
    ),
}
"""Requirements A8-01, A8-02, A8-03, A8-04, A8-06, A8-07; the last one is the period of the case."""

_STATES: Final[dict[State, tuple[str, str]]] = {
    State.DRAFT: ("Draft", "草稿"),
    State.SUBMITTED: ("Submitted", "已提交"),
    State.PRECHECK: ("In pre-check", "预审中"),
    State.DECIDING: ("Being decided", "审核中"),
    State.RETURNED: ("Returned for supplement", "退回补正"),
    State.APPROVED: ("Approved", "已同意"),
    State.REFUSED: ("Refused", "不同意"),
    State.NEGOTIATING: ("Being negotiated", "协商中"),
    State.ESCALATED: ("Escalated", "已提请裁决"),
    State.REFUSED_FINALLY: ("Refused by a ruling", "裁决不予共享"),
    State.PROVISIONING: ("Being provisioned", "开通中"),
    State.ACTIVE: ("Active", "使用中"),
    State.SUSPENDED: ("Suspended", "已暂停"),
    State.TERMINATED: ("Terminated", "已终止"),
    State.EXPIRED: ("Expired", "已到期"),
    State.WITHDRAWN: ("Withdrawn", "已撤回"),
}
STATES: Final = {state: {_EN: english, _ZH: chinese} for state, (english, chinese) in _STATES.items()}

_MODES: Final[dict[DeliveryMode, tuple[str, str]]] = {
    DeliveryMode.SUBSCRIBE: ("Subscription", "实时订阅"),
    DeliveryMode.QUERY: ("Query", "查询"),
    DeliveryMode.VERIFICATION: ("Verification", "核验"),
    DeliveryMode.BATCH: ("Batch, handed out once", "批量交换（一次性）"),
}
MODES: Final = {mode: {_EN: english, _ZH: chinese} for mode, (english, chinese) in _MODES.items()}


def say(phrase: Phrase, language: Language, **facts: object) -> str:
    """The phrase with its facts."""
    return PHRASES[phrase][language].format(**facts)
