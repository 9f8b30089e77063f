"""Looks for drift by itself: what is too much is taken away, what an active case lacks is given back.

What was found stands among the alarms for a day after it was mended, because somebody must ask how it came to
be, and for as long as it cannot be mended.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.control.process.loops import NotYet
from services.control.provisioning.drift import TOO_MUCH, Finding, Kind
from services.control.provisioning.ports import CannotProvide
from services.control.provisioning.repairing import DatabaseIsOlder, Drift, Repaired, WorkerIsBusy
from services.control.store import snapshots
from services.control.store.database import ControlDatabase
from topics.policy import Policy

STANDS: Final = timedelta(days=1)
"""For so long what was mended stays among the alarms."""
_REMEDY: Final = "find out who changed the bus past the cases; `govbus grant drift` compares anew"
_RESTORE: Final = "restore a newer database; until then nothing is repaired"


class DriftStands(Exception):  # noqa: N818 - says what is the matter
    """The bus differs from the cases and could not be mended: `govbus grant drift` says where and why."""


@dataclass(frozen=True, slots=True)
class DriftTurn:
    """Takes turns; the worker's own locks see to it that nobody else changes the bus meanwhile."""

    database: ControlDatabase
    drift: Drift
    policy: Callable[[], Policy | None]
    """The newest policy: before there is one there is nothing to compare."""
    now: Callable[[], datetime]

    def turn(self) -> bool:
        """Look once, and mend; returns whether anything was mended.

        Raises:
            NotYet: nothing was applied, cases do not decide about grants yet, or the worker is at it.
            DriftStands: something differs and could not be mended; it stands among the alarms.
        """
        if self.policy() is None:
            raise NotYet("there is no policy yet: `govbus apply` writes it")
        try:
            repaired = self.drift.repair()
        except (WorkerIsBusy, CannotProvide) as reason:
            raise NotYet(str(reason)) from reason
        except DatabaseIsOlder as error:
            self._keep(Repaired(error.findings, left=tuple((each, _RESTORE) for each in error.findings)))
            raise DriftStands(str(error)) from error
        self._keep(repaired)
        if repaired.left:
            raise DriftStands(f"{len(repaired.left)} differences from the cases could not be mended")
        return bool(repaired.done)

    def _keep(self, repaired: Repaired) -> None:
        now = self.now()
        with self.database.begin() as connection:
            before = snapshots.all_of(connection, snapshots.Kind.DRIFT).documents
            seen = dict(_documents(repaired, now))
            stands = {name: each for name, each in before.items() if _is_recent(each, now)}
            snapshots.put(connection, snapshots.Kind.DRIFT, stands | seen, now)


def _documents(repaired: Repaired, now: datetime) -> Iterable[tuple[str, dict[str, Any]]]:
    for finding in repaired.done:
        did = "taken away" if finding.kind in TOO_MUCH else "given back"
        yield _name(finding), _document(finding, did, _REMEDY, now) | {"mended_at": now.isoformat()}
    for finding, why in repaired.left:
        remedy = _RESTORE if finding.kind is Kind.OLDER_DATABASE else _REMEDY
        yield _name(finding), _document(finding, f"not mended: {why}", remedy, now)


def _name(finding: Finding) -> str:
    return f"drift:{finding.kind.value}:{finding.grant}:{finding.what}"


def _document(finding: Finding, did: str, remedy: str, now: datetime) -> dict[str, Any]:
    return {
        "kind": f"drift-{finding.kind.value}",
        "subject": finding.grant or (finding.acl.user if finding.acl is not None else "bus"),
        "detail": f"{finding.what} ({did})",
        "remedy": remedy,
        "seen_at": now.isoformat(),
    }


def _is_recent(document: Mapping[str, Any], now: datetime) -> bool:
    mended = document.get("mended_at")
    return isinstance(mended, str) and now - datetime.fromisoformat(mended) < STANDS
