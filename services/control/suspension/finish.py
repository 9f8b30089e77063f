"""Carries on what was interrupted: apply does so first, every further suspension at its end."""

import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka.admin import AdminClient

from services.control.access import Access
from services.control.acls import remove_readers
from services.control.live import receipts_path
from services.control.policy_topic import newest_policy
from services.control.settings import ApplySettings
from services.control.suspension.acts import LedgerNotReady
from services.control.suspension.journal import FileJournal, suspensions_path
from services.control.suspension.kafka_bus import KafkaBus
from services.control.suspension.suspend import Suspend
from topics.names import epochs


def now_ms() -> int:
    """Now, in ms since 1970."""
    return time.time_ns() // 1_000_000


def suspend_on(
    access: Access,
    admin: AdminClient,
    settings: ApplySettings,
    say: Callable[[str], None],
    clock_ms: Callable[[], int] = now_ms,
) -> Suspend:
    """The kill switch of a running bus."""
    journal = FileJournal(suspensions_path(access.home))
    return Suspend(KafkaBus(access, admin, settings), journal, clock_ms, say)


def finish_suspensions(
    access: Access, admin: AdminClient, settings: ApplySettings, say: Callable[[str], None]
) -> dict[str, str]:
    """Finish every interrupted suspension; return the paths of the grants' receipts."""
    found: dict[str, str] = {}
    run = suspend_on(access, admin, settings, say)
    for receipt in run.unfinished():
        say(f"an interrupted suspension is finished: {receipt.id} of {receipt.subject}")
        try:
            grants = run.carry_on(receipt).grants
        except LedgerNotReady as error:
            # Apply is about to make its place; everything but the record of it is done.
            say(f"{receipt.id} is not in the ledger yet: {error}")
            grants = receipt.grants
        for held in grants:
            found[held.grant] = str(_path(access.home, f"{held.grant}.{held.generation}"))
    return found


def _path(home: Path, name: str) -> Path:
    return receipts_path(home) / f"{name}.json"


def close_held(access: Access, admin: AdminClient) -> None:
    """Take the rights to read what a hold covers now, whoever has just given them back."""
    policy = newest_policy(access.kafka_config("admin"))
    grants = [entry.grant for entry in policy.grants.values()] if policy else []
    held = [grant for grant in grants if policy is not None and policy.holds_on(grant)]
    remove_readers(admin, sorted({topic for grant in held for topic in (grant.topic, epochs(grant.id))}))
