"""What notices of grants, resources, clocks and maintenance say, in both languages."""

from typing import Final

from services.control.notices.said import Both, Said
from services.control.notices.words import Kind

GRANTS: Final[tuple[tuple[Kind, Both], ...]] = (
    (
        Kind.GRANT_SUSPENDED,
        (
            Said("授权 {grant} 已暂停供数", "请查看回执和理由。"),
            Said("Grant {grant} was suspended", "See its receipt and the reason."),
        ),
    ),
    (
        Kind.GRANT_RESUMED,
        (
            Said("授权 {grant} 已恢复供数", "无需操作；暂停期间的变化会补齐。"),
            Said(
                "Grant {grant} was resumed", "Nothing is to be done; what changed meanwhile is made up for."
            ),
        ),
    ),
    (
        Kind.GRANT_ENDED,
        (
            Said("授权 {grant} 已收回", "申请部门：请按规定处置已取得的数据。"),
            Said(
                "Grant {grant} was withdrawn", "Consumer: deal with the data that you hold as the rules say."
            ),
        ),
    ),
    (
        Kind.GRANT_EXPIRES,
        (
            Said("授权 {grant} 将于 {day} 到期（还有 {days} 天）", "仍有需要的，请在到期前重新申请。"),
            Said(
                "Grant {grant} ends on {day}, in {days} days", "Apply anew before that if the need goes on."
            ),
        ),
    ),
    (
        Kind.CREDENTIAL_ISSUED,
        (
            Said("授权 {grant} 的凭据已更新", "请取用新凭据；旧凭据失效后将无法登录。"),
            Said("Grant {grant} has a new credential", "Use the new one; the old one stops working."),
        ),
    ),
    (
        Kind.CREDENTIAL_EXPIRES,
        (
            Said(
                "部门 {consumer} 的凭据将于 {day} 到期（还有 {days} 天）",
                "请在到期前更换：先取得取用码，再以新凭据启动接收程序。",
            ),
            Said(
                "The credential of {consumer} ends on {day}, in {days} days",
                "Rotate it before that: have a code made, fetch the new one, start your program with it.",
            ),
        ),
    ),
    (
        Kind.CREDENTIAL_EXPIRED,
        (
            Said(
                "部门 {consumer} 的凭据已于 {day} 到期，不能再登录",
                "请更换凭据并以新凭据启动接收程序；接收将从停止处继续。",
            ),
            Said(
                "The credential of {consumer} ended on {day} and opens nothing any more",
                "Rotate it and start your program with the new one: it goes on where it stopped.",
            ),
        ),
    ),
    (
        Kind.READER_BEHIND,
        (
            Said(
                "授权 {grant} 的接收已落后，用去保留时间的 {percent}%（{records} 条未读）",
                "请检查接收程序；超过保留时间后必须重建副本。",
            ),
            Said(
                "Grant {grant}: its reader is behind by {percent} % of its window, {records} records wait",
                "Look at your program; beyond the window your copy must be built anew.",
            ),
        ),
    ),
    (
        Kind.READER_LOST,
        (
            Said("授权 {grant} 的接收已超出保留时间（{records} 条未读）", "可能遗漏删除，请重建副本。"),
            Said(
                "The reader of grant {grant} was away for longer than its window ({records} records wait)",
                "Deletions may have been missed: build your copy anew.",
            ),
        ),
    ),
)

OTHERS: Final[tuple[tuple[Kind, Both], ...]] = (
    (
        Kind.RESOURCE_STALE,
        (
            Said(
                "资源 {resource} 自 {day} 起没有更新，已超过更新周期",
                "提供部门：请检查采集，或说明没有变化。申请部门：所持数据截至该日，使用前请核实。",
            ),
            Said(
                "Resource {resource} has had no event since {day}, longer than its update cycle",
                "Provider: look at the capture, or say that nothing has changed. "
                "Consumer: what you hold is as of that day; verify before you rely on it.",
            ),
        ),
    ),
    (
        Kind.VERSION_ANNOUNCED,
        (
            Said(
                "资源 {resource} 将有不兼容的新版本 {new_resource}：{day} 起并行，{until} 停用旧版本",
                "请在停用前申请新版本并改用其主题；停用日起旧版本不再供数。",
            ),
            Said(
                "Resource {resource} gets the incompatible version {new_resource}: parallel from {day}, "
                "the old one ends on {until}",
                "Apply for the new version and change to its topic before that day: "
                "the old one is not delivered from then on.",
            ),
        ),
    ),
    (
        Kind.VERSION_POSTPONED,
        (
            Said("资源 {resource} 推迟至 {until} 停用", "请在停用前申请并改用新版本 {new_resource}。"),
            Said(
                "Resource {resource} is retired later, on {until}",
                "Apply for {new_resource} and change to its topic before that.",
            ),
        ),
    ),
    (
        Kind.VERSION_KEPT,
        (
            Said(
                "资源 {resource} 不再停用（原定 {until}，新版本 {new_resource}）",
                "无需操作；已改用新版本的可继续使用。",
            ),
            Said(
                "Resource {resource} stays: it is not retired on {until} for {new_resource}",
                "Nothing is to be done; who has changed to the new version may stay with it.",
            ),
        ),
    ),
    (
        Kind.VERSION_RETIRES,
        (
            Said(
                "资源 {resource} 将于 {until} 停用（还有 {days} 天）",
                "请申请并改用新版本 {new_resource} 的主题。",
            ),
            Said(
                "Resource {resource} is retired on {until}, in {days} days",
                "Apply for {new_resource} and change to its topic.",
            ),
        ),
    ),
    (
        Kind.VERSION_RETIRED,
        (
            Said(
                "资源 {resource} 自 {until} 起停用",
                "请申请并使用新版本 {new_resource}；旧版本的授权即将终止。",
            ),
            Said(
                "Resource {resource} is retired as of {until}",
                "Apply for {new_resource} and use it; grants of the old version end now.",
            ),
        ),
    ),
    (
        Kind.CLOCK_REMINDER,
        (
            Said("事项 {case}：期限 {duty} 已过 {percent}%，{day} 到期", "请在到期前办理。"),
            Said("{case}: {percent} % of {duty} has passed, due on {day}", "Act before it is due."),
        ),
    ),
    (
        Kind.CLOCK_LAST_DAY,
        (
            Said("事项 {case}：期限 {duty} 今天（{day}）到期", "请在今天办理。"),
            Said("{case}: {duty} is due today ({day})", "Act today."),
        ),
    ),
    (
        Kind.CLOCK_OVERDUE,
        (
            Said(
                "事项 {case}：期限 {duty} 已逾期（应于 {day} 办结）", "请立即办理并说明原因；逾期记录在案。"
            ),
            Said(
                "{case}: {duty} is overdue (it was due on {day})",
                "Act now and say why it is late; the delay is on record.",
            ),
        ),
    ),
    (
        Kind.MAINTENANCE_ANNOUNCED,
        (
            Said("维护预告 {maintenance}：{begin} 至 {end}", "期间服务可能中断，请提前安排。"),
            Said("Maintenance {maintenance}: {begin} to {end}", "Service may be interrupted; plan for it."),
        ),
    ),
    (
        Kind.MAINTENANCE_CANCELLED,
        (
            Said("维护 {maintenance}（{begin} 至 {end}）已取消", "无需操作。"),
            Said("Maintenance {maintenance} ({begin} to {end}) was cancelled", "Nothing is to be done."),
        ),
    ),
)
