"""Proves from the topics themselves that every record has exactly one outcome; pure, takes what was read.

The order in which the evidence was read matters: ``services/ledger/evidence.py`` says how it is gathered.
"""

from collections import Counter
from collections.abc import Sequence

from services.ledger.balance_epochs import check_epochs
from services.ledger.balance_grants import grant_balances
from services.ledger.balance_inputs import input_balances
from services.ledger.balance_outputs import output_balances
from services.ledger.proof import Balance, ChainBalance, Evidence, Findings, GrantBalance, OutputBalance


def balance(evidence: Evidence) -> Balance:
    """Compare the ledger with the topics and with itself."""
    findings = Findings()
    intake = input_balances(evidence, findings, intake=True)
    delivery = input_balances(evidence, findings, intake=False)
    outputs = output_balances(evidence, findings)
    grants = grant_balances(evidence, findings)
    check_epochs(evidence, findings)
    if not evidence.quiet:
        findings.note(
            "the bus was writing while it was read; outputs are compared between the two moments of reading"
        )
    return Balance(
        closed=not findings.differences,
        complete=not any(chain.pending for chain in (*intake, *delivery)),
        quiet=evidence.quiet,
        sums=_sums(intake, delivery, outputs, grants),
        intake=intake,
        delivery=delivery,
        outputs=outputs,
        grants=grants,
        differences=findings.differences,
        notes=findings.notes,
    )


def _sums(
    intake: Sequence[ChainBalance],
    delivery: Sequence[ChainBalance],
    outputs: Sequence[OutputBalance],
    grants: Sequence[GrantBalance],
) -> dict[str, int]:
    outcomes: Counter[str] = Counter()
    for chain in intake:
        outcomes.update(chain.outcomes)
    found: Counter[str] = Counter()
    for output in outputs:
        found[output.place.topic.split(".", 1)[0]] += output.found
    return {
        "raw": sum(chain.records for chain in intake),
        **{name: outcomes[name] for name in ("accepted", "stopped", "control", "duplicate", "superseded")},
        "canonical": found["resource"],
        "quarantined": found["quarantine"],
        "claims": found["claims"],
        "on_grant_topics": found["sub"],
        "delivered": sum(grant.delivered for grant in grants),
        "tombstoned": sum(grant.tombstoned for grant in grants),
        "withheld": sum(sum(grant.withheld.values()) for grant in grants),
        "caught_up": sum(grant.caught_up for grant in grants),
        "copied": sum(grant.copied for grant in grants),
        "pending_intake": sum(chain.pending for chain in intake),
        "pending_delivery": sum(chain.pending for chain in delivery),
    }
