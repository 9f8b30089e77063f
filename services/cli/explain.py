"""`govbus explain`: what became of one record, stage by stage and grant by grant."""

from typing import Annotated

import typer

from services.cli import bus
from services.cli.output import Form, Format, Json, emit_json, note, table, wants_json
from services.ledger.coordinates import parse_coordinate
from services.ledger.explain import Explanation, explain
from services.ledger.explain_epoch import EpochExplanation


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("explain")(explain_command)


def explain_command(
    coordinate: Annotated[
        str,
        typer.Argument(
            metavar="TOPIC:PARTITION:OFFSET", help="A raw, canonical, quarantine, claim or grant record."
        ),
    ],
    as_json: Json = False,
    output: Form = Format.TABLE,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for Kafka.", min=1)] = 30.0,
) -> None:
    """Explain one record: every stage's outcome, and for each grant delivered (where) or withheld (why)."""
    asked = parse_coordinate(coordinate)
    with bus.open_bus(timeout) as opened:
        found = explain(opened.lookup, asked)
    if wants_json(as_json, output):
        emit_json(found)
    else:
        _print(found)


def _print(found: Explanation) -> None:
    version = "none yet" if found.policy_version is None else str(found.policy_version)
    outcome = " ".join(filter(None, (found.outcome, found.reason)))
    typer.echo(f"{found.raw}: {outcome} (policy version {version})")
    if found.quarantined_at:
        typer.echo(f"quarantined at {found.quarantined_at}")
    table(
        "Gate",
        ["stage", "outcome", "reason", "detail"],
        [(stage.stage, stage.outcome, stage.reason, stage.detail) for stage in found.stages],
    )
    table(
        "Grants",
        ["consumer", "grant", "outcome", "reason", "where", "epoch", "canonical record", "policy version"],
        [
            (
                g.consumer,
                g.grant,
                _outcome(g.outcome, g.disputed),
                g.reason,
                g.at,
                _epoch(g.epoch),
                g.canonical,
                g.policy_version,
            )
            for g in found.grants
        ],
    )
    for text in found.notes:
        note(text)


def _outcome(outcome: str, disputed: tuple[str, ...] | None) -> str:
    return f"{outcome}, disputed: {', '.join(disputed)}" if disputed else outcome


def _epoch(epoch: EpochExplanation | None) -> str:
    if epoch is None:
        return ""
    outcome = _outcome(epoch.outcome, epoch.disputed)
    said = " ".join(filter(None, (epoch.by, outcome, epoch.reason)))
    return f"{said}: {epoch.detail}" if epoch.detail else said
