"""Where a department's notices go: mailboxes, endpoints and their secrets, and what became of deliveries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.cases.words import Problem
from services.control.catalogue.vocabulary import Language
from services.control.notices import words
from services.control.notices.retrying import Failure, Never, NotNow
from services.control.notices.signature import secret_of
from services.control.sending.courier import Means
from services.control.sending.webhook import judged
from services.control.store.notices import addresses, deliveries
from services.control.store.notices.addresses import AddressFault, CorrectAddress, KnownAddress
from services.control.store.notices.deliveries import Letter
from services.control.store.notices.tables import Way

LAST: Final = 50
"""So many of the last deliveries are shown."""
_Said = tuple[str, str]
_SAID: Final[dict[str, tuple[_Said, _Said]]] = {
    AddressFault.NO_MAILBOX: (
        ("邮箱地址不正确", "请填写“名称@域名”，不带引号和注释"),
        ("this is no mailbox", "give name@host, without quotes or comments"),
    ),
    AddressFault.NO_ENDPOINT: (
        ("接口地址不正确", "请填写 https://主机/路径，不带用户名和片段"),
        ("this is no endpoint", "give https://host/path, without user or fragment"),
    ),
    AddressFault.KNOWN_ALREADY: (
        ("本部门已有该地址", "请使用已有的地址，或填写另一个"),
        ("the department has this address already", "use that one, or give another"),
    ),
    Failure.ADDRESS_FORBIDDEN: (
        ("该地址指向不允许访问的网络", "请填写公网可达的地址；内部网络须由运行方放行"),
        ("it leads into a network that must not be reached", "give a public address, or ask the operator"),
    ),
    Failure.NAME_UNKNOWN: (
        ("主机名无法解析", "请核对主机名"),
        ("the name of its host has no address", "correct the name of the host"),
    ),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An address that somebody wants to add."""

    way: Way
    target: str
    language: words.Language


@dataclass(frozen=True, slots=True)
class Shown:
    """An address, and the secret of an endpoint; the text is shown this once, and kept nowhere."""

    address: KnownAddress
    secret: str = field(default="", repr=False)


def listed(parts: Parts, principal: Principal, department: str | None = None) -> list[KnownAddress]:
    """The addresses of a department, of one's own unless another is named."""
    wanted = _department(parts, principal, department)
    with parts.database.reading() as connection:
        return addresses.of_department(connection, wanted)


def sent(
    parts: Parts, principal: Principal, department: str | None = None, limit: int = LAST
) -> list[Letter]:
    """The last deliveries to a department with how far each is, the latest first."""
    wanted = _department(parts, principal, department)
    with parts.database.reading() as connection:
        return deliveries.listed(connection, department=wanted, limit=limit)


def added(parts: Parts, principal: Principal, connection: Connection, wanted: Wanted) -> Shown:
    """Add an address of the own department; an endpoint is judged as it is when something is sent there.

    Raises:
        AnswerProblem: somebody may not, the address is none or may not be reached, or secrets are missing.
    """
    permit(parts, principal, Action.NOTICE_SET_ADDRESS, own(principal))
    means = _means(parts) if wanted.way is Way.WEBHOOK else None
    if means is not None:
        _judge(wanted.target, means)
    try:
        found = addresses.add(
            connection,
            principal.department,
            wanted.way,
            wanted.target,
            wanted.language,
            who=principal.person,
            now=parts.clock(),
            plain=means is not None and means.reach.plain,
        )
    except CorrectAddress as error:
        raise _refused(error.fault) from error
    return _shown(found, means)


def rotated(parts: Parts, principal: Principal, connection: Connection, id_: int) -> Shown:
    """Give an endpoint a new secret; the one before stays valid for a week.

    Raises:
        AnswerProblem: somebody may not, or there is no such endpoint that is on.
    """
    _permit_of(parts, principal, Action.NOTICE_SET_ADDRESS, addresses.one(connection, id_))
    means = _means(parts)
    found = addresses.rotate(connection, id_, who=principal.person, now=parts.clock())
    if found is None:
        raise AnswerProblem(Code.WRONG_STATE)
    return _shown(found, means)


def to_switch_off(parts: Parts, principal: Principal, id_: int) -> KnownAddress:
    """The address of that number, for whoever may switch it off.

    Raises:
        AnswerProblem: somebody may not, or there is none.
    """
    with parts.database.reading() as connection:
        found = addresses.one(connection, id_)
    _permit_of(parts, principal, Action.NOTICE_MEND_DELIVERY, found)
    if found is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return found


def switched_off(parts: Parts, principal: Principal, id_: int) -> None:
    """Send nothing there any more.

    Raises:
        AnswerProblem: somebody may not, there is none, or it is off.
    """
    with parts.database.begin() as connection:
        _permit_of(parts, principal, Action.NOTICE_MEND_DELIVERY, addresses.one(connection, id_))
        if not addresses.switch_off(connection, id_, who=principal.person, now=parts.clock()):
            raise AnswerProblem(Code.WRONG_STATE)


def tried_anew(parts: Parts, principal: Principal, id_: int) -> None:
    """Have a dead delivery tried from the beginning.

    Raises:
        AnswerProblem: somebody may not, there is none, or it is not dead.
    """
    with parts.database.begin() as connection:
        _permit_of(parts, principal, Action.NOTICE_MEND_DELIVERY, deliveries.one(connection, id_))
        if not deliveries.revive(connection, id_, who=principal.person, now=parts.clock()):
            raise AnswerProblem(Code.WRONG_STATE)


def _department(parts: Parts, principal: Principal, department: str | None) -> str:
    wanted = department or principal.department
    permit(parts, principal, Action.NOTICE_LOOK_ADDRESSES, Whose(wanted, wanted))
    return wanted


def _permit_of(
    parts: Parts, principal: Principal, action: Action, found: KnownAddress | Letter | None
) -> None:
    """What is not there is as forbidden as another department's: ids are counted up, and tell nothing."""
    whose = Whose() if found is None else Whose(found.department, found.department)
    permit(parts, principal, action, whose)
    if found is None:
        raise AnswerProblem(Code.NOT_FOUND)


def _means(parts: Parts) -> Means:
    if parts.means is None:
        raise AnswerProblem(Code.UNAVAILABLE)
    return parts.means


def _judge(target: str, means: Means) -> None:
    match judged(target, means.reach, means.lookup):
        case Never(failure=Failure.ADDRESS_MALFORMED):
            raise _refused(AddressFault.NO_ENDPOINT)
        case Never(failure=failure) | NotNow(failure=failure):
            raise _refused(failure)


def _shown(found: KnownAddress, means: Means | None) -> Shown:
    if means is None:
        return Shown(found)
    return Shown(found, secret_of(means.master, found.id, found.secrets.current))


def _refused(fault: AddressFault | Failure) -> AnswerProblem:
    code = Code.REFUSED if fault is AddressFault.KNOWN_ALREADY else Code.INVALID
    return AnswerProblem(code, _in_words(fault))


def _in_words(fault: AddressFault | Failure) -> Callable[[Language], Sequence[Problem]]:
    def problems(language: Language) -> Sequence[Problem]:
        what, remedy = _SAID[fault][language is Language.EN]
        return (Problem(fault.value, "target", what, remedy),)

    return problems
