"""What notices of accounts, and of items that a grant loses, say in both languages."""

from typing import Final

from services.control.notices.said import Both, Said
from services.control.notices.words import Kind

ACCOUNTS: Final[tuple[tuple[Kind, Both], ...]] = (
    (
        Kind.PASSWORD_RESET,
        (
            Said(
                "本部门账号 {account} 的密码已被重置",
                "重置人：账号 {by}（console 为服务器命令行）。"
                "账号本人：如非本人要求，请立即联系主管部门停用账号；原有会话均已结束。",
            ),
            Said(
                "The password of account {account} of your department was reset",
                "By account {by} (console: at a shell of the server). Owner of the account: if you did not "
                "ask for it, have the authority switch it off at once. All of its sessions have ended.",
            ),
        ),
    ),
    (
        Kind.GRANT_LOSES_ITEM,
        (
            Said(
                "授权 {grant} 的一个信息项改由其他部门提供（原资源 {resource}）",
                "该项在此授权中将逐条变为空值；仍需要的，请向新的提供部门申请。",
            ),
            Said(
                "Grant {grant}: an item of {resource} has another owner now",
                "The item becomes empty in this grant, with the next change of each record. "
                "Who still needs it applies to its new owner.",
            ),
        ),
    ),
)
