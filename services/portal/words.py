"""The word for every value of a closed list that a page shows, from the packages that own the lists."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from services.api.uses.task import Matter
from services.control.accounts import actions as account_actions
from services.control.accounts import roles
from services.control.accounts.decision import Refusal
from services.control.accounts.permissions import Reach
from services.control.accounts.sessions import Method
from services.control.accounts.words import said as said_of_accounts
from services.control.cases import words as of_cases
from services.control.cases.provisioning import Fault, Progress, Step
from services.control.cases.wording_of_faults import FAULTS
from services.control.catalogue import lifecycle
from services.control.catalogue.directories import Directory
from services.control.catalogue.fulfilment import Fulfilment
from services.control.catalogue.vocabulary import Language, word
from services.control.clocks import running
from services.control.clocks.pack import Level, Standing
from services.control.credential_life import Standing as CredentialStanding
from services.control.demand import wording as of_needs
from services.control.docket.report_clock import ReportDuty
from services.control.docket.requests import Wanted
from services.control.documents.wording import MODES, STATES
from services.control.epochs.state import EpochState
from services.control.evidence import wording as of_receipts
from services.control.notices.retrying import Failure
from services.control.notices.wording_of_cases import STEPS
from services.control.notices.words import Channel
from services.control.objections import wording as of_objections
from services.control.replays import wording as of_replays
from services.control.store.breaches import Kind as BreachKind
from services.control.store.catalogue import wording as of_entries
from services.control.store.notices.tables import Progress as DeliveryProgress
from services.control.store.notices.tables import Way
from services.control.store.provisioning.tables import Outcome
from services.control.store.tickets.refusals import Outcome as RefusalOutcome
from services.control.tickets import wording as of_tickets
from services.control.tracing import wording as of_traces
from services.portal import words_of_operation as of_operation
from topics.resource import ShareType

Said = tuple[str, str]
"""Chinese, English."""

_OURS: Final[Sequence[tuple[StrEnum, Said]]] = (
    (of_cases.RefusalReason.BASIS_INSUFFICIENT, ("履职依据不足", "the basis does not give the duty")),
    (of_cases.RefusalReason.PURPOSE_UNCLEAR, ("应用场景不明确", "the purpose is not clear")),
    (of_cases.RefusalReason.ITEMS_BEYOND_NEED, ("信息项超出需要", "more items than needed")),
    (of_cases.RefusalReason.ROWS_BEYOND_NEED, ("数据范围超出需要", "more records than needed")),
    (of_cases.RefusalReason.MODE_BEYOND_NEED, ("查询或核验即可满足", "a query or verification would serve")),
    (of_cases.RefusalReason.COMBINATION_RISK, ("汇聚后存在风险", "the combination would reveal too much")),
    (of_cases.RefusalReason.LAW_FORBIDS, ("法律禁止", "a law forbids it")),
    (of_cases.RefusalReason.NOT_HELD, ("本部门不掌握该数据", "the provider does not hold it")),
    (of_cases.RefusalReason.SECURITY_INADEQUATE, ("安全保障不足", "the applicant cannot keep it safe")),
    (of_cases.StopReason.UNLAWFUL_USE, ("违法使用", "unlawful use")),
    (of_cases.StopReason.BEYOND_SCOPE, ("超范围使用", "use beyond what was decided")),
    (of_cases.StopReason.RISK, ("存在安全风险", "delivery would be a risk")),
    (of_cases.StopReason.BASIS_GONE, ("依据已失效", "the basis is gone")),
    (of_cases.StopReason.NO_LONGER_NEEDED, ("不再需要", "no longer needed")),
    (
        of_cases.StopReason.RESOURCE_ENDED,
        ("目录已下线或版本已停用", "the entry was withdrawn or its version retired"),
    ),
    (of_cases.Decides.PROVIDER, ("提供部门", "the provider")),
    (of_cases.Decides.AUTHORITY, ("主管部门", "the authority")),
    (of_cases.Role.SYSTEM, ("系统", "the system")),
    (Progress.PENDING, ("待办", "pending")),
    (Progress.DONE, ("完成", "done")),
    (Progress.FAILED, ("失败", "failed")),
    (Wanted.PROVIDE, ("开通", "provision")),
    (Wanted.OPEN, ("生效", "go into force")),
    (Wanted.SUSPEND, ("暂停", "suspend")),
    (Wanted.END, ("收回", "withdraw")),
    (Outcome.OWED, ("待办", "owed")),
    (Outcome.DONE, ("完成", "done")),
    (Outcome.FAILED, ("失败", "failed")),
    (Outcome.DROPPED, ("已被取代", "overtaken")),
    (Level.NATIONAL, ("国家", "national")),
    (Level.PROVINCE, ("省级", "province")),
    (Level.CITY, ("市级", "city")),
    (Level.COUNTY, ("县级", "county")),
    (Level.DEPARTMENT, ("部门", "department")),
    (Standing.IN_FORCE, ("现行有效", "in force")),
    (Standing.PUBLISHED, ("已公布（效力未核实）", "published, validity not looked up")),
    (Standing.DRAFT, ("征求意见稿", "draft for consultation")),
    (Standing.TEMPLATE, ("示范文本", "model text")),
    (Standing.SAMPLE, ("示例", "sample")),
    (running.State.RUNNING, ("计时中", "running")),
    (running.State.DUE_SOON, ("即将到期", "due soon")),
    (running.State.PAUSED, ("暂停计时", "standing still")),
    (running.State.OVERDUE, ("已超期", "overdue")),
    (running.State.MET, ("按时办结", "done in time")),
    (running.State.MET_LATE, ("超期办结", "done late")),
    (Fulfilment.FULFILLED, ("已履行", "fulfilled")),
    (Fulfilment.STALE, ("数据未及时更新", "the data is older than it may be")),
    (Fulfilment.NO_DATA, ("已挂接，尚无数据", "mounted, and nothing ever came")),
    (Fulfilment.ITEM_MISSING, ("缺该信息项", "the data lacks this item")),
    (Fulfilment.NOT_MOUNTED, ("未挂接", "not mounted")),
    (Fulfilment.UNSEEN, ("尚未核查", "nobody has looked yet")),
    (RefusalOutcome.STANDS, ("未提请协调", "it stands")),
    (RefusalOutcome.ACCEPTED, ("提出部门已认可", "the reporter agrees")),
    (RefusalOutcome.ESCALATED, ("协调中", "before a higher body")),
    (RefusalOutcome.OVERRULED, ("裁定应予更正", "overruled: it had to be corrected")),
    (RefusalOutcome.UPHELD, ("裁定不予更正", "a ruling found the record right")),
    (RefusalOutcome.CORRECTED, ("已自行更正", "corrected after all")),
    (RefusalOutcome.WITHDRAWN, ("疑义已撤回", "the report was withdrawn")),
    (Directory.SHARE, ("共享目录", "share directory")),
    (Directory.OPEN, ("开放目录", "open directory")),
    (Directory.NOT_SHARED, ("不予共享目录", "what is not shared")),
    (BreachKind.CASE, ("共享申请", "case")),
    (BreachKind.TICKET, ("疑义数据", "problem data")),
    (BreachKind.ENTRY, ("目录审核", "review of an entry")),
    (Way.EMAIL, ("电子邮件", "e-mail")),
    (Way.WEBHOOK, ("接口回调", "webhook")),
    (Channel.INBOX, ("站内通知", "inbox")),
    (Channel.EMAIL, ("电子邮件", "e-mail")),
    (Channel.DIGEST, ("每日汇总邮件", "daily letter")),
    (Channel.WEBHOOK, ("接口回调", "webhook")),
    (DeliveryProgress.WAITING, ("待送达", "waiting")),
    (DeliveryProgress.DELIVERED, ("已送达", "delivered")),
    (DeliveryProgress.DEAD, ("已放弃", "given up")),
    (Failure.NO_ADDRESS, ("地址已停用", "the address was switched off")),
    (Failure.ADDRESS_MALFORMED, ("地址格式不正确", "it is no https address")),
    (
        Failure.ADDRESS_FORBIDDEN,
        ("地址位于不允许访问的网络", "it leads into a network that must not be reached"),
    ),
    (Failure.NAME_UNKNOWN, ("主机名无法解析", "the name has no address")),
    (Failure.UNREACHABLE, ("无法连接或未及时应答", "no connection, or no whole answer in time")),
    (Failure.TLS_REFUSED, ("加密连接失败", "no encryption, or a certificate that does not hold")),
    (Failure.LOGIN_REFUSED, ("邮件服务器拒绝登录", "the mail server refuses the login")),
    (Failure.RECIPIENT_REFUSED, ("邮件服务器拒绝该邮箱", "the mail server refuses the mailbox")),
    (Failure.SERVER_REFUSED, ("邮件服务器拒绝接收", "the mail server refuses")),
    (Failure.REDIRECTED, ("接口要求转向其他地址", "the endpoint points somewhere else")),
    (Failure.ANSWER_NOT_2XX, ("接口返回错误状态", "the endpoint answered with another status than 2xx")),
    (Failure.BROKEN, ("平台故障", "a defect of the platform")),
    (BreachKind.OBJECTION, ("开放目录异议", "objection")),
    (BreachKind.REPORT, ("年度报告", "yearly report")),
    (ReportDuty.DEPARTMENT, ("部门年度报告", "report of the department")),
    (ReportDuty.AUTHORITY, ("主管部门年度报告", "report of the authority")),
    (Matter.TO_RULE, ("待裁定", "to be ruled on")),
    (Matter.TO_MEND, ("待处理", "to be mended")),
    (CredentialStanding.GOOD, ("有效", "good")),
    (CredentialStanding.ENDS_SOON, ("即将到期", "ends soon")),
    (CredentialStanding.OVER, ("已到期", "over: it opens nothing")),
    (CredentialStanding.REPLACED, ("已更换", "replaced")),
    (EpochState.NONE, ("没有全量", "none")),
    (EpochState.OPEN, ("进行中", "under way")),
    (EpochState.WAITING, ("待运维人员确认", "waits for the operator")),
    (EpochState.ENDED, ("已完成", "whole")),
    (EpochState.ABORTED, ("已放弃", "given up")),
    (Method.PASSWORD, ("密码", "password")),
    (Method.OIDC, ("统一身份认证", "identity provider")),
)
_WORDS: Final = {(type(value), value.value): both for value, both in _OURS}
"""By list and value: words of two lists may be the same text."""


def said(value: StrEnum, language: Language) -> str:
    """The word for a value.

    Raises:
        KeyError: nobody has given it one.
    """
    if type(value) in of_tickets.TITLES:
        titles = of_tickets.title(value)
        return titles.zh if language is Language.ZH else titles.en
    ours = _WORDS.get((type(value), value.value))
    if ours is not None:
        return ours[0] if language is Language.ZH else ours[1]
    return _PACKAGES.get(type(value), word)(value, language)


def _role(value: StrEnum, language: Language) -> str:
    """Cases, entries and accounts have the same roles under the same names."""
    return said_of_accounts(roles.Role(value.value), language)


def _account(value: StrEnum, language: Language) -> str:
    known = (roles.Role, roles.Duty, account_actions.Area, account_actions.Action, Reach, Refusal)
    if not isinstance(value, known):
        raise KeyError(value)
    return said_of_accounts(value, language)


def _step(value: StrEnum, language: Language) -> str:
    return _of(STEPS[value], language)


def _of(both: Said, language: Language) -> str:
    return both[0] if language is Language.ZH else both[1]


def _case_action(value: StrEnum, language: Language) -> str:
    return said_of_accounts(account_actions.Action(f"case.{value.value}"), language)


_PACKAGES: Final[Mapping[type[StrEnum], Callable[[StrEnum, Language], str]]] = {
    of_cases.State: lambda value, language: STATES[of_cases.State(value)][language],
    of_cases.DeliveryMode: lambda value, language: MODES[of_cases.DeliveryMode(value)][language],
    of_cases.Role: _role,
    of_cases.Action: _case_action,
    Step: _step,
    Fault: lambda value, language: _of(FAULTS[Fault(value)], language),
    lifecycle.State: lambda value, language: of_entries.STATES[lifecycle.State(value)][language],
    lifecycle.Action: lambda value, language: of_entries.ACTIONS[lifecycle.Action(value)][language],
    lifecycle.Role: _role,
    roles.Role: _account,
    roles.Duty: _account,
    account_actions.Area: _account,
    account_actions.Action: _account,
    Reach: _account,
    Refusal: _account,
    **dict.fromkeys(of_needs.LISTS, of_needs.said),
    **dict.fromkeys(of_objections.LISTS, of_objections.said),
    **dict.fromkeys(of_replays.LISTS, of_replays.said),
    **dict.fromkeys(of_traces.LISTS, of_traces.said),
    **dict.fromkeys(of_receipts.LISTS, of_receipts.said),
    **dict.fromkeys(of_operation.LISTS, of_operation.said),
    ShareType: word,
}
