"""`govbus audit balance`: proves from the topics that every record has exactly one outcome."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from services.cli import audit_digests, bus
from services.cli.output import ExitCode, Form, Format, Json, emit_json, note, plain, table, wants_json
from services.ledger.balance import balance
from services.ledger.evidence import Gatherer
from services.ledger.proof import Balance

app = typer.Typer(help="Prove what happened.", no_args_is_help=True)
DAY_MS = 86_400_000
audit_digests.register(app)


@app.callback()
def audit() -> None:
    """Prove what happened."""


@app.command("balance")
def balance_command(
    as_json: Json = False,
    output: Form = Format.TABLE,
    lag_days: Annotated[
        float, typer.Option(help="Compaction lag of canonical and grant topics, in days.", min=0)
    ] = 7.0,
    settled: Annotated[
        bool, typer.Option("--settled", help="End with 5 if the books close and records are pending.")
    ] = False,
    attempts: Annotated[
        int, typer.Option(help="How often to look for a moment in which nothing is written.", min=1)
    ] = 5,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for Kafka.", min=1)] = 30.0,
) -> None:
    """Compare the ledger with the topics: exit 0 if the books close, 1 if not.

    Books close over what was decided. With --settled, pending records are an exit code of their own.
    """
    with bus.open_bus(timeout) as opened:
        lookup = opened.lookup
        gatherer = Gatherer(lookup.reader, lookup.decoder, int(lag_days * DAY_MS), attempts, note)
        result = balance(gatherer.gather(int(time.time() * 1000)))
    if wants_json(as_json, output):
        emit_json(as_answer(result))
    else:
        _print(result)
    raise typer.Exit(_exit_code(result, settled=settled))


def _exit_code(result: Balance, *, settled: bool) -> ExitCode:
    if not result.closed:
        return ExitCode.NEGATIVE
    return ExitCode.PENDING if settled and not result.complete else ExitCode.OK


def as_answer(result: Balance) -> dict[str, Any]:
    """The shape that docs/cli/audit-balance.schema.json describes."""
    return {
        "closed": result.closed,
        "complete": result.complete,
        "quiet": result.quiet,
        "sums": dict(result.sums),
        "intake": [_chain(chain) for chain in result.intake],
        "delivery": [_chain(chain) for chain in result.delivery],
        "outputs": [
            {
                "topic": output.place.topic,
                "partition": output.place.partition,
                "expected": output.expected,
                "found": output.found,
                "compared": output.compared,
            }
            for output in result.outputs
        ],
        "grants": plain(result.grants),
        "differences": plain(result.differences),
        "notes": list(result.notes),
    }


def _chain(chain: Any) -> dict[str, Any]:
    return {
        "group": chain.chain.group,
        "topic": chain.chain.topic,
        "partition": chain.chain.partition,
        "resource": chain.resource,
        "position": chain.position,
        "records": chain.records,
        "outcomes": dict(chain.outcomes),
        "reasons": dict(chain.reasons),
        "pending": chain.pending,
        "compared": chain.compared,
    }


def _print(result: Balance) -> None:
    table("Sums", ["what", "records"], result.sums.items())
    table(
        "Grants",
        ["grant", "generation", "delivered", "tombstoned", "caught up", "copied", "withheld"],
        [
            (g.grant, g.generation, g.delivered, g.tombstoned, g.caught_up, g.copied, _counts(g.withheld))
            for g in result.grants
        ],
    )
    for text in result.notes:
        note(text)
    if result.differences:
        table(
            "Differences",
            ["what", "where", "expected", "found", "detail"],
            [(d.what.value, d.where, d.expected, d.found, d.detail) for d in result.differences],
        )
    typer.echo(verdict(as_answer(result)))


def verdict(answer: Mapping[str, Any]) -> str:
    """The last line for people, of the answer: whether the books close, and over how much of it."""
    waiting = pending(answer)
    if not answer["closed"]:
        text = "THE BOOKS DO NOT CLOSE: docs/auditor.md says what to do"
        return f"{text}; besides, {waiting}" if waiting else text
    if waiting:
        return f"the books close over what was decided, AND NOT EVERYTHING IS: {waiting}"
    return "the books close, and nothing is pending"


def pending(answer: Mapping[str, Any]) -> str:
    """How many records are pending, and from where; empty if none are."""
    waiting: Counter[tuple[str, str]] = Counter()
    for chain in (*answer["intake"], *answer["delivery"]):
        waiting[chain["group"], chain["topic"]] += chain["pending"]
    places = [f"{group} has yet to decide {count} of {topic}" for (group, topic), count in (+waiting).items()]
    return f"{waiting.total()} records are pending: {', '.join(places)}" if places else ""


def _counts(counts: Any) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
