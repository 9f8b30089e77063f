"""`govbus case`: apply, decide, suspend, look at cases; who acts is an account that may."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli import case_lists, case_provision
from services.cli.acting import As
from services.cli.case_forms import read_application, read_approval, read_whole
from services.cli.case_opened import Folder, case_id, the_desk
from services.cli.case_parties import Asking, Key, Seen, order_of, order_on
from services.cli.case_stopped import wider_stops
from services.cli.case_view import case_shape, print_case, tell_answer
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, wants_json
from services.control.accounts.actions import Action as Asked
from services.control.accounts.decision import Whose
from services.control.cases.case import Given
from services.control.cases.more_time import MoreTime
from services.control.cases.provisioning import Step
from services.control.cases.words import Action, RefusalReason, StopReason
from services.control.desk.orders import Done
from services.control.store.cases.reading import load
from services.control.store.ids import new_id
from services.control.store.provisioning.works import works_of

app = typer.Typer(help="Sharing cases: who applied for what, who decided, what is due.", no_args_is_help=True)
case_lists.register(app)
case_provision.register(app)

Case = Annotated[str, typer.Argument(help="The number of the case, or its id.")]
Text = Annotated[str, typer.Option("--text", help="What is said, in words.")]
Whole = Annotated[
    list[str] | None,
    typer.Option(
        "--whole",
        metavar="ITEM=WHY",
        help="An item that goes out whole in spite of its grade, and why the duty needs it so; repeatable.",
    ),
]
AcceptableIf = Annotated[str, typer.Option("--acceptable-if", help="What would make it acceptable.")]
ByAction = {
    "edit": Action.EDIT,
    "supplement": Action.SUPPLEMENT,
    "withdraw": Action.WITHDRAW,
    "accept": Action.ACCEPT,
    "return": Action.RETURN,
    "negotiate": Action.NEGOTIATE,
    "agree": Action.AGREE,
    "escalate": Action.ESCALATE,
    "uphold": Action.UPHOLD,
    "dismiss": Action.DISMISS,
    "complain": Action.COMPLAIN,
    "reply": Action.REPLY,
    "retry_step": Action.RETRY_STEP,
}
"""What `govbus case act` takes: the actions without a command of their own that people take."""


@app.callback()
def case() -> None:
    """Sharing cases: who applied for what, who decided, what is due."""


@app.command("apply")
def apply_command(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="The application as YAML or JSON."),
    ],
    who: As,
    submit: Annotated[bool, typer.Option("--submit", help="Hand it in at once.")] = False,
    key: Key = None,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Open a case with an application; it is a draft until it is submitted (exit code 4 if not opened)."""
    application, desk = read_application(file), the_desk(definitions)
    whose = Whose(consumer=application.applicant)
    with open_control() as database, database.begin() as connection:
        order = order_of(connection, Asking(who, key), Asked.CASE_OPEN, whose)
        opened = desk.open(connection, order, new_id(order.now), application)
    if not submit or not isinstance(opened, Done):
        tell_answer(opened, wants_json(as_json, output))
        return
    handed_in = Asking(who, f"{order.key}:submit")
    _act(
        opened.filed.case.opening.id,
        handed_in,
        Action.SUBMIT,
        Given(),
        definitions,
        wants_json(as_json, output),
    )


@app.command("submit")
def submit_command(
    case: Case,
    who: As,
    key: Key = None,
    seen: Seen = None,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Hand a draft in."""
    _act(case, Asking(who, key, seen), Action.SUBMIT, Given(), definitions, wants_json(as_json, output))


@app.command("decide")
def decide_command(
    case: Case,
    who: As,
    approve: Annotated[bool, typer.Option("--approve", help="Give what was applied for.")] = False,
    part: Annotated[
        Path | None,
        typer.Option(
            "--part",
            exists=True,
            dir_okay=False,
            readable=True,
            help="Give what this YAML or JSON file names.",
        ),
    ] = None,
    refuse: Annotated[
        RefusalReason | None, typer.Option("--refuse", help="Give nothing, for this reason.")
    ] = None,
    send_back: Annotated[bool, typer.Option("--return", help="Return it for supplement.")] = False,
    whole: Whole = None,
    text: Text = "",
    acceptable_if: AcceptableIf = "",
    key: Key = None,
    seen: Seen = None,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Decide on an application: all of it, a part, nothing, or back to the applicant."""
    if sum((approve, part is not None, refuse is not None, send_back)) != 1:
        raise typer.BadParameter("give one of --approve, --part, --refuse and --return")
    if whole and not (approve or part is not None):
        raise typer.BadParameter("--whole stands beside --approve or --part")
    kept_whole = read_whole(whole or [])
    given = Given(text=text, refusal_reason=refuse, acceptable_if=acceptable_if, whole=kept_whole)
    action = Action.APPROVE if approve else Action.RETURN if send_back else Action.REFUSE
    if part is not None:
        approval = read_approval(part)
        action, given = Action.APPROVE_IN_PART, Given(text=text, approval=approval, whole=kept_whole)
    _act(case, Asking(who, key, seen), action, given, definitions, wants_json(as_json, output))


@app.command("suspend")
def suspend_command(
    case: Case,
    who: As,
    reason: Annotated[StopReason, typer.Option(help="Why.")],
    text: Text = "",
    key: Key = None,
    seen: Seen = None,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Stop the delivery for now."""
    given = Given(text=text, stop_reason=reason)
    _act(case, Asking(who, key, seen), Action.SUSPEND, given, definitions, wants_json(as_json, output))


@app.command("resume")
def resume_command(
    case: Case,
    who: As,
    text: Text = "",
    key: Key = None,
    seen: Seen = None,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Let a suspended case be filled again and go on."""
    _act(
        case,
        Asking(who, key, seen),
        Action.RESUME,
        Given(text=text),
        definitions,
        wants_json(as_json, output),
    )


@app.command("terminate")
def terminate_command(
    case: Case,
    who: As,
    reason: Annotated[StopReason, typer.Option(help="Why.")],
    text: Text = "",
    key: Key = None,
    seen: Seen = None,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """End a case for good."""
    given = Given(text=text, stop_reason=reason)
    _act(case, Asking(who, key, seen), Action.TERMINATE, given, definitions, wants_json(as_json, output))


@app.command("appeal")
def appeal_command(
    case: Case,
    who: As,
    text: Text = "",
    key: Key = None,
    seen: Seen = None,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Contest a refusal, or from the draft that an entry is not shared."""
    _act(
        case,
        Asking(who, key, seen),
        Action.APPEAL,
        Given(text=text),
        definitions,
        wants_json(as_json, output),
    )


@app.command("extend")
def extend_command(
    case: Case,
    who: As,
    days: Annotated[int, typer.Option("--days", min=1, help="How many more days, of the clock's unit.")],
    approver: Annotated[
        str, typer.Option("--approver", help="Who has approved it, as the rule names him: authority.")
    ],
    clock: Annotated[
        int | None, typer.Option("--clock", min=1, help="Its number in `govbus clock explain`.")
    ] = None,
    text: Text = "",
    key: Key = None,
    seen: Seen = None,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Give the duty that runs more time, once, as far as its rule allows."""
    given = Given(text=text, more_time=MoreTime(days, approver, clock))
    _act(case, Asking(who, key, seen), Action.EXTEND, given, definitions, wants_json(as_json, output))


@app.command("act")
def act_command(
    case: Case,
    action: Annotated[str, typer.Argument(help=f"One of: {', '.join(ByAction)}.")],
    who: As,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            exists=True,
            dir_okay=False,
            readable=True,
            help="The application, or what a ruling gives, as YAML or JSON.",
        ),
    ] = None,
    refusal_reason: Annotated[
        RefusalReason | None, typer.Option("--refuse", help="Why a ruling refuses.")
    ] = None,
    step: Annotated[Step | None, typer.Option(help="The step that is tried again.")] = None,
    whole: Whole = None,
    text: Text = "",
    acceptable_if: AcceptableIf = "",
    key: Key = None,
    seen: Seen = None,
    definitions: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Take any other action of the life cycle, such as supplement, escalate, uphold or complain."""
    chosen = ByAction.get(action)
    if chosen is None:
        remedy = f"use one of: {', '.join(ByAction)}"
        raise CommandFailed(ExitCode.USAGE, f"there is no action {action}", "ACTION", remedy)
    applies = file if chosen in (Action.EDIT, Action.SUPPLEMENT) else None
    gives = file if chosen is Action.UPHOLD else None
    if whole and gives is None:
        raise typer.BadParameter("--whole stands beside the --file of a ruling that gives something")
    given = Given(
        text=text,
        refusal_reason=refusal_reason,
        acceptable_if=acceptable_if,
        application=None if applies is None else read_application(applies),
        approval=None if gives is None else read_approval(gives),
        step=step,
        whole=read_whole(whole or []),
    )
    _act(case, Asking(who, key, seen), chosen, given, definitions, wants_json(as_json, output))


@app.command("show")
def show_command(case: Case, as_json: Json = False, output: Form = Format.TABLE) -> None:
    """Show a case with its application, decision, steps and everything that happened."""
    with open_control() as database, database.reading() as connection:
        id_ = case_id(connection, case)
        filed, works = load(connection, id_), works_of(connection, id_)
        stopped = [] if filed is None else wider_stops(connection, filed.case.opening.grant)
    if filed is None:
        raise CommandFailed(ExitCode.NEGATIVE, f"there is no case {case}", "CASE", "`govbus case list`")
    if wants_json(as_json, output):
        emit_json(case_shape(filed, works, stopped))
    else:
        print_case(filed, works, stopped)


def _act(
    case: str, asking: Asking, action: Action, given: Given, definitions: Path | None, as_json: bool
) -> None:
    desk = the_desk(definitions)
    with open_control() as database, database.begin() as connection:
        id_ = case_id(connection, case)
        filed = load(connection, id_, lock=True)
        if filed is None:
            raise CommandFailed(ExitCode.NEGATIVE, f"there is no case {case}", "CASE", "`govbus case list`")
        order = order_on(connection, asking, action, filed)
        answer = desk.act(connection, order, id_, action, given)
    tell_answer(answer, as_json)
