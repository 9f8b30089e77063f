"""What notices of catalogue entries say in both languages."""

from typing import Final

from services.control.notices.said import Both, Said
from services.control.notices.words import Kind

ENTRIES: Final[tuple[tuple[Kind, Both], ...]] = (
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
