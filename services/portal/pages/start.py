"""The start page and the list of tasks: what waits, what is overdue, what is new; each one click away."""

from collections.abc import Sequence
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.security.asking import Asker, asker_of
from services.api.security.cookies import parts_of
from services.control.accounts.decision import Principal
from services.control.clocks.calendar import civil_day
from services.control.notices.text import text_of
from services.control.notices.words import Language as NoticeLanguage
from services.control.store.cases.listing import Breach, breaches
from services.control.store.notices import inbox
from services.portal.departments import code_of
from services.portal.forms import go
from services.portal.lists import address_of
from services.portal.languages import CHINESE, Tongue, tongue_of
from services.portal.rendering import page
from services.portal.uses.tasks import Kind, Task, late, tasks_of

router = APIRouter(include_in_schema=False)
_SHOWN = 10


@router.get("/")
def start_page(request: Request) -> Response:
    """What a person needs first."""
    asker = asker_of(request)
    if asker.person.must_change_password:
        return go("/account?first=yes")
    parts = parts_of(request)
    today = civil_day(parts.clock())
    with parts.database.reading() as connection:
        tasks = tasks_of(connection, asker.principal, code_of(request, asker.person.department), today)
        overdue = breaches(connection, today, _watched(asker.principal), limit=_SHOWN)
        received = inbox.page(connection, asker.person.department, asker.name, limit=5)
        unread = inbox.unread_count(connection, asker.person.department, asker.name)
    return page(
        request,
        "start.html",
        tasks=tasks[:_SHOWN],
        count=len(tasks),
        late=late(tasks),
        overdue=[each for each in overdue if _sees(asker, each)],
        received=[(each, notice_text(each, tongue_of(request))) for each in received],
        unread=unread,
    )


@router.get("/tasks")
def tasks_page(request: Request) -> Response:
    """Everything that waits for a person."""
    asker = asker_of(request)
    parts, here = parts_of(request), address_of(request)
    today = civil_day(parts.clock())
    with parts.database.reading() as connection:
        tasks = tasks_of(connection, asker.principal, code_of(request, asker.person.department), today)
    kinds = {kind.value: sum(task.kind is kind for task in tasks) for kind in Kind}
    shown = _sorted(_filtered(tasks, here.get("kind"), here.get("late")), here.get("sort"), today)
    return page(request, "tasks.html", tasks=shown, count=len(tasks), kinds=kinds, late=late(tasks))


def notice_text(received: inbox.Received, tongue: Tongue) -> tuple[str, str, str]:
    """What happened, what to do, and the page about it."""
    language = NoticeLanguage.ZH if tongue == CHINESE else NoticeLanguage.EN
    text = text_of(received.happened, language, "")
    return text.subject, text.what_to_do, text.link


def _filtered(tasks: Sequence[Task], kind: str, only_late: str) -> list[Task]:
    return [
        task for task in tasks if (not kind or task.kind.value == kind) and (not only_late or task.overdue)
    ]


def _sorted(tasks: list[Task], sort: str, today: date) -> list[Task]:
    keys = {
        "name": lambda task: task.name,
        "subject": lambda task: task.subject,
        "state": lambda task: task.state.value,
        "other": lambda task: task.other,
        "due": lambda task: (task.due_on is None, task.due_on or today),
    }
    key = keys.get(sort.removeprefix("-"))
    return tasks if key is None else sorted(tasks, key=key, reverse=sort.startswith("-"))


def _watched(principal: Principal) -> str | None:
    """Whose breaches are shown: a provider sees its own, whoever oversees all of them."""
    narrow = {role.value for role in principal.roles} <= {"provider", "consumer"}
    return principal.department if narrow else None


def _sees(asker: Asker, breach: Breach) -> bool:
    own = asker.person.department
    narrow = {role.value for role in asker.principal.roles} <= {"provider", "consumer"}
    return not narrow or own in (breach.provider, breach.consumer)
