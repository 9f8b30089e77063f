"""What the rules of cases, tickets, needs, accounts and ownership say, in Chinese: what is wrong, what to do.

A test compares the codes with those that the rules use.
"""

from collections.abc import Mapping
from typing import Final

_OF_APPLICATIONS: Final = {
    "APPLICANT_FIXED": ("申请部门不得变更", "请另行发起申请"),
    "APPLICANT_PROVIDES": ("申请部门就是该资源的提供部门", "请直接使用本部门数据"),
    "APPLICATION_MISSING": ("没有申请内容", "请填写申请"),
    "BASIS_ARTICLE_MISSING": ("未写明依据的条款", "请写明赋予该职责的条款"),
    "BASIS_DOCUMENT_MISSING": ("未写明职责依据", "请写明法律、法规或职责清单的名称"),
    "MODE_NOT_SERVED": ("平台尚不能以该方式提供数据", "请选择实时订阅；确无更小方式可用的，选择批量交换"),
    "BATCH_NOT_JUSTIFIED": ("批量方式须说明理由", "请说明查询、核验为何不能满足，或改用实时订阅"),
    "COMMITMENT_MISSING": ("未确认承诺书", "请阅读承诺书并确认"),
    "CONTROL_CHARACTERS": ("含有控制字符", "请去掉控制字符后重新填写"),
    "DAYS_PAST": ("截止日期已过", "请选择以后的日期"),
    "DAYS_REVERSED": ("截止日期早于开始日期", "请选择不早于开始日期的截止日期"),
    "DAYS_TOO_EARLY": ("开始日期早于一年之前", "请选择一年之内或以后的开始日期"),
    "DAYS_TOO_LATE": ("截止日期在十年之后", "请选择十年之内的截止日期"),
    "FILING_MISSING": ("缺少备案表", "请备案并填写备案编号"),
    "ITEMS_MISSING": ("未选择信息项", "请选择履职所需的各信息项"),
    "ITEM_DOUBLED": ("信息项重复", "每个信息项只选一次"),
    "ITEM_UNKNOWN": ("目录中没有该信息项", "请选用目录中的信息项"),
    "NOT_OPENED_FOR_IMPORT": ("该申请不是为导入已有授权而建立的", "请提交申请，由提供部门审核"),
    "NOT_SHARED": ("该资源不予共享", "确有需要的，可以提出申诉"),
    "PROVIDER_CHANGED": ("提供部门已变更", "请另行发起申请"),
    "RESOURCE_FIXED": ("申请的资源不得变更", "请另行发起申请"),
    "RESOURCE_OTHER": ("目录与申请的资源不一致", "请重新选择目录"),
    "RESOURCE_STANDS": ("系统只在资源停用时终止共享", "请由一方终止"),
    "RESOURCE_UNKNOWN": ("没有已发布的该资源目录", "请选择目录中的资源"),
    "ROWS_DOUBLED": ("同一信息项限定了两次", "请将各取值写在一个条件里"),
    "ROWS_NOT_SCOPED": ("该信息项不能用于限定范围", "请选用可限定范围的信息项"),
    "SCENARIO_MISSING": ("未说明使用场景", "请说明用于何项工作、作何用途"),
    "TOO_LONG": ("内容过长", "请精简内容"),
    "TOO_MANY": ("列出的项目过多", "请减少项目"),
}
_OF_DECISIONS: Final = {
    "ACCEPTABLE_IF_MISSING": ("未说明如何更正后可以同意", "请说明申请部门可以如何更正，或说明无法更正"),
    "APPROVAL_MISSING": ("未说明同意的内容", "请列明信息项、范围、脱敏方式和期限"),
    "DAYS_WIDER": ("期限超出申请", "请在申请的期限之内批准"),
    "DECISION_NEEDED": ("该资源须经审批", "请转入审批"),
    "GRADE_UNCHECKED": ("信息项的分级要求先由主管部门初审", "请退回补正，补正后由主管部门初审"),
    "GRADE_UNMASKED": (
        "该信息项达到须脱敏提供的数据分级",
        "请设脱敏、不批准该项，或说明所依据的职责为何须用其完整值",
    ),
    "WHOLE_NEEDLESS": ("该信息项无须说明完整提供的理由", "请删去该理由"),
    "WHOLE_UNSAID": ("未说明所依据的职责为何须用完整值", "请说明用于该职责的何项工作，或改为脱敏"),
    "ITEMS_WIDER": ("信息项超出申请", "只能批准申请中的信息项"),
    "MASK_DOUBLED": ("同一信息项设了两种脱敏", "每个信息项只设一种"),
    "MASK_UNFIT": ("脱敏方式不适用于该信息项", "请选用与类型相符的方式，或不批准该项"),
    "MASK_WITHOUT_ITEM": ("对未批准的信息项设了脱敏", "只对批准的信息项设脱敏"),
    "NOTHING_LEFT": ("期限或范围为空", "请改为不同意，并说明理由"),
    "NOT_APPROVED": ("没有已批准的内容", "请先审批"),
    "NOT_EXPIRED": ("尚未到期", "请待到期，或终止"),
    "NOT_NARROWER": ("与申请内容完全一致", "请选择“同意”"),
    "NO_SUCH_DAY": ("超出日历的最后一天", "请选择较早的开始日期"),
    "NOT_REFUSED": ("该资源可以共享", "请提交申请"),
    "NO_COMPLAINT": ("没有待答复的投诉", "无须答复"),
    "NO_DECISION_NEEDED": ("无条件共享，无须审批", "请直接通过"),
    "NO_HIGHER_LEVEL": ("没有更高的协调层级", "请等待裁决，或提出投诉"),
    "NO_PRECHECK": ("当前策略不设初审", "请转入审批"),
    "PRECHECK_FIRST": ("当前策略须先初审", "请转入初审"),
    "REASON_MISSING": ("未选择理由", "请选择一项理由"),
    "ROWS_WIDER": ("范围超出申请", "请保留申请中的各项条件，取值相同或更少"),
    "TEXT_MISSING": ("未作说明", "请用文字说明"),
}
_OF_SERVING: Final = {
    "POLICY_MISSING": ("尚未启用策略包", "请运维人员启用策略包"),
    "STEPS_LEFT": ("开通步骤尚未全部完成", "请完成或重试，或撤销开通"),
    "STEP_MISSING": ("未指明步骤", "请指明步骤"),
    "STEP_NOT_FAILED": ("该步骤没有失败", "只能重试失败的步骤"),
    "STEP_OF_OTHER_ROUND": ("该步骤属于已结束的开通", "请只报告最近一次开通的步骤"),
    "STEP_OUT_OF_TURN": ("不是下一个步骤", "请按顺序进行，失败的先重试"),
    "SUSPENDED_BY_AUTHORITY": ("由主管部门暂停", "请主管部门恢复"),
    "TIME_BACKWARDS": ("时间早于上一次办理", "请校准时钟"),
    "UNDO_INCOMPLETE": ("已完成的步骤没有全部撤销", "请撤销每个已完成的步骤"),
    "UNDO_UNKNOWN": ("撤销了没有做过的步骤", "只列已完成的步骤"),
    "CLOCK_UNKNOWN": ("没有该编号的在办期限", "请选择正在计时的期限"),
    "WRONG_STATE": ("当前状态不能进行此操作", "请刷新后查看可以进行的操作"),
}
_OF_PERSONS: Final = {
    "OTHER_DEPARTMENT": ("只能由相应部门办理", "请由该部门办理"),
    "NO_PASSWORD": ("该账号仅通过统一身份认证登录，此处没有密码", "请在统一身份认证处重置"),
    "RESET_AT_CONSOLE": (
        "管理、运维、审计和监督人员的密码不得在页面上重置",
        "请在控制台执行 govbus account reset-password，操作将被记录",
    ),
    "DISABLED_BY_ANOTHER": ("该账号由他人停用", "请由停用的人员或主管部门启用"),
    "OWN_ACCOUNT": ("不得办理本人账号", "请由他人办理"),
    "OWN_CASE": ("本部门是申请部门", "请由其他部门人员办理"),
    "OWN_CONFLICT": ("不得裁定涉及本部门的争议", "请由其他部门人员裁定"),
    "OWN_DECISION": ("不得裁决本人的决定", "请由他人裁决"),
    "OWN_TICKET": ("本部门是提出部门", "请由其他部门人员办理"),
    "OWN_WORK": ("不得审理本人经办的事项", "请由他人办理"),
    "WRONG_ROLE": ("该角色不能进行此操作", "请由相应角色的人员办理"),
}
_OF_TICKETS: Final = {
    "CORRECTION_MISSING": ("没有更正后的数据", "请等待更正到达"),
    "DISPATCH_FIRST": ("须先由主管部门分派", "请等待分派"),
    "EVIDENCE_DOUBLED": ("佐证材料重复", "每份只列一次"),
    "EVIDENCE_MALFORMED": ("佐证材料缺少摘要或大小", "请给出文件的 SHA-256 和字节数"),
    "EVIDENCE_MISSING": ("没有佐证材料", "请附上证明材料"),
    "EVIDENCE_TOO_MUCH": ("佐证材料过多", "只附能够证明的材料"),
    "NOT_ALL_TOLD": ("尚未全部告知接收部门", "请先告知"),
    "NOT_CORRECTED": ("数据仍为疑义内容", "请等待更正后的数据"),
    "NOT_LATER": ("不是更新的版本", "请等待更新的版本"),
    "NOT_OVERDUE": ("提供部门尚未逾期", "请待逾期，或等待决定"),
    "NOT_OWED": ("无须告知", "只告知应当告知的部门，且只告知一次"),
    "NO_DISPATCH": ("当前策略由提供部门直接受理", "由系统转办"),
    "RECEIPTS_MISSING": ("没有接收情况", "请先查询账目"),
    "RECEIPT_DROPPED": ("少了账目已列出的接收部门", "已证明的须保留，只可增加"),
    "RECIPIENTS_UNKNOWN": ("尚未查询谁接收过", "请先列出"),
    "RECORD_MALFORMED": ("记录标识不正确", "请按坐标重新提出"),
    "RECORD_MISSING": ("未指明记录", "请给出记录的坐标"),
    "RECORD_OTHER": ("不是本工单的记录", "请另行提出"),
    "REPORTER_PROVIDES": ("该记录由本部门提供", "请在数据源更正"),
    "STATEMENT_MISSING": ("未说明有何错误", "请简要说明错在哪里、应当为何"),
    "STILL_CORRECTED": ("数据并未恢复为疑义内容", "无须办理"),
    "TOLD_MISSING": ("没有告知内容", "请指明告知了谁"),
}
_OF_ACCOUNTS: Final = {
    "CONTACT": ("缺少责任人信息", "请填写姓名和电话"),
    "CREDIT_CODE": ("统一社会信用代码不正确", "请填写完整的 18 位代码"),
    "EMAIL": ("不是电子邮件地址", "请更正，或留空"),
    "EXPIRY": ("令牌有效期须大于零且不超过一年", "请选择一年之内的日期"),
    "ID": ("标识不正确", "请使用小写字母、数字和下划线，以字母开头"),
    "LOGIN": ("账号名不正确", "请使用 2 至 40 个小写字母、数字、点、连字符和下划线，以字母开头"),
    "NAME": ("名称为空或过长", "请填写名称"),
    "OVERSIGHT": ("只有监督人员才有监督范围", "请先授予监督角色"),
    "ROLES": ("新账号没有角色", "请在新增之后授予"),
    "SCOPE": ("没有这个令牌权限，或一个也没有选", "请选用列出的权限"),
    "SEPARATION": ("违反职责分离：一人不得兼", "请先收回其他角色，或授予他人"),
    "SWITCHED_OFF": ("账号已停用", "请先启用"),
    "TAKEN": ("已被占用", "请更换，或修改已有的"),
    "UNKNOWN_DEPARTMENT": ("没有这个部门", "请先新增部门"),
    "UNKNOWN_PERSON": ("没有这个人员", "请核对编号"),
}
_OF_OWNERSHIP: Final = {
    "BASIS_MISSING": ("未写明依据", "请写明依据的文件和条款"),
    "BEYOND_DECISION": ("授权超出审批决定", "请按审批决定制作"),
    "DEFINITION_BREAKS": ("定义不再成立", "请先更正定义"),
    "GRANT_OTHER": ("授权与申请或目录不符", "请按申请和目录制作"),
    "ITEM_EXISTS": ("已有该信息项", "请核对信息项"),
    "ITEM_KEYS_RECORDS": ("该信息项标识记录，不能转移", "请选择其他信息项"),
    "ITEM_NEVER_EMPTY": ("该信息项不得为空", "请先允许为空"),
    "NOT_CLAIMED": ("没有对该信息项的主张", "请核对争议"),
    "RULE_NEEDS_ITEM": ("校验规则需要该信息项", "请先修改规则"),
}
_OF_NEEDS: Final = {
    "ASSIGNED_TO_APPLICANT": ("不能交办给提出部门自己", "请交办给掌握该数据的部门"),
    "CODE_MISSING": ("未指明目录编码", "请填写已发布目录的编码"),
    "DEPARTMENT_MISSING": ("未指明部门", "请指明掌握该数据的部门"),
    "ENTRY_MISSING": ("没有编制目录", "请先编制目录草稿"),
    "IN_CATALOGUE": ("目录中已有同名数据", "请填写该目录的编码，并提出共享申请"),
    "OWN_NEED": ("本部门提出的需求须由其他部门人员研究", "请由其他部门人员办理"),
    "SUBJECT_MISSING": ("未写明所需数据的名称", "请写明需要什么数据"),
}
_OF_OBJECTIONS: Final = {
    "DAYS_MISSING": ("未填写天数", "请填写需要延长的天数"),
    "EXTENSION_REFUSED": (
        "不能延长期限",
        "仅可延长一次，须在期限内、不超过上限并经规定的人批准；请按期答复",
    ),
    "ENTRY_NOT_PUBLISHED": ("该目录未发布", "请选择已发布的目录"),
    "OWN_ENTRY": ("该目录属于本部门", "请直接修订目录"),
}
_OF_REPORTS: Final = {
    "REFERENCE_MISSING": ("未填写文号", "请填写报送文件的文号"),
    "REPORT_HANDED_IN": ("该年度报告已报送", "无须重复报送"),
    "REPORT_NOT_OWED": ("本部门无须报送该年度的报告", "请核对年度"),
}
_OF_RECEIPTS: Final = {
    "NO_SUCH_PLACE": ("不是记录的坐标", "请按“主题:分区:位移”填写，例如 raw.police.public.person:0:17"),
    "RECEIPTS_WAITING": ("本部门仍有过多凭证在制作中", "请等其中一份出具后再申请"),
    "TRUST_MALFORMED": ("不是信任文件", "请使用 govbus evidence trust 生成的文件，不作改动"),
}
_OF_FORMS: Final = {"FORM": ("格式不正确", "请按接口文档书写")}

CHINESE: Final[Mapping[str, tuple[str, str]]] = (
    _OF_APPLICATIONS
    | _OF_DECISIONS
    | _OF_SERVING
    | _OF_PERSONS
    | _OF_TICKETS
    | _OF_ACCOUNTS
    | _OF_OWNERSHIP
    | _OF_NEEDS
    | _OF_OBJECTIONS
    | _OF_REPORTS
    | _OF_RECEIPTS
    | _OF_FORMS
)
"""Code → what is wrong, what to do."""
