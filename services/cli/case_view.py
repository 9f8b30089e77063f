"""Cases and answers of the desk as JSON and as tables."""

from collections.abc import Sequence
from typing import Any, Final

import typer

from services.cli.output import CommandFailed, ExitCode, emit_json, table
from services.control.cases.case import Event
from services.control.cases.words import Problem
from services.control.desk.orders import (
    Answer,
    Declined,
    Done,
    KeyReused,
    NoSuchCase,
    NotOpened,
    OpeningAnswer,
    Overtaken,
)
from services.control.docket.filed import Filed
from services.control.docket.written import event_document
from services.control.store.cases.listing import Breach, CaseLine
from services.control.store.provisioning.works import Work

_STOPPED: Final = ("id", "scope", "name", "since", "by", "reason")


def answer_shape(answer: Answer | OpeningAnswer) -> dict[str, Any]:
    """The answer of the desk as one object.

    Raises:
        CommandFailed: there is no such case, or the key was used for something else.
    """
    match answer:
        case Done(filed, repeated):
            return _shape(
                "done", filed.case.opening.id, filed.number, filed.version, filed.case.state.value
            ) | {"repeated": repeated}
        case Declined():
            told = _shape("declined", answer.case, answer.number, answer.version, answer.state.value)
            return told | {"repeated": answer.repeated, "problems": _problems(answer.problems)}
        case Overtaken():
            told = _shape("overtaken", answer.case, answer.number, answer.version, answer.state.value)
            return told | {
                "repeated": answer.repeated,
                "meanwhile": [_event(each) for each in answer.meanwhile],
            }
        case NotOpened(problems, repeated):
            return _shape("declined", None, None, None, None) | {
                "repeated": repeated,
                "problems": _problems(problems),
            }
        case KeyReused(key):
            remedy = "give another --key, or leave it out"
            raise CommandFailed(ExitCode.USAGE, f"the key {key} was used for something else", "--key", remedy)
        case NoSuchCase(case):
            raise CommandFailed(ExitCode.NEGATIVE, f"there is no case {case}", "CASE", "`govbus case list`")


def tell_answer(answer: Answer | OpeningAnswer, as_json: bool) -> None:
    """Print the answer of the desk, and end with exit code 4 unless it was done."""
    shape = answer_shape(answer)
    if as_json:
        emit_json(shape)
    elif shape["outcome"] == "done":
        typer.echo(f"case {shape['number']} is {shape['state']} (version {shape['version']})")
    else:
        _tell_why_not(shape)
    if shape["outcome"] != "done":
        raise typer.Exit(ExitCode.REFUSED)


def case_shape(
    filed: Filed, works: Sequence[Work] = (), stopped: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """A case with everything that is known of it."""
    case = filed.case
    events = [
        {**_event(event), "recorder": recorder}
        for event, recorder in zip(case.events, filed.recorders, strict=True)
    ]
    steps = [
        {
            "step": each.step.value,
            "progress": each.progress.value,
            "attempts": each.attempts,
            "fault": None if each.fault is None else each.fault.value,
            "reason": each.reason,
        }
        for each in case.steps
    ]
    return {
        "case": case.opening.id,
        "number": filed.number,
        "state": case.state.value,
        "version": filed.version,
        "consumer": case.opening.applicant,
        "provider": case.opening.provider,
        "entry_code": filed.entry_code,
        "grant": case.opening.grant,
        "policy": filed.digest,
        "level": case.level,
        "suspended_by": None if case.suspended_by is None else case.suspended_by.value,
        "open_complaints": case.open_complaints,
        **_contents(filed),
        "steps": steps,
        "requests": [_work(each) for each in works],
        "stopped": list(stopped),
        "events": events,
    }


def line_shape(line: CaseLine) -> dict[str, Any]:
    """A case as a list shows it."""
    return {
        "case": str(line.id),
        "number": line.number,
        "state": line.state.value,
        "version": line.version,
        "consumer": line.consumer,
        "provider": line.provider,
        "resource": line.resource,
        "entry_code": line.entry_code,
        "opened_at": line.opened_at.isoformat(),
        "moved_at": line.moved_at.isoformat(),
        "ends_on": None if line.ends_on is None else line.ends_on.isoformat(),
        "due_on": None if line.due_on is None else line.due_on.isoformat(),
        "due_for": line.due_for,
        "due_from": line.due_from,
        "due_provisional": line.due_provisional,
        "open_complaints": line.open_complaints,
    }


def breach_shape(breach: Breach) -> dict[str, Any]:
    """A duty that is overdue."""
    return {
        "case": str(breach.case),
        "number": breach.number,
        "state": breach.state.value,
        "consumer": breach.consumer,
        "provider": breach.provider,
        "key": breach.key,
        "stage": breach.stage,
        "obliged": breach.obliged,
        "due_on": breach.due_on.isoformat(),
    }


def print_lines(title: str, shapes: Sequence[dict[str, Any]]) -> None:
    """Print cases for a person."""
    names = ("number", "state", "consumer", "provider", "resource", "due_on", "due_for", "due_from")
    table(title, names, [[shape[name] for name in names] for shape in shapes])


def print_case(filed: Filed, works: Sequence[Work] = (), stopped: Sequence[dict[str, Any]] = ()) -> None:
    """Print a case for a person."""
    shape = case_shape(filed, works, stopped)
    names = ("number", "state", "version", "consumer", "provider", "entry_code", "grant")
    table("Case", names, [[shape[name] for name in names]])
    rows = [
        [each.number, each.when, each.action.value, f"{each.who.role.value}:{each.who.department}", each.text]
        for each in filed.case.events
    ]
    table("Events", ("number", "when", "action", "who", "text"), rows)
    if shape["steps"]:
        steps = [list(each.values()) for each in shape["steps"]]
        table("Steps", ("step", "progress", "attempts", "fault", "reason"), steps)
    if shape["requests"]:
        asked = [list(each.values()) for each in shape["requests"]]
        table("On the bus", tuple(shape["requests"][0]), asked)
    if shape["stopped"]:
        held = [[each[name] for name in _STOPPED] for each in shape["stopped"]]
        table("Delivery is stopped", _STOPPED, held)


def _work(work: Work) -> dict[str, Any]:
    """What the case asked of the bus, and how far that is."""
    return {
        "event": work.event,
        "wanted": work.wanted.value,
        "outcome": work.outcome.value,
        "attempts": work.attempts,
        "receipt": work.receipt,
        "records": work.records,
        "withdrawn": work.withdrawn,
        "note": work.note,
        "next_at": None if work.next_at is None else work.next_at.isoformat(),
        "ended_at": None if work.ended_at is None else work.ended_at.isoformat(),
    }


def _contents(filed: Filed) -> dict[str, Any]:
    """Application, approval and refusal as the docket writes them."""
    kept = filed.folded
    return {name: kept[name] for name in ("application", "approval", "refusal", "ends_on")}


def _shape(
    outcome: str, case: str | None, number: int | None, version: int | None, state: str | None
) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "case": case,
        "number": number,
        "version": version,
        "state": state,
        "problems": [],
        "meanwhile": [],
    }


def _problems(problems: Sequence[Problem]) -> list[dict[str, str]]:
    return [
        {"code": each.code, "field": each.field, "what": each.what, "remedy": each.remedy}
        for each in problems
    ]


def _event(event: Event) -> dict[str, Any]:
    return {name: value for name, value in event_document(event).items() if name != "form"}


def _tell_why_not(shape: dict[str, Any]) -> None:
    if shape["outcome"] == "overtaken":
        rows = [
            [
                each["number"],
                each["when"],
                each["action"],
                f"{each['who']['role']}:{each['who']['department']}",
            ]
            for each in shape["meanwhile"]
        ]
        table(
            f"Nothing was done: meanwhile, case {shape['number']}", ("number", "when", "action", "who"), rows
        )
    else:
        problems = [[each["code"], each["field"], each["what"], each["remedy"]] for each in shape["problems"]]
        table("Nothing was done", ("code", "field", "problem", "what to do"), problems)
