"""`govbus evidence …`: seal the ledger, export a stretch of it, write what an auditor is to trust."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.cli.acting import AsOrNobody, account_of
from services.cli.bus import require
from services.cli.control import open_control
from services.cli.evidence_span import span_of
from services.cli.output import CommandFailed, ExitCode, Json, emit_json
from services.cli.owing import Who, owe_if_served, who_acts
from services.cli.policy import current_policy
from services.cli.replay_scope import at_of
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.evidence.keys import NoKey
from services.control.evidence.on_stack import (
    export,
    open_receipts,
    rotate,
    seal_now,
    trust_of,
    trust_path,
    trusted_witnesses,
)
from services.control.evidence.ordering import may_know_recipients, shown_to
from services.control.evidence.settings import EvidenceSettings
from services.control.evidence.spanning import Offsets
from services.control.evidence.stating import IndexBehind, NothingToProve
from services.control.evidence.witnesses import WitnessDisagrees, WitnessSilent
from services.control.owners import whose_order, whose_topic
from services.control.process.loops import NotYet
from services.control.store.database import ControlDatabase
from services.control.store.outbox import Fact
from services.control.store.receipts.orders import KIND, RECEIPT
from services.evidence.faults import Faulty
from services.evidence.hashing import AlgorithmMissing
from services.evidence.making import LedgerDiffers, NothingSealed, Span
from services.evidence.receipt_making import EVERYTHING
from services.evidence.signing import ED25519
from services.evidence.trust import Holder, trust_text
from services.ledger.coordinates import parse_coordinate
from services.stack.api import Stack
from services.stack.settings import StackSettings
from topics.event import GrantId, TopicName
from topics.grants.hold import HoldScope

app = typer.Typer(help="Prove to a third party what happened.", no_args_is_help=True)
EXPORTED: Final = "evidence.exported"
_FORMATS: Final = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]
_NO_WITNESS: Final = (
    "the log's own: no file of a witness holds one, so it proves no more than a key does "
    "(GOVBUS_EVIDENCE_WITNESS_FILE names such a file)"
)
_ENDS: Final = (
    (LedgerDiffers, ExitCode.NEGATIVE, "this is a finding: keep the topics as they are and tell the auditor"),
    (WitnessDisagrees, ExitCode.NEGATIVE, "this is a finding: keep everything as it is and tell the auditor"),
    (WitnessSilent, ExitCode.UNAVAILABLE, "the ledger is sealed; mend the witness, it is told the next time"),
    (NothingSealed, ExitCode.NEGATIVE, "seal the ledger with `govbus evidence checkpoint`"),
    (NothingToProve, ExitCode.NEGATIVE, "name another record, or wait until its delivery is sealed"),
    (IndexBehind, ExitCode.PENDING, "wait: the control process makes the index (`govbus run control`)"),
    (NotYet, ExitCode.UNAVAILABLE, "run `govbus apply`"),
    (NoKey, ExitCode.UNAVAILABLE, "look at the clock of this machine, and at the secret evidence-keys"),
    (AlgorithmMissing, ExitCode.USAGE, "install what is missing, or choose what is there"),
    (Faulty, ExitCode.USAGE, "name a trust file that `govbus evidence trust` wrote"),
)


Trusts = Annotated[
    list[Path] | None,
    typer.Option(
        "--trust", help="A trust file that it is to be verified against; may be given several times."
    ),
]


@app.callback()
def evidence() -> None:
    """Prove to a third party what happened."""


@app.command("checkpoint")
def checkpoint_command(as_json: Json = False) -> None:
    """Seal the ledger up to now and tell the witnesses; the control process does so by itself, too."""
    settings = EvidenceSettings.from_environment()
    with _stack("kafka", "registry") as stack:
        sealed, witnesses = seal_now(stack, settings, _now_ms)
    one = sealed.signed.checkpoint
    answer = {
        "number": one.number,
        "log": one.log,
        "size": one.size,
        "root": one.root,
        "time_ms": one.time_ms,
        "key": one.key,
        "witnesses": witnesses,
    }
    told = f"checkpoint {one.number}: {one.size} entries, root {one.root}, told to {witnesses} witnesses"
    _answer(answer, told, as_json=as_json)


@app.command("export")
def export_command(
    to: Annotated[Path, typer.Option("-o", help="The file to write.")],
    last: Annotated[str | None, typer.Option(help="So long until now: 90s, 30m, 1h, 7d.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", help="Begin, in UTC.", formats=_FORMATS)] = None,
    until: Annotated[datetime | None, typer.Option("--to", help="End, in UTC.", formats=_FORMATS)] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="When these offsets of an input partition were decided: TOPIC:PARTITION[:FROM-TO]."
        ),
    ] = None,
    trust: Trusts = None,
    login: AsOrNobody = None,
    as_json: Json = False,
) -> None:
    """Write the evidence of a stretch as a bundle, and compare the topics with what was sealed."""
    asked = _asked(at, last, since, until)
    with _stack("kafka", "registry") as stack:
        who = who_acts(login, Action.AUDIT_EXPORT, Whose())
        found = export(stack, asked, trusted_witnesses(stack.settings.home, trust), _now_ms())
        span, many = found.span, len(found.content)
        _handed_out(who, EXPORTED, found.content, {"from_ms": span.from_ms, "to_ms": span.to_ms})
        to.write_bytes(found.content)
    answer = {"path": str(to), "bytes": many, "from_ms": span.from_ms, "to_ms": span.to_ms}
    told = f"{to}: {many} bytes, from {_time(span.from_ms)} to {_time(span.to_ms)}"
    _answer(answer, told, as_json=as_json)


def _asked(
    at: str | None, last: str | None, since: datetime | None, until: datetime | None
) -> Span | Offsets:
    """The stretch that the options name, by time or by offsets."""
    if at is None:
        return span_of(last, since, until, _now_ms())
    if (last, since, until) != (None, None, None):
        raise CommandFailed(ExitCode.USAGE, "a stretch is by time or by offsets", "--at", "give one of both")
    topic, partition, begin, end = at_of(at)
    return Offsets(TopicName(str(topic)), partition or 0, begin, end)


@app.command("receipt")
def receipt_command(
    to: Annotated[Path, typer.Option("-o", help="The file to write.")],
    grant: Annotated[str | None, typer.Option(help="Of one record of this grant's topic.")] = None,
    partition: Annotated[int, typer.Option("-p", "--partition", min=0, help="Its partition.")] = 0,
    offset: Annotated[int | None, typer.Option(min=0, help="Its offset.")] = None,
    record: Annotated[
        str | None,
        typer.Option(
            metavar="TOPIC:PARTITION:OFFSET",
            help="Of a provider's change, by its raw coordinate: what became of it under every grant.",
        ),
    ] = None,
    withdrawn: Annotated[
        bool, typer.Option("--withdrawn", help="With --record: what a correction of the identity withdrew.")
    ] = False,
    trust: Trusts = None,
    login: AsOrNobody = None,
    as_json: Json = False,
) -> None:
    """Write the receipt of one delivery, or of every recipient of a record; `govbus verify` proves it.

    With --as it shows of the ledger what that account may see, and the digests of all else.
    """
    if (grant is None) is (record is None) or (grant is None) is not (offset is None):
        what = "a receipt is of one delivery or of one record"
        remedy = "give --grant, --partition and --offset, or --record"
        raise CommandFailed(ExitCode.USAGE, what, "", remedy)
    with _stack("kafka", "registry") as stack, open_control() as database:
        whose = _whose(stack, grant, record, login)
        who = who_acts(login, Action.AUDIT_LOOK, whose)
        shown = _shown(database, login, whose, whole=record is not None)
        witnesses = trusted_witnesses(stack.settings.home, trust)
        with open_receipts(stack, database, witnesses, _now_ms(), shown) as receipts:
            if record is not None:
                content = receipts.of_record(parse_coordinate(record), withdrawn=withdrawn)
            else:
                content = receipts.of_delivery(GrantId(str(grant)), partition, offset or 0)
        of = record or f"{grant}:{partition}:{offset}"
        facts: Mapping[str, Fact] = {"of": of, "withdrawn": withdrawn, "open": shown >= EVERYTHING}
        _handed_out(who, RECEIPT, content, facts)
        to.write_bytes(content)
    _answer({"path": str(to), "bytes": len(content)}, f"{to}: {len(content)} bytes", as_json=as_json)


@app.command("trust")
def trust_command(
    to: Annotated[
        Path | None, typer.Option("-o", help="The file to write; the installation's own if none.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write what an auditor is to trust: the public keys and the newest checkpoint of the witness."""
    with _stack("kafka") as stack:
        trust = trust_of(stack, EvidenceSettings.from_environment())
        path = to or trust_path(stack.settings.home)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(trust_text(trust))
    one = trust.witness.checkpoint
    answer = {
        "path": str(path),
        "log": trust.log,
        "keys": [key.id for key in trust.keys],
        "witness": one.number,
        "holder": trust.holder,
    }
    whose = "held by the witness' file" if trust.holder is Holder.OUTSIDE else _NO_WITNESS
    told = f"{path}: log {trust.log}, {len(trust.keys)} keys, checkpoint {one.number}, {whose}"
    _answer(answer, told, as_json=as_json)


@app.command("rotate-key")
def rotate_command(
    suite: Annotated[
        str, typer.Option(help="How the new key signs: ed25519, or what a module brings.")
    ] = ED25519,
    as_json: Json = False,
) -> None:
    """Let a new key seal from a minute after now on; then write and hand out the trust file anew."""
    with _stack("kafka") as stack:
        key = rotate(stack, EvidenceSettings.from_environment(), suite, _now_ms())
    answer = {"key": key.id, "suite": key.suite, "from_ms": key.from_ms}
    _answer(answer, f"key {key.id} ({key.suite}) seals from {_time(key.from_ms)} on", as_json=as_json)


@contextmanager
def _stack(*parts: str) -> Iterator[Stack]:
    """The environment's stack, and what goes wrong with its evidence in words."""
    stack = Stack(StackSettings.from_environment())
    require(stack, *parts)
    try:
        yield stack
    except tuple(kind for kind, _, _ in _ENDS) as error:
        code, remedy = next((code, remedy) for kind, code, remedy in _ENDS if isinstance(error, kind))
        raise CommandFailed(code, str(error), f"the stack in {stack.settings.home}", remedy) from error
    except OSError as error:
        what = f"{error.filename}: {error.strerror}"
        raise CommandFailed(ExitCode.USAGE, what, "", "name a file that can be read or written") from error


def _handed_out(who: Who, what: str, content: bytes, facts: Mapping[str, Fact]) -> None:
    """Owe the ledger that somebody takes this away, before it is written; its digest is what names it."""
    owe_if_served(who.act(what, KIND, sha256(content).hexdigest(), "", facts))


def _whose(stack: Stack, grant: str | None, record: str | None, login: str | None) -> Whose:
    """Whose delivery or record a receipt is of; the machine's user is not asked."""
    if login is None:
        return Whose()
    if record is not None:
        return whose_topic(parse_coordinate(record).topic, None)
    return whose_order(current_policy(stack), HoldScope.GRANT, str(grant))


def _shown(database: ControlDatabase, login: str | None, whose: Whose, *, whole: bool) -> frozenset[str]:
    """The topics of the ledger whose entries a receipt shows; the machine's user sees all of them anyway.

    Raises:
        CommandFailed: it is of a whole record, and the account may not know every recipient.
    """
    if login is None:
        return EVERYTHING
    with database.reading() as connection:
        principal = account_of(connection, login).principal()
    if whole and not may_know_recipients(principal, whose):
        what = f"{login} may not know every recipient of the record"
        raise CommandFailed(ExitCode.REFUSED, what, "--as", "ask its provider, or an auditor")
    return shown_to(principal, whose)


def _answer(answer: dict[str, Any], told: str, *, as_json: bool) -> None:
    if as_json:
        emit_json(answer)
    else:
        typer.echo(told)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _now_ms() -> int:
    return int(time.time() * 1000)
