"""What alarms and stopped events mean and what mends them, in Chinese and English, for each of their codes.

The watch and the gate write what they saw for whoever runs the bus: that stands beside these words, as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from producers.snapshot import SnapshotState
from services.control.bilingual import Said, speaker_of
from services.control.catalogue.vocabulary import Language
from services.control.provisioning.drift import Kind as DriftKind
from topics.event import Step, StopReason, SupersededReason


@dataclass(frozen=True, slots=True)
class Told:
    """What something is called, and what to do about it."""

    title: str
    remedy: str


RAISED: Final = "retention-raised"
_DRIFT: Final = "drift-"
_WHO_CHANGED: Final = (
    "查明是谁绕过申请更改了总线；govbus grant drift 可重新比对",
    "find out who changed the bus past the cases; govbus grant drift compares anew",
)
_ALARMS: Final[Mapping[str, tuple[Said, Said]]] = {
    "connector-failed": (
        ("连接器故障，重启未能恢复", "A connector has failed, and restarts do not help"),
        (
            "用 govbus logs connect 查明并排除原因，系统会继续重启；如模式被拒绝，"
            "与提供部门商定后执行 govbus accept-schema",
            "find the cause with govbus logs connect and mend it, restarts go on by themselves; where "
            "a schema was refused, agree on it with the provider, then run govbus accept-schema",
        ),
    ),
    "connector-idle": (
        ("连接器无人运行", "Nobody runs a connector"),
        (
            "系统正在自动重启；如未恢复，用 govbus doctor 查看是否有未结束的事务，"
            "没有则依次执行 govbus down 和 govbus up，数据不会丢失",
            "it is being restarted by itself; where that does not help, ask govbus doctor for a transaction "
            "that nobody ends, and if there is none run govbus down and govbus up, which lose nothing",
        ),
    ),
    "connect-silent": (
        ("采集组件没有应答", "Kafka Connect does not answer"),
        ("执行 govbus up 启动", "run govbus up"),
    ),
    "database-silent": (
        ("来源数据库没有应答", "A source database does not answer"),
        ("请提供部门启动数据库服务器", "have the database server started"),
    ),
    "capture-fenced": (
        ("采集已停止：可能缺少变更", "A capture is stopped: changes may be missing"),
        (
            "告知提供部门和主管部门；仅丢失复制槽的，系统会自动重新采集，"
            "其余执行 govbus apply --recapture 提供部门",
            "tell the provider and the authority; where only the slot was lost it is captured anew by "
            "itself, else run govbus apply --recapture PROVIDER",
        ),
    ),
    "slot-gap": (
        ("复制槽已失效：变更已丢失", "A replication slot was invalidated: changes are lost"),
        (
            "告知提供部门和主管部门，再执行 govbus apply --recapture 提供部门",
            "tell the provider and the authority, then run govbus apply --recapture PROVIDER",
        ),
    ),
    "slot-in-danger": (
        ("复制槽的日志即将被清除", "The log of a replication slot may soon be removed"),
        (
            "用 govbus logs connect 查明为何无人读取",
            "find out with govbus logs connect why nobody reads it",
        ),
    ),
    "slot-lag": (
        ("复制槽积压过多", "A replication slot is far behind"),
        ("用 govbus logs connect 查明读取缓慢的原因", "find out with govbus logs connect why it is slow"),
    ),
    "slot-unread": (
        ("复制槽无人读取", "Nobody reads a replication slot"),
        ("用 govbus doctor 和 govbus logs connect 查看", "look with govbus doctor and govbus logs connect"),
    ),
    "slot-orphaned": (
        ("复制槽已无连接器使用，仍占用日志", "A replication slot that no connector uses holds back the log"),
        ("确认不再需要后删除该复制槽", "drop the slot once it is certain that nobody needs it"),
    ),
    "process-crashed": (
        ("总线进程反复异常退出", "A process of the bus crashes again and again"),
        (
            "用 govbus logs 加进程名查明并排除原因，系统会继续重新启动",
            "find the cause with govbus logs and its name, and mend it; it is started again by itself",
        ),
    ),
}
"""Of the watch, which is a process of its own and tells its kinds as texts."""
_DRIFTS: Final[Mapping[DriftKind, tuple[Said, Said]]] = {
    DriftKind.OLDER_DATABASE: (
        ("数据库早于总线", "The database is older than the bus"),
        (
            "恢复较新的数据库备份；在此之前不作任何修复",
            "restore a newer database; until then nothing is repaired",
        ),
    ),
    DriftKind.STRANGE_RIGHT: (
        ("存在没有申请依据的读取权限", "A right to read that no case stands behind"),
        _WHO_CHANGED,
    ),
    DriftKind.STRANGE_GRANT: (
        ("存在没有申请依据的授权", "A grant delivers that no case entitles to"),
        _WHO_CHANGED,
    ),
    DriftKind.WIDER_GRANT: (
        ("授权超出决定的范围", "A grant gives more than was decided"),
        _WHO_CHANGED,
    ),
    DriftKind.MISSING_GRANT: (
        ("申请有效，授权却未投递", "A case is active and its grant does not deliver"),
        _WHO_CHANGED,
    ),
    DriftKind.MISSING_RIGHT: (
        ("申请有效，读取权限缺失", "A case is active and the right to read is missing"),
        _WHO_CHANGED,
    ),
    DriftKind.MISSING_USER: (
        ("申请有效，部门的登录缺失", "A case is active and the department's login is missing"),
        _WHO_CHANGED,
    ),
}
_RETENTION: Final = (
    ("证据的保留期曾被缩短，已恢复", "The retention of evidence had been shortened, and was raised"),
    (
        "查明是谁更改了服务器设置；govbus apply 按声明重新设置",
        "find out who changed the broker's settings; govbus apply sets them as they are declared",
    ),
)

_PROVIDER_WRITES: Final = (
    "提供部门：使用总线的连接器或发布程序",
    "provider: use the connector or publisher of the bus",
)
_AT_THE_SOURCE: Final = ("提供部门：在来源处更正该记录", "provider: correct the record at its source")
STOPS: Final[Mapping[StopReason, tuple[Said, Said]]] = {
    StopReason.UNDECODABLE: (
        ("无法解码", "cannot be decoded"),
        (
            "提供部门：检查向该主题写入的程序；作废",
            "provider: look at what writes to the topic; discard",
        ),
    ),
    StopReason.UNKNOWN_SCHEMA: (
        ("模式未登记", "schema is not registered"),
        (
            "运维人员：用 govbus apply 登记模式，再放行",
            "operator: register the schema through govbus apply, then release",
        ),
    ),
    StopReason.TOO_LARGE: (
        ("记录过大", "too large"),
        (
            "提供部门：减少内容，例如只发送文件的引用",
            "provider: send less, e.g. a reference to a document",
        ),
    ),
    StopReason.UNKNOWN_SOURCE: (
        ("没有资源声明该来源", "no resource has this source"),
        (
            "运维人员：更正定义，执行 govbus apply，再放行",
            "operator: correct the definitions, apply, release",
        ),
    ),
    StopReason.UNKNOWN_OPERATION: (("操作类型未知", "operation is not known"), _PROVIDER_WRITES),
    StopReason.NO_RECORD_ID: (
        ("缺少主键", "primary key is missing"),
        (
            "提供部门：更正资源定义中或表中的主键",
            "provider: correct the primary key in the resource's definition or in the table",
        ),
    ),
    StopReason.NO_POSITION: (("缺少位点或版本", "position or version is missing"), _PROVIDER_WRITES),
    StopReason.WRONG_KEY: (
        ("键与记录标识不符", "key is not that of the record"),
        (
            "提供部门：使用总线的发布程序；作废",
            "provider: use the publisher of the bus; discard",
        ),
    ),
    StopReason.VERSION_REUSED: (
        ("版本号重复使用", "version was used before"),
        (
            "提供部门：以更高的版本号发布正确内容；作废",
            "provider: publish the right state with a higher version; discard",
        ),
    ),
    StopReason.ITEM_MISSING: (
        ("缺少已声明的列", "declared column is missing"),
        (
            "运维人员：更正定义，执行 govbus apply，再放行",
            "operator: correct the definition, apply, release",
        ),
    ),
    StopReason.ITEM_UNAVAILABLE: (
        ("来源未提供该列的值", "source did not send a value"),
        (
            "提供部门：设置 REPLICA IDENTITY FULL；该行的下一次变更或全量即可补齐",
            "provider: set REPLICA IDENTITY FULL; the row's next change or a full volume heals it",
        ),
    ),
    StopReason.CONVERSION_FAILED: (
        ("值无法转换", "value cannot be converted"),
        (
            "运维人员：更正转换规则，执行 govbus apply，再放行",
            "operator: correct the conversion, apply, release",
        ),
    ),
    StopReason.IDENTITY_MISSING: (
        ("身份标识为空", "identity is empty"),
        ("提供部门：在来源处补全该记录", "provider: complete the record at its source"),
    ),
    StopReason.IDENTITY_INVALID: (("身份标识无效", "identity is not valid"), _AT_THE_SOURCE),
    StopReason.PREVIOUS_STATE_MISSING: (
        ("删除时缺少原记录", "delete without the deleted row"),
        (
            "提供部门：设置 REPLICA IDENTITY FULL；下一次全量即可补齐",
            "provider: set REPLICA IDENTITY FULL; the next full volume heals it",
        ),
    ),
    StopReason.NOT_THE_SOURCE: (
        ("提供部门不是数源", "provider is not the source"),
        ("主管部门：裁定唯一数源", "authority: decide who the one source is"),
    ),
    StopReason.QUALITY: (("不符合质量规则", "quality rule broken"), _AT_THE_SOURCE),
    StopReason.DOES_NOT_FIT_SCHEMA: (
        ("与资源的模式不符", "does not fit the schema"),
        (
            "运维人员：更正模式或转换规则，执行 govbus apply，再放行",
            "operator: correct schema or conversion, apply, release",
        ),
    ),
    StopReason.INTERNAL: (
        ("总线自身缺陷", "defect of the bus itself"),
        ("运维人员：上报，修复后放行", "operator: report it; release after the mend"),
    ),
}
"""Of docs/reasons.md, which says more."""
_OTHERS: Final[Sequence[tuple[StrEnum, Said]]] = (
    (SupersededReason.NOTHING_PENDING, ("已没有待处理的变更", "no change of it is waiting any more")),
    (SupersededReason.OLDER_THAN_PENDING, ("之后的变更已被接受", "a later change was accepted already")),
    (SupersededReason.OLDER_VERSION, ("更新的版本已被接受", "a newer version was accepted already")),
    (Step.DECODE, ("解码", "decode")),
    (Step.INTERPRET, ("解析", "interpret")),
    (Step.VERSION, ("核对版本", "check the version")),
    (Step.IDENTIFY, ("识别身份", "identify")),
    (Step.ONE_SOURCE, ("核对数源", "one source")),
    (Step.ASSESS, ("评估质量", "assess quality")),
    (Step.RELEASE, ("放行核对", "check the release")),
    (Step.ENCODE, ("编码", "encode")),
    (SnapshotState.NONE, ("没有全量", "none")),
    (SnapshotState.RUNNING, ("进行中", "under way")),
    (SnapshotState.COMPLETE, ("已完成", "complete")),
    (SnapshotState.INCOMPLETE, ("不完整", "incomplete")),
    (SnapshotState.ABORTED, ("已中止", "given up")),
)
LISTS: Final = (StopReason, SupersededReason, Step, SnapshotState)
"""The lists whose words stand here."""
said: Final = speaker_of([*((reason, title) for reason, (title, _) in STOPS.items()), *_OTHERS])
"""The word for a value of one of the lists, in a language."""


def alarm(kind: str, language: Language) -> Told | None:
    """What a kind of alarm means; None where a newer watch has raised one that nobody here has heard of."""
    if kind in _ALARMS:
        return _told(_ALARMS[kind], language)
    drift = kind.removeprefix(_DRIFT)
    if kind.startswith(_DRIFT) and drift in set(DriftKind):
        return _told(_DRIFTS[DriftKind(drift)], language)
    return _told(_RETENTION, language) if kind == RAISED else None


def coded(kind: type[StrEnum], code: str | None, language: Language) -> str | None:
    """The word for a code as it stands in a record; None where the list does not have it."""
    return said(kind(code), language) if code in set(kind) else None


def mended_by(code: str, language: Language) -> str | None:
    """Who mends what was stopped for a reason, and how."""
    return _of(STOPS[StopReason(code)][1], language) if code in set(StopReason) else None


def _told(both: tuple[Said, Said], language: Language) -> Told:
    title, remedy = both
    return Told(_of(title, language), _of(remedy, language))


def _of(both: Said, language: Language) -> str:
    return both[0] if language is Language.ZH else both[1]
