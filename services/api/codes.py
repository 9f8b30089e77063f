"""The codes of problems, each with its HTTP status and its words; a code never changes what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.control.catalogue.vocabulary import Language


class Code(StrEnum):
    """What is wrong with a request."""

    MALFORMED = "MALFORMED"
    CURSOR = "CURSOR"
    LOG_IN = "LOG_IN"
    LOGIN_WRONG = "LOGIN_WRONG"
    LOGIN_WAIT = "LOGIN_WAIT"
    LOGIN_REFUSED = "LOGIN_REFUSED"
    NO_IDENTITY_PROVIDER = "NO_IDENTITY_PROVIDER"
    FORBIDDEN = "FORBIDDEN"
    CROSS_SITE = "CROSS_SITE"
    NOT_FOUND = "NOT_FOUND"
    METHOD = "METHOD"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    REFUSED = "REFUSED"
    WRONG_STATE = "WRONG_STATE"
    KEY_REUSED = "KEY_REUSED"
    VERSION_TAKEN = "VERSION_TAKEN"
    OVERTAKEN = "OVERTAKEN"
    TOO_LARGE = "TOO_LARGE"
    UNSUPPORTED = "UNSUPPORTED"
    INVALID = "INVALID"
    VERSION_MISSING = "VERSION_MISSING"
    TOO_MANY = "TOO_MANY"
    DISTRUSTED = "DISTRUSTED"
    DEFECT = "DEFECT"
    BUSY = "BUSY"
    UNAVAILABLE = "UNAVAILABLE"
    BUS_UNAVAILABLE = "BUS_UNAVAILABLE"

    @property
    def status(self) -> int:
        """The HTTP status that it comes with."""
        return _SAID[self].status

    def said(self, language: Language) -> str:
        """What it is called."""
        said = _SAID[self]
        return said.zh if language is Language.ZH else said.en

    def remedy(self, language: Language) -> str:
        """What to do about it."""
        said = _SAID[self]
        return said.do_zh if language is Language.ZH else said.do_en


@dataclass(frozen=True, slots=True)
class _Said:
    status: int
    zh: str
    en: str
    do_zh: str
    do_en: str


_SAID: Final[Mapping[Code, _Said]] = {
    Code.MALFORMED: _Said(
        400, "请求无法解析", "the request cannot be read", "请按接口文档书写", "write it as the API page says"
    ),
    Code.CURSOR: _Said(
        400,
        "翻页标记不属于此列表",
        "the cursor is none of this list",
        "请从第一页开始",
        "ask for the first page",
    ),
    Code.LOG_IN: _Said(
        401, "请先登录", "log in first", "请登录，或出示有效的令牌", "log in, or show a token that counts"
    ),
    Code.LOGIN_WRONG: _Said(
        401,
        "账号或密码有误",
        "name or password is wrong",
        "请核对后重试；忘记密码请联系运维人员重置",
        "check both; whoever has forgotten the password asks an operator for a new one",
    ),
    Code.LOGIN_WAIT: _Said(
        429, "尝试次数过多", "too many tries", "请稍候再试", "wait as long as is said, then try again"
    ),
    Code.LOGIN_REFUSED: _Said(
        403,
        "统一身份认证未通过",
        "the identity provider's answer lets nobody in",
        "请重新登录；仍不成功请联系主管部门",
        "log in anew; if that does not help, ask the authority",
    ),
    Code.NO_IDENTITY_PROVIDER: _Said(
        404,
        "未接入统一身份认证",
        "there is no identity provider",
        "请用账号和密码登录",
        "log in by name and password",
    ),
    Code.FORBIDDEN: _Said(
        403, "无权进行此操作", "you may not do this", "请由有权的人员办理", "let somebody do it who may"
    ),
    Code.CROSS_SITE: _Said(
        403,
        "请求不是从本站页面发出的",
        "the request does not come from a page of ours",
        "请刷新页面后重试",
        "load the page anew and try again",
    ),
    Code.NOT_FOUND: _Said(
        404, "没有找到", "there is no such thing", "请核对编号或地址", "check the number or the address"
    ),
    Code.METHOD: _Said(
        405,
        "此地址不支持该方法",
        "this address does not know the method",
        "请按接口文档书写",
        "use one of the methods that the API page names",
    ),
    Code.NOT_ACCEPTABLE: _Said(
        406, "没有这种格式", "there is no such form", "请选用列出的格式", "choose one of the forms named"
    ),
    Code.REFUSED: _Said(
        409, "未予办理", "it was not done", "请按列出的问题更正", "correct what is named, then ask again"
    ),
    Code.WRONG_STATE: _Said(
        409,
        "当前状态不能进行此操作",
        "that cannot be done in this state",
        "请刷新后查看可以进行的操作",
        "look what can be done now",
    ),
    Code.KEY_REUSED: _Said(
        409,
        "幂等键已用于其他请求",
        "the idempotency key was used for something else",
        "请更换幂等键",
        "give this request a key of its own",
    ),
    Code.VERSION_TAKEN: _Said(
        409,
        "该版本号已有其他内容",
        "a version of that number says something else",
        "请提高版本号",
        "give the new text a higher number",
    ),
    Code.OVERTAKEN: _Said(
        412,
        "他人已先行办理",
        "somebody was quicker",
        "请查看期间发生的变化后重新决定",
        "look what happened meanwhile, then decide anew",
    ),
    Code.TOO_LARGE: _Said(413, "内容过大", "it is too large", "请分次办理", "send it in parts"),
    Code.UNSUPPORTED: _Said(
        415, "不支持这种内容格式", "this form of content is not known", "请按接口文档书写", "send JSON"
    ),
    Code.INVALID: _Said(
        422, "内容有误", "something in it is wrong", "请按列出的问题更正", "correct what is named"
    ),
    Code.VERSION_MISSING: _Said(
        428,
        "未说明所依据的版本",
        "it is not said which version was seen",
        "请在 If-Match 中给出 ETag",
        "give its ETag in If-Match",
    ),
    Code.TOO_MANY: _Said(
        429, "请求过于频繁", "too many requests", "请稍候再试", "wait as long as Retry-After says"
    ),
    Code.DISTRUSTED: _Said(
        500,
        "存储内容与经过不符，已停止办理",
        "what is stored is not what happened: nothing is decided on it",
        "请联系运维人员",
        "tell the operator",
    ),
    Code.DEFECT: _Said(
        500,
        "系统出错",
        "a defect of ours",
        "请联系运维人员，并告知请求编号",
        "tell the operator its request id",
    ),
    Code.BUSY: _Said(
        503, "他人正在办理同一事项", "somebody else is at it", "请稍候再试", "try again in a moment"
    ),
    Code.UNAVAILABLE: _Said(
        503, "数据库暂不可用", "the database does not answer", "请稍候再试", "try again later"
    ),
    Code.BUS_UNAVAILABLE: _Said(
        503, "总线暂不可用", "the bus does not answer", "请稍候再试", "try again later"
    ),
}
