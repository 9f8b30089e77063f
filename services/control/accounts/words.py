"""What accounts say to people, in Chinese and English: roles, duties, areas, actions, reaches, refusals."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from services.control.accounts.actions import Action, Area
from services.control.accounts.decision import Refusal
from services.control.accounts.permissions import Reach
from services.control.accounts.roles import Duty, Role
from services.control.catalogue.vocabulary import Language

Said = tuple[str, str]
"""Chinese, English."""

_ROLES: Final[Mapping[StrEnum, Said]] = {
    Role.AUTHORITY: ("主管部门", "authority"),
    Role.PROVIDER: ("提供部门", "provider"),
    Role.CONSUMER: ("使用部门", "consumer"),
    Role.OPERATOR: ("运维人员", "operator"),
    Role.AUDITOR: ("审计人员", "auditor"),
    Role.OVERSEER: ("监督人员（只读）", "overseer (read only)"),
}
_DUTIES: Final[Mapping[StrEnum, Said]] = {
    Duty.EXCHANGE: ("数据供需", "exchange"),
    Duty.MANAGEMENT: ("管理", "management"),
    Duty.OPERATION: ("操作运维", "operation"),
    Duty.AUDIT: ("审计", "audit"),
}
_AREAS: Final[Mapping[StrEnum, Said]] = {
    Area.CATALOGUE: ("目录", "catalogue"),
    Area.DEMAND: ("数据需求", "demand"),
    Area.CASE: ("共享申请", "sharing cases"),
    Area.GRANT: ("授权", "grants"),
    Area.DATA: ("数据", "data"),
    Area.QUARANTINE: ("隔离区", "quarantine"),
    Area.POLICY: ("策略", "policy"),
    Area.KILL: ("紧急停止", "kill switch"),
    Area.REPLAY: ("重放", "replay"),
    Area.CLAIM: ("一数一源争议", "claims"),
    Area.TICKET: ("疑义数据", "problem data"),
    Area.OPERATION: ("运行", "operation"),
    Area.NOTICE: ("通知", "notices"),
    Area.OBJECTION: ("开放目录异议", "objections"),
    Area.REPORT: ("年度报告", "yearly reports"),
    Area.AUDIT: ("审计", "audit"),
    Area.ACCOUNT: ("账号", "accounts"),
}
_REACHES: Final[Mapping[StrEnum, Said]] = {
    Reach.NONE: ("否", "no"),
    Reach.OWN: ("本部门", "own"),
    Reach.OTHER: ("其他部门", "other"),
    Reach.ALL: ("全部", "all"),
}
_REFUSALS: Final[Mapping[StrEnum, Said]] = {
    Refusal.UNKNOWN_ACTION: ("没有这个操作", "there is no such action"),
    Refusal.WRONG_ROLE: ("您的角色无此权限", "none of your roles may do this"),
    Refusal.OTHER_DEPARTMENT: ("只能处理本部门的事项", "this is another department's"),
    Refusal.OWN_DEPARTMENT: (
        "不得处理本部门的事项，请由其他部门办理",
        "nobody judges in his own department's matter",
    ),
    Refusal.NOT_OVERSEEN: ("不在您的监督范围之内", "you do not oversee this department"),
    Refusal.SEPARATION: (
        "账号的角色违反职责分离（一人不得兼），请联系主管部门",
        "the account has roles that nobody may hold together: ask the authority",
    ),
    Refusal.PASSWORD_CHANGE_FIRST: ("请先修改初始密码", "change your password first"),
    Refusal.OUT_OF_SCOPE: ("令牌的授权范围不含此操作", "the token's scopes do not include this"),
}
_CATALOGUE: Final[Mapping[StrEnum, Said]] = {
    Action.CATALOGUE_LOOK: ("查看已发布目录", "look at published entries"),
    Action.CATALOGUE_LOOK_UNPUBLISHED: ("查看未发布目录", "look at unpublished entries"),
    Action.CATALOGUE_EXPORT: ("导出目录", "export entries"),
    Action.CATALOGUE_IMPORT: ("导入目录", "import entries"),
    Action.CATALOGUE_MOUNT: ("挂接资源", "mount an entry on its topic"),
    Action.CATALOGUE_OPEN: ("新建目录", "begin an entry"),
    Action.CATALOGUE_EDIT: ("编辑目录草稿", "edit a draft"),
    Action.CATALOGUE_SUBMIT: ("提交注册审核", "submit for registration"),
    Action.CATALOGUE_REGISTER: ("注册审核通过", "register"),
    Action.CATALOGUE_REFUSE_REGISTRATION: ("注册审核退回", "refuse registration"),
    Action.CATALOGUE_REQUEST_PUBLICATION: ("申请发布", "request publication"),
    Action.CATALOGUE_PUBLISH: ("发布审核通过", "publish"),
    Action.CATALOGUE_REFUSE_PUBLICATION: ("发布审核退回", "refuse publication"),
    Action.CATALOGUE_REVISE: ("变更目录", "revise an entry"),
    Action.CATALOGUE_WITHDRAW: ("下线目录", "withdraw an entry"),
    Action.CATALOGUE_SUPERSEDE: ("由新版本取代（系统）", "supersede (the system)"),
    Action.CATALOGUE_RETIRE: ("停用资源版本", "retire a version of a resource"),
}
_DEMAND: Final[Mapping[StrEnum, Said]] = {
    Action.DEMAND_LOOK: ("查看数据需求", "look at needs for data"),
    Action.DEMAND_STATE: ("提出数据需求", "state a need"),
    Action.DEMAND_ASSIGN: ("交办数据需求", "assign a need"),
    Action.DEMAND_DECLINE: ("不予采纳数据需求", "decline a need"),
    Action.DEMAND_POINT: ("指明已有目录", "point a need to an entry"),
    Action.DEMAND_HAND_BACK: ("退回数据需求", "hand a need back"),
    Action.DEMAND_DRAFT: ("按需求编制目录", "begin an entry for a need"),
    Action.DEMAND_WITHDRAW: ("撤回数据需求", "withdraw a need"),
    Action.OBJECTION_LOOK: ("查看开放目录异议", "look at objections"),
    Action.OBJECTION_OBJECT: ("对开放目录提出异议", "object to the open directory"),
    Action.OBJECTION_EXTEND: ("延长异议答复期限", "extend the time for an objection"),
    Action.OBJECTION_ACCEPT: ("采纳异议", "accept an objection"),
    Action.OBJECTION_DENY: ("不予采纳异议", "deny an objection"),
    Action.OBJECTION_WITHDRAW: ("撤回异议", "withdraw an objection"),
}
_CASES: Final[Mapping[StrEnum, Said]] = {
    Action.CASE_LOOK: ("查看共享申请", "look at a case"),
    Action.CASE_LOOK_CONTEXT: ("查看审批参考", "look at what an approver must know"),
    Action.CASE_OPEN: ("发起申请", "open a case"),
    Action.CASE_EDIT: ("编辑申请草稿", "edit an application"),
    Action.CASE_SUBMIT: ("提交申请", "submit an application"),
    Action.CASE_REQUEST_PRECHECK: ("转入初审（系统）", "request the pre-check (the system)"),
    Action.CASE_ACCEPT: ("初审受理", "accept after the pre-check"),
    Action.CASE_REQUEST_DECISION: ("转入审批（系统）", "request the decision (the system)"),
    Action.CASE_ACCEPT_UNCONDITIONAL: ("无条件共享直接通过（系统）", "accept as unconditional (the system)"),
    Action.CASE_RETURN: ("退回补正", "return for supplement"),
    Action.CASE_SUPPLEMENT: ("补正材料", "supplement"),
    Action.CASE_APPROVE: ("同意", "approve"),
    Action.CASE_APPROVE_IN_PART: ("部分同意", "approve in part"),
    Action.CASE_REFUSE: ("不同意", "refuse"),
    Action.CASE_APPEAL: ("申诉", "appeal"),
    Action.CASE_NEGOTIATE: ("协商", "negotiate"),
    Action.CASE_AGREE: ("协商一致重新审批", "agree on a new decision"),
    Action.CASE_ESCALATE: ("提请上级协调", "escalate"),
    Action.CASE_UPHOLD: ("裁决支持", "uphold by a ruling"),
    Action.CASE_DISMISS: ("裁决驳回", "dismiss by a ruling"),
    Action.CASE_WITHDRAW: ("撤回申请", "withdraw an application"),
    Action.CASE_PROVISION: ("开始开通（系统）", "provision (the system)"),
    Action.CASE_STEP_DONE: ("开通步骤完成（系统）", "a step is done (the system)"),
    Action.CASE_STEP_FAILED: ("开通步骤失败（系统）", "a step failed (the system)"),
    Action.CASE_RETRY_STEP: ("重试开通步骤", "retry a step"),
    Action.CASE_ACTIVATE: ("启用（系统）", "activate (the system)"),
    Action.CASE_ROLL_BACK: ("撤销开通（系统）", "roll back (the system)"),
    Action.CASE_SUSPEND: ("暂停共享", "suspend"),
    Action.CASE_RESUME: ("恢复共享", "resume"),
    Action.CASE_TERMINATE: ("终止共享", "terminate"),
    Action.CASE_EXPIRE: ("到期（系统）", "expire (the system)"),
    Action.CASE_IMPORT: ("导入已有授权（系统）", "import a grant (the system)"),
    Action.CASE_EXTEND: ("延长期限", "give a duty more time"),
    Action.CASE_COMPLAIN: ("投诉", "complain"),
    Action.CASE_REPLY: ("答复投诉", "reply to a complaint"),
}
_DELIVERY: Final[Mapping[StrEnum, Said]] = {
    Action.GRANT_LOOK: ("查看授权", "look at a grant"),
    Action.GRANT_RECEIPT: ("查看停止回执", "look at a receipt"),
    Action.GRANT_CONTRACT: ("导出数据契约", "export the contract"),
    Action.GRANT_SHOW_CREDENTIAL: ("领取凭据（仅一次）", "take the credential (once)"),
    Action.GRANT_ROTATE_CREDENTIAL: ("更换凭据", "rotate the credential"),
    Action.DATA_TAIL: ("查看实时数据（脱敏）", "watch a topic (masked)"),
    Action.DATA_REVEAL: ("查看明文数据（留痕）", "reveal values (recorded)"),
    Action.QUARANTINE_LOOK: ("查看隔离区（脱敏）", "look at quarantine (masked)"),
    Action.QUARANTINE_REVEAL: ("查看隔离区明文（留痕）", "reveal quarantined values (recorded)"),
    Action.QUARANTINE_RELEASE: ("放行", "release"),
    Action.QUARANTINE_RESUBMIT: ("更正后重新提交", "resubmit"),
    Action.QUARANTINE_DISCARD: ("作废", "discard"),
    Action.CLAIM_LOOK: ("查看一数一源争议", "look at claims"),
    Action.CLAIM_DECIDE: ("裁定数据来源", "decide whose an item is"),
    Action.TICKET_LOOK: ("查看疑义工单", "look at a problem ticket"),
    Action.TICKET_LOOK_TEXTS: ("查看疑义说明和佐证", "read statements and evidence"),
    Action.TICKET_REPORT: ("提出数据疑义", "report problem data"),
    Action.TICKET_FORWARD: ("转提供部门（系统）", "forward (the system)"),
    Action.TICKET_DISPATCH: ("分发疑义工单", "dispatch a ticket"),
    Action.TICKET_RETURN: ("退回补充佐证", "return a ticket for supplement"),
    Action.TICKET_SUPPLEMENT: ("补充佐证", "supplement a ticket"),
    Action.TICKET_ACCEPT: ("确认有误", "accept that a record is wrong"),
    Action.TICKET_REFUSE: ("答复数据无误", "refuse to correct"),
    Action.TICKET_ARRIVE: ("更正已到达（系统）", "the correction arrived (the system)"),
    Action.TICKET_REVERT: ("更正被还原（系统）", "the correction was undone (the system)"),
    Action.TICKET_LIST: ("列出接收部门（系统）", "list who received it (the system)"),
    Action.TICKET_TELL: ("告知接收部门（系统）", "tell who received it (the system)"),
    Action.TICKET_CONFIRM: ("确认更正结果", "confirm the result"),
    Action.TICKET_REOPEN: ("仍有误，重新核实", "reopen a ticket"),
    Action.TICKET_CLOSE: ("办结（系统）", "close a ticket (the system)"),
    Action.TICKET_ESCALATE: ("疑义提请上级协调", "escalate a ticket"),
    Action.TICKET_UPHOLD: ("裁决应予更正", "rule that it be corrected"),
    Action.TICKET_DISMISS: ("裁决无需更正", "rule that it is right"),
    Action.TICKET_WITHDRAW: ("撤回疑义", "withdraw a ticket"),
}
_RUNNING: Final[Mapping[StrEnum, Said]] = {
    Action.POLICY_LOOK: ("查看策略", "look at policy and packs"),
    Action.POLICY_SIMULATE: ("模拟策略包", "simulate a policy pack"),
    Action.POLICY_CHANGE_PACKS: ("变更策略包", "change policy packs"),
    Action.POLICY_IMPORT_CALENDAR: ("导入工作日历", "import a year of the calendar"),
    Action.POLICY_APPLY: ("应用总线配置", "apply the bus's definitions"),
    Action.POLICY_ACCEPT_SCHEMA: ("接受结构变更", "accept a schema"),
    Action.KILL_GRANT: ("停止一项授权", "stop one grant"),
    Action.KILL_CONSUMER: ("停止一个使用部门", "stop one consumer"),
    Action.KILL_RESOURCE: ("停止一项资源", "stop one resource"),
    Action.KILL_ALL: ("全部停止", "stop everything"),
    Action.KILL_RESUME: ("恢复供数", "resume what was stopped"),
    Action.REPLAY_EXPLAIN: ("解释一条记录", "explain a record"),
    Action.REPLAY_RUN: ("重新投递数据", "deliver data again"),
    Action.REPLAY_LOOK: ("查看重放", "look at replays"),
    Action.REPLAY_AUDIT: ("重放以供审计", "replay for an audit"),
    Action.REPLAY_APPROVE: ("批准重新投递", "approve a redelivery"),
    Action.OPERATION_LOOK: ("查看运行状况", "look at what runs"),
    Action.OPERATION_LOOK_VOLUMES: ("查看全量与核对", "look at full volumes and comparisons"),
    Action.OPERATION_TAKE_VOLUME: (
        "抽取全量、确认移除或放弃",
        "take a full volume, confirm what it removes, give it up",
    ),
    Action.OPERATION_RESTART: ("重启组件", "restart a part"),
    Action.NOTICE_ANNOUNCE: ("发布维护公告", "announce maintenance"),
    Action.NOTICE_LOOK_ADDRESSES: ("查看通知接收地址", "look at where notices go"),
    Action.NOTICE_SET_ADDRESS: ("设置通知接收地址", "say where notices go"),
    Action.NOTICE_MEND_DELIVERY: ("停用通知地址、重发通知", "switch an address off, try a notice anew"),
    Action.REPORT_LOOK: ("查看年度报告", "look at yearly reports"),
    Action.REPORT_MAKE: ("生成统计报告", "make a report from the figures"),
    Action.REPORT_FILE: ("报送部门年度报告", "hand in a department's yearly report"),
    Action.REPORT_FILE_FOR_AUTHORITY: ("报送主管部门年度报告", "hand in the authority's yearly report"),
    Action.AUDIT_LOOK: ("查看审计日志", "look at the audit log"),
    Action.AUDIT_EXPORT: ("导出审计日志", "export the audit log"),
    Action.AUDIT_BALANCE: ("核对账目", "balance the books"),
    Action.AUDIT_TRACE: ("追溯个人数据去向（留痕）", "trace a person (recorded)"),
}
_ACCOUNTS: Final[Mapping[StrEnum, Said]] = {
    Action.ACCOUNT_LOOK: ("查看账号", "look at accounts"),
    Action.ACCOUNT_ADD_DEPARTMENT: ("新增部门", "add a department"),
    Action.ACCOUNT_EDIT_DEPARTMENT: ("修改部门和联系人", "edit a department and its contacts"),
    Action.ACCOUNT_ADD: ("新增账号", "add an account"),
    Action.ACCOUNT_DISABLE: ("停用账号", "disable an account"),
    Action.ACCOUNT_ENABLE: ("启用账号", "enable an account"),
    Action.ACCOUNT_RESET_PASSWORD: ("重置密码", "reset a password"),
    Action.ACCOUNT_UNLOCK: ("解除锁定", "unlock an account"),
    Action.ACCOUNT_REVOKE_SESSIONS: ("注销会话", "end a person's sessions"),
    Action.ACCOUNT_REVOKE_TOKEN: ("吊销令牌", "revoke a token"),
    Action.ACCOUNT_GIVE_ROLE: ("授予角色", "give a role"),
    Action.ACCOUNT_TAKE_ROLE: ("收回角色", "take a role"),
    Action.ACCOUNT_SET_OVERSIGHT: ("设定监督范围", "set what an overseer may see"),
    Action.ACCOUNT_CHANGE_OWN_PASSWORD: ("修改本人密码", "change one's own password"),
    Action.ACCOUNT_CREATE_OWN_TOKEN: ("创建本人令牌", "create a token of one's own"),
    Action.ACCOUNT_REVOKE_OWN: ("注销本人会话和令牌", "end one's own sessions and tokens"),
}
_LISTS: Final = (
    _ROLES,
    _DUTIES,
    _AREAS,
    _REACHES,
    _REFUSALS,
    _CATALOGUE,
    _DEMAND,
    _CASES,
    _DELIVERY,
    _RUNNING,
    _ACCOUNTS,
)
_WORDS: Final = {(type(key), key.value): both for each in _LISTS for key, both in each.items()}
"""By list and value: ``catalogue`` is an area, and another list may have the same text."""


def said(value: Role | Duty | Area | Reach | Refusal | Action, language: Language) -> str:
    """The word for a value in a language."""
    chinese, english = _WORDS[type(value), value.value]
    return chinese if language is Language.ZH else english
