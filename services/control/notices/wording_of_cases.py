"""What notices of sharing cases and problem tickets say, in both languages."""

from collections.abc import Mapping
from typing import Final

from services.control.cases.provisioning import Step
from services.control.notices.said import Both, Said
from services.control.notices.words import Kind

STEPS: Final[Mapping[str, tuple[str, str]]] = {
    Step.TOPIC: ("建立主题", "topic"),
    Step.CREDENTIAL: ("签发凭据", "credential"),
    Step.RIGHTS: ("授予权限", "rights"),
    Step.POLICY: ("发布策略", "policy"),
    Step.ACKNOWLEDGED: ("确认策略", "acknowledgement of the policy"),
    Step.BACK_FILL: ("回填数据", "back-fill"),
    Step.ANNOUNCED: ("通知申请部门", "announcement"),
}
"""The steps of provisioning in Chinese and in English."""

CASES: Final[tuple[tuple[Kind, Both], ...]] = (
    (
        Kind.CASE_SUBMITTED,
        (
            Said("申请 {case} 已提交（资源 {resource}）", "无需操作；请等待下一步通知。"),
            Said(
                "Case {case} was submitted (resource {resource})",
                "Nothing is to be done; wait for the next step.",
            ),
        ),
    ),
    (
        Kind.CASE_PRECHECK,
        (
            Said("申请 {case} 等待主管部门预审", "主管部门：请在期限内预审，受理或退回补正。"),
            Said(
                "Case {case} waits for the pre-check",
                "Authority: accept it or return it, before its clock ends.",
            ),
        ),
    ),
    (
        Kind.CASE_DECIDING,
        (
            Said("申请 {case} 等待答复（资源 {resource}）", "提供部门：请在期限内答复。"),
            Said(
                "Case {case} waits for a decision (resource {resource})",
                "Provider: decide before its clock ends.",
            ),
        ),
    ),
    (
        Kind.CASE_DECIDING_BY_AUTHORITY,
        (
            Said("申请 {case} 等待主管部门答复（资源 {resource}）", "主管部门：请在期限内答复。"),
            Said(
                "Case {case} waits for the authority's decision (resource {resource})",
                "Authority: decide before its clock ends.",
            ),
        ),
    ),
    (
        Kind.CASE_RETURNED,
        (
            Said("申请 {case} 已退回补正", "申请部门：请查看退回理由并补正，期间计时暂停。"),
            Said(
                "Case {case} was returned for a supplement",
                "Applicant: read why and supplement it; its clock stands still until then.",
            ),
        ),
    ),
    (
        Kind.CASE_APPROVED,
        (
            Said("申请 {case} 已获批准", "申请部门：请查看批准的范围；开通后会再次通知。"),
            Said(
                "Case {case} was approved",
                "Applicant: see what was given; you are told when it is delivered.",
            ),
        ),
    ),
    (
        Kind.CASE_REFUSED,
        (
            Said("申请 {case} 未获批准", "申请部门：请查看理由和可接受的条件；可以申诉。"),
            Said(
                "Case {case} was refused",
                "Applicant: read the reason and what would make it acceptable; you may appeal.",
            ),
        ),
    ),
    (
        Kind.CASE_NEGOTIATING,
        (
            Said("申请 {case} 进入协商", "双方：请协商；达不成一致可以提请上级裁决。"),
            Said("Case {case} is negotiated", "Both parties: negotiate; escalate it if you do not agree."),
        ),
    ),
    (
        Kind.CASE_NEGOTIATING_BY_AUTHORITY,
        (
            Said("申请 {case} 进入与主管部门的协商", "申请部门、主管部门：请协商；不能一致的可以提请裁决。"),
            Said(
                "Case {case} is negotiated with the authority",
                "Applicant and authority: negotiate; escalate it if you do not agree.",
            ),
        ),
    ),
    (
        Kind.CASE_ESCALATED,
        (
            Said("申请 {case} 已提交第 {level} 级裁决", "裁决部门：请裁决并说明理由。"),
            Said(
                "Case {case} was escalated to level {level}",
                "The body of that level: rule on it, with reasons.",
            ),
        ),
    ),
    (
        Kind.CASE_REFUSED_FINALLY,
        (
            Said("申请 {case} 经裁决不予批准", "申请部门：请查看裁决；需要时可另行申请或投诉。"),
            Said(
                "Case {case} was dismissed by a ruling",
                "Applicant: read the ruling; apply anew or complain where there is reason to.",
            ),
        ),
    ),
    (
        Kind.CASE_PROVISIONING,
        (
            Said("申请 {case} 正在开通", "无需操作；各步骤见申请页面。"),
            Said("Case {case} is being provisioned", "Nothing is to be done; its page shows the steps."),
        ),
    ),
    (
        Kind.CASE_STEP_FAILED,
        (
            Said("申请 {case} 的开通步骤 {step} 失败", "运维：请查看原因，重试该步骤，或回退。"),
            Said(
                "Step {step} of case {case} failed",
                "Operator: see why, retry the step, or roll the case back.",
            ),
        ),
    ),
    (
        Kind.CASE_ACTIVE,
        (
            Said("申请 {case} 已开通，授权 {grant} 开始供数", "申请部门：可以开始接收数据。"),
            Said("Case {case} is active: grant {grant} delivers", "Applicant: you can begin to read."),
        ),
    ),
    (
        Kind.CASE_SUSPENDED,
        (
            Said("申请 {case} 已暂停，授权 {grant} 停止供数", "请查看理由；暂停者可以恢复。"),
            Said(
                "Case {case} was suspended: grant {grant} delivers nothing",
                "Read the reason; who suspended it can resume it.",
            ),
        ),
    ),
    (
        Kind.CASE_TERMINATED,
        (
            Said("申请 {case} 已终止，授权 {grant} 不再供数", "申请部门：请按规定处置已取得的数据。"),
            Said(
                "Case {case} was terminated: grant {grant} is over",
                "Applicant: deal with the data that you hold as the rules say.",
            ),
        ),
    ),
    (
        Kind.CASE_EXPIRED,
        (
            Said("申请 {case} 已到期，授权 {grant} 不再供数", "申请部门：仍有需要的，请重新申请。"),
            Said("Case {case} expired: grant {grant} is over", "Applicant: apply anew if the need goes on."),
        ),
    ),
    (
        Kind.CASE_WITHDRAWN,
        (
            Said("申请 {case} 已由申请部门撤回", "无需操作。"),
            Said("Case {case} was withdrawn by the applicant", "Nothing is to be done."),
        ),
    ),
    (
        Kind.CASE_EXTENDED,
        (
            Said("申请 {case} 的办理期限已延长", "无需操作；理由和新的期限见申请页面。"),
            Said(
                "A duty of case {case} got more time",
                "Nothing is to be done; the case says why and until when.",
            ),
        ),
    ),
    (
        Kind.CASE_COMPLAINT,
        (
            Said("申请 {case} 收到投诉", "主管部门：请调查并书面答复。"),
            Said("There is a complaint about case {case}", "Authority: look into it and reply in writing."),
        ),
    ),
    (
        Kind.CASE_REPLIED,
        (
            Said("申请 {case} 的投诉已答复", "请查看书面答复。"),
            Said("The complaint about case {case} was replied to", "Read the written reply."),
        ),
    ),
)

TICKETS: Final[tuple[tuple[Kind, Both], ...]] = (
    (
        Kind.TICKET_REPORTED,
        (
            Said("问题数据 {ticket} 已上报（资源 {resource}）", "主管部门：请分析并分发。"),
            Said(
                "Ticket {ticket}: a record of {resource} was reported",
                "Authority: look at the evidence and dispatch it.",
            ),
        ),
    ),
    (
        Kind.TICKET_RETURNED,
        (
            Said("问题数据 {ticket} 已退回补充", "上报部门：请查看理由并补充佐证材料。"),
            Said("Ticket {ticket} was returned", "Reporter: read why and supplement the evidence."),
        ),
    ),
    (
        Kind.TICKET_VERIFYING,
        (
            Said("问题数据 {ticket} 等待核实（资源 {resource}）", "提供部门：请在期限内核实并答复。"),
            Said(
                "Ticket {ticket} waits for verification (resource {resource})",
                "Provider: verify and decide before its clock ends.",
            ),
        ),
    ),
    (
        Kind.TICKET_REFUSED,
        (
            Said("问题数据 {ticket} 经核实不作更正", "上报部门：请查看理由；可以提请裁决。"),
            Said(
                "Ticket {ticket}: the provider corrects nothing", "Reporter: read why; you may escalate it."
            ),
        ),
    ),
    (
        Kind.TICKET_ESCALATED,
        (
            Said("问题数据 {ticket} 已提请裁决", "裁决部门：请裁决并说明理由。"),
            Said("Ticket {ticket} was escalated", "The body that rules: rule on it, with reasons."),
        ),
    ),
    (
        Kind.TICKET_DISMISSED,
        (
            Said("问题数据 {ticket} 经裁决无误", "上报部门：请查看裁决。"),
            Said("Ticket {ticket}: a ruling found nothing wrong", "Reporter: read the ruling."),
        ),
    ),
    (
        Kind.TICKET_CORRECTING,
        (
            Said("问题数据 {ticket} 已核实，将在源头更正", "提供部门：请在期限内更正源头数据。"),
            Said(
                "Ticket {ticket}: the record will be corrected at the source",
                "Provider: correct it at the source before its clock ends.",
            ),
        ),
    ),
    (
        Kind.TICKET_CORRECTED,
        (
            Said("问题数据 {ticket} 的更正已到达", "上报部门：请确认更正后的数据。"),
            Said("Ticket {ticket}: the correction has arrived", "Reporter: look at the corrected record."),
        ),
    ),
    (
        Kind.TICKET_CONFIRMED,
        (
            Said("问题数据 {ticket} 的更正已确认", "无需操作；正在告知接收过错误版本的部门。"),
            Said(
                "Ticket {ticket}: the correction was confirmed",
                "Nothing is to be done; whoever received the wrong version is being told.",
            ),
        ),
    ),
    (
        Kind.TICKET_CLOSED,
        (
            Said("问题数据 {ticket} 已办结", "无需操作；结果见问题单页面。"),
            Said("Ticket {ticket} was closed", "Nothing is to be done; its page shows the result."),
        ),
    ),
    (
        Kind.TICKET_WITHDRAWN,
        (
            Said("问题数据 {ticket} 已由上报部门撤回", "无需操作。"),
            Said("Ticket {ticket} was withdrawn by its reporter", "Nothing is to be done."),
        ),
    ),
    (
        Kind.TICKET_WRONG_VERSION,
        (
            Said(
                "您接收过问题数据 {ticket} 所涉的错误版本（授权 {grant}）",
                "请确认已应用更正后的版本，并检查据此作出的处理。",
            ),
            Said(
                "You received the wrong version that ticket {ticket} is about (grant {grant})",
                "Check that the correction was applied, and what was done because of the wrong version.",
            ),
        ),
    ),
)
