"""What a failed provisioning step means and what mends it, in Chinese and English, for each code."""

from collections.abc import Mapping
from typing import Final

from services.control.cases.provisioning import Fault

FAULTS: Final[Mapping[Fault, tuple[str, str]]] = {
    Fault.GRANTS_IN_FILES: (
        "授权仍在定义文件中声明；运维人员运行一次 govbus grant import，再重试该步骤",
        "grants are still declared in files; the operator runs govbus grant import, then the step is retried",
    ),
    Fault.CONSUMER_NOT_ON_BUS: (
        "使用部门尚未接入总线；运维人员在 consumers.yaml 中声明并运行 govbus apply，再重试该步骤",
        "the department is not on the bus; the operator declares and applies it, then the step is retried",
    ),
    Fault.RESOURCE_NOT_ON_BUS: (
        "资源尚未接入总线；运维人员声明并运行 govbus apply，再重试该步骤",
        "the resource is not on the bus; the operator declares and applies it, then the step is retried",
    ),
    Fault.HELD: (
        "另一道停止命令仍然有效；解除后重试该步骤",
        "another suspension holds the grant; once it is lifted the step is retried",
    ),
    Fault.SUSPENSION_UNCUT: (
        "停止尚未截断完毕；系统会完成并自动重试",
        "its suspension has no cut yet; that is finished by itself, then this is tried again",
    ),
    Fault.OVERTAKEN: (
        "授权或申请在此期间有了变化；请看申请记录，系统自动重试",
        "grant or case were changed meanwhile; look at what happened to the case, it is tried again",
    ),
    Fault.BEYOND_DECISION: (
        "按目录现状，授权会与决定不符；请修正目录条目或终止本申请，再重试该步骤",
        "as the entry stands now the grant would not be what was decided; correct the entry or end the case",
    ),
    Fault.GRANT_OF_OTHERS: (
        "该授权编号属于其他部门或资源；请终止本申请并重新提出",
        "a grant of that id is for somebody or something else; end the case and apply anew",
    ),
    Fault.SHRINKS: (
        "回填会删除使用部门持有的大量记录；运维人员确认后再重试",
        "filling would withdraw much of what the department holds; the operator confirms, then retries",
    ),
    Fault.EPOCH_INTERRUPTED: (
        "回填被中断；系统会重新开始",
        "filling was interrupted; it begins anew by itself",
    ),
    Fault.OTHER_WRITER: (
        "策略正由他人写入；稍后自动重试",
        "somebody else writes the policy at this moment; it is tried again",
    ),
    Fault.INSTANCE_UNNAMED: (
        "分发组中有一个未命名的成员；运维人员结束它，系统自动重试",
        "a member of the fan-out has no name of its own; the operator ends it, then it is tried again",
    ),
    Fault.TRANSACTION_OPEN: (
        "有一个事务未结束；系统会从此处继续",
        "a transaction stays open; it is tried again and goes on from there",
    ),
    Fault.NO_POLICY: (
        "总线尚无策略；运维人员运行 govbus apply",
        "nothing was applied yet; the operator runs govbus apply",
    ),
    Fault.LEDGER_NOT_READY: (
        "账本尚未就绪；运维人员运行 govbus apply，系统自动重试",
        "the ledger has no place for it yet; the operator runs govbus apply, then it is tried again",
    ),
    Fault.REGISTRY_REFUSED: (
        "模式注册中心拒绝；运维人员运行 govbus doctor 查看",
        "the registry refused the schema; the operator looks with govbus doctor",
    ),
    Fault.REGISTRY_SILENT: (
        "模式注册中心没有应答；稍后自动重试",
        "the registry does not answer; it is tried again",
    ),
    Fault.BUS_SILENT: (
        "总线没有应答；运维人员用 govbus status 查看，系统自动重试",
        "the bus does not answer; the operator looks with govbus status, and it is tried again",
    ),
    Fault.FOLDER_UNUSABLE: (
        "运行目录无法使用；运维人员查看，系统自动重试",
        "the stack's folder cannot be used; the operator looks at it, and it is tried again",
    ),
    Fault.CASE_UNREADABLE: (
        "申请内容无法读取或不可信；运维人员查看，此前不作任何操作",
        "what is stored of the case cannot be read or trusted; the operator looks, nothing is done meanwhile",
    ),
    Fault.DATABASE_BUSY: (
        "数据库没有应答；稍后自动重试",
        "the database does not answer; it is tried again",
    ),
    Fault.INTERNAL: (
        "程序缺陷；请告知工程人员，日志中有详情",
        "a defect of the program; tell the engineers, the log holds more",
    ),
}
