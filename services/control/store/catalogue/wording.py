"""What stands against an import or a step, in both languages: what is wrong, and what to do."""

from collections.abc import Mapping
from typing import Final

from services.control.catalogue.lifecycle import Action, Refusal, State
from services.control.catalogue.vocabulary import Language
from services.control.store.catalogue.loading import Against

Said = Mapping[Language, tuple[str, str]]
_EN, _ZH = Language.EN, Language.ZH

CLASHES: Final[Mapping[Against, Said]] = {
    Against.NO_CODE: {
        _EN: ("has no resource code", "give it one: entries are known by their code"),
        _ZH: ("没有信息资源代码", "请填写代码，系统以代码识别目录"),
    },
    Against.CODE_TWICE: {
        _EN: ("its code stands there twice", "give each entry a sequence of its own"),
        _ZH: ("代码重复", "请为每个目录分配不同的顺序码"),
    },
    Against.INVALID: {
        _EN: ("breaks a rule", "`govbus catalogue check` names it"),
        _ZH: ("不符合校验规则", "请用 `govbus catalogue check` 查看"),
    },
    Against.UNDER_REVIEW: {
        _EN: ("is under review ({other})", "wait until it is published, or have it refused"),
        _ZH: ("正在审核（{other}）", "请待发布后，或由主管部门退回后再导入"),
    },
    Against.OTHER_DEPARTMENT: {
        _EN: ("belongs to {other}", "give it another code, or let its department import it"),
        _ZH: ("属于{other}", "请更换代码，或由该部门导入"),
    },
    Against.NAME_TAKEN: {
        _EN: ("this provider has an entry of that name already: {other}", "use its code, or another name"),
        _ZH: ("该提供方已有同名目录：{other}", "请使用该目录的代码，或更换名称"),
    },
    Against.PROVIDER_DIFFERS: {
        _EN: ("the store pairs this provider's name and code as {other}", "let both say the same"),
        _ZH: ("与已有目录中提供方的名称、代码不一致：{other}", "请统一提供方的名称与代码"),
    },
}

REFUSALS: Final[Mapping[Refusal, Said]] = {
    Refusal.WRONG_STATE: {
        _EN: ("that cannot be done while it is {state}", "look at it with `govbus catalogue show`"),
        _ZH: ("当前状态为“{state}”，不能进行此操作", "请用 `govbus catalogue show` 查看"),
    },
    Refusal.WRONG_ROLE: {
        _EN: ("that is not this role's to do", "let the department or the authority do it"),
        _ZH: ("该角色无权进行此操作", "请由提供部门或主管部门办理"),
    },
    Refusal.OTHER_DEPARTMENT: {
        _EN: ("it is another department's", "let that department do it"),
        _ZH: ("属于其他部门", "请由该部门办理"),
    },
    Refusal.OWN_WORK: {
        _EN: (
            "nobody reviews what they worked on themselves",
            "let another person of the authority review it",
        ),
        _ZH: ("不得审核本人经办的目录", "请由主管部门其他人员审核"),
    },
    Refusal.REASON_MISSING: {
        _EN: ("the reason is missing", "say why; it is kept with the step"),
        _ZH: ("未说明理由", "请填写理由，理由将随步骤留存"),
    },
    Refusal.ENTRY_INVALID: {
        _EN: ("the entry breaks rules", "correct it first"),
        _ZH: ("目录不符合校验规则", "请先更正"),
    },
    Refusal.CODE_FIXED: {
        _EN: ("a registered entry keeps its code", "open a new entry for another code"),
        _ZH: ("已注册目录的代码不得更改", "如需其他代码请新建目录"),
    },
    Refusal.CHANGE_AHEAD: {
        _EN: ("the change lies ahead", "name the day on which the law or the function changed"),
        _ZH: ("变更日期尚未到来", "请填写法律法规或职能实际变更的日期"),
    },
    Refusal.FILING_MISSING: {
        _EN: (
            "the revision has no number of a filing",
            "file it, and give the number with its registration: one line, at most 200 characters",
        ),
        _ZH: ("该变更没有备案编号", "请备案，并在注册审核时填写备案编号（一行，不超过 200 字）"),
    },
}

STATES: Final[Mapping[State, Mapping[Language, str]]] = {
    State.DRAFT: {_EN: "a draft", _ZH: "草稿"},
    State.REGISTRATION_REVIEW: {_EN: "in registration review", _ZH: "待注册审核"},
    State.REGISTERED: {_EN: "registered", _ZH: "已注册"},
    State.PUBLICATION_REVIEW: {_EN: "in publication review", _ZH: "待发布审核"},
    State.PUBLISHED: {_EN: "published", _ZH: "已发布"},
    State.CHANGED: {_EN: "replaced by its successor", _ZH: "已变更"},
    State.WITHDRAWN: {_EN: "withdrawn", _ZH: "已下线"},
}

ACTIONS: Final[Mapping[Action, Mapping[Language, str]]] = {
    Action.OPEN: {_EN: "opened", _ZH: "新建"},
    Action.EDIT: {_EN: "edited", _ZH: "编辑"},
    Action.SUBMIT: {_EN: "submitted for registration", _ZH: "提交注册"},
    Action.REGISTER: {_EN: "registered", _ZH: "注册通过"},
    Action.REFUSE_REGISTRATION: {_EN: "registration refused", _ZH: "注册退回"},
    Action.REQUEST_PUBLICATION: {_EN: "submitted for publication", _ZH: "提交发布"},
    Action.PUBLISH: {_EN: "published", _ZH: "发布通过"},
    Action.REFUSE_PUBLICATION: {_EN: "publication refused", _ZH: "发布退回"},
    Action.REVISE: {_EN: "revised", _ZH: "变更"},
    Action.WITHDRAW: {_EN: "withdrawn", _ZH: "下线"},
    Action.SUPERSEDE: {_EN: "replaced by its successor", _ZH: "被新版本替代"},
}


def clash_in_words(against: Against, other: str, language: Language) -> tuple[str, str]:
    """What is wrong with an entry of an import, and what to do; a state is said in the language."""
    if against is Against.UNDER_REVIEW:
        other = STATES[State(other)][language]
    what, remedy = CLASHES[against][language]
    return what.format(other=other), remedy


def refusal_in_words(refusal: Refusal, state: State, language: Language) -> tuple[str, str]:
    """Why a step does not take place, and what to do."""
    what, remedy = REFUSALS[refusal][language]
    return what.format(state=STATES[state][language]), remedy
