"""What notices of catalogue entries say in both languages."""

from typing import Final

from services.control.notices.said import Both, Said
from services.control.notices.words import Kind

ENTRIES: Final[tuple[tuple[Kind, Both], ...]] = (
    (
        Kind.ENTRY_SUBMITTED,
        (
            Said("目录条目 {entry} 已提交登记审核", "主管部门：请在期限内审核，予以登记或退回。"),
            Said(
                "Catalogue entry {entry} was submitted for registration",
                "Authority: review it before its clock ends, and register or refuse it.",
            ),
        ),
    ),
    (
        Kind.ENTRY_REGISTERED,
        (
            Said("目录条目 {entry} 已登记", "提供部门：请申请发布；发布后其他部门才能看到。"),
            Said(
                "Catalogue entry {entry} is registered",
                "Provider: request its publication; others see it once it is published.",
            ),
        ),
    ),
    (
        Kind.ENTRY_REGISTRATION_REFUSED,
        (
            Said("目录条目 {entry} 未予登记，已退回", "提供部门：请查看理由，修改后重新提交。"),
            Said(
                "Catalogue entry {entry} was not registered",
                "Provider: read why, correct the draft and submit it again.",
            ),
        ),
    ),
    (
        Kind.ENTRY_PUBLICATION_REQUESTED,
        (
            Said("目录条目 {entry} 已申请发布", "主管部门：请在期限内审核，予以发布或退回。"),
            Said(
                "The publication of catalogue entry {entry} was requested",
                "Authority: review it before its clock ends, and publish or refuse it.",
            ),
        ),
    ),
    (
        Kind.ENTRY_PUBLISHED,
        (
            Said("目录条目 {entry} 已发布", "提出过相应数据需求的部门：现在可以申请共享。其他部门无需操作。"),
            Said(
                "Catalogue entry {entry} is published",
                "Who stated a need for its data: apply for it now. Nothing else is to be done.",
            ),
        ),
    ),
    (
        Kind.ENTRY_PUBLICATION_REFUSED,
        (
            Said("目录条目 {entry} 未予发布，已退回", "提供部门：请查看理由，修改后重新提交登记审核。"),
            Said(
                "Catalogue entry {entry} was not published",
                "Provider: read why, correct the draft and submit it again.",
            ),
        ),
    ),
    (
        Kind.ENTRY_CHANGED,
        (
            Said(
                "目录条目 {entry} 发布了新版本",
                "请查看变更的内容；已批准的共享按原决定继续，新的申请以新版本为准。",
            ),
            Said(
                "Catalogue entry {entry} has a new version",
                "See what changed. What was decided goes on as decided; "
                "new applications follow the new version.",
            ),
        ),
    ),
    (
        Kind.ENTRY_WITHDRAWN,
        (
            Said(
                "目录条目 {entry} 已下线",
                "其共享随即终止，不再供数；未决定的申请不能再批准。仍需要该数据的，请提出数据需求。",
            ),
            Said(
                "Catalogue entry {entry} was withdrawn",
                "Its cases end now and nothing is delivered any more; open applications cannot be approved. "
                "Who still needs the data states the need.",
            ),
        ),
    ),
)
