"""Full volumes and comparisons as the collector and `govbus reconcile` leave them behind."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from services.control.store.reconciliations.proofs import Proof
from tests.support.web import NOW

BEGAN_MS: Final = int((NOW - timedelta(hours=2)).timestamp() * 1000)
ENDED_MS: Final = int((NOW - timedelta(hours=1)).timestamp() * 1000)
COUNTS: Final = {
    "ended": {
        "rows_scanned": 1_234_567,
        "keys_seen": 1_234_567,
        "candidates": 9,
        "swept": 3,
        "records": 8_901,
    },
    "waiting": {"unseen": 400, "candidates": 1_000},
}


def epoch(number: int, state: str, **more: Any) -> dict[str, Any]:
    """An epoch as the snapshot holds it."""
    wanted = {
        "number": number,
        "state": state,
        "begin_ms": BEGAN_MS,
        "told_ms": BEGAN_MS if state == "open" else ENDED_MS,
        "begins": {"0": 5},
        "columns": [],
        "initial": False,
        "reason": "",
        "by": "operator:test",
        "detail": "",
        "counts": COUNTS.get(state, {}),
        "digest": "ab" * 32 if state == "ended" else "",
    }
    return wanted | more


def volume_document(
    provider: str = "police", epochs: Sequence[dict[str, Any]] = (), **more: Any
) -> dict[str, Any]:
    """The snapshot of a resource's full volumes."""
    wanted = {
        "code": "3010103200001",
        "provider": provider,
        "captured": True,
        "epochs": list(epochs),
        "marked_ms": None,
        "read": 1,
        "progress": None,
    }
    return wanted | more


def proof(kinds: dict[str, int] | None = None, resource: str = "population.person.v1", **more: Any) -> Proof:
    """What a comparison left behind; without differences an equal one."""
    counts = {"lost": 0, "extra": 0, "different": 0, "duplicated": 0} | (kinds or {})
    differing = sum(counts.values())
    shown = {
        "kind": "lost",
        "key": "0123456789abcdef",
        "items": [],
        "explained": None,
        "reason": None,
        "raw": None,
        "canonical": ["resource.population.person.v1:0:7"],
        "record_id": None,
        "source": None,
        "topic": None,
    }
    document = {
        "differences": counts,
        "explained": {},
        "ranges": {"compared": 256, "differing": min(1, differing)},
        "shown": [shown] if differing else [],
        "sinks": [],
        "timeliness": {
            "update_cycle": "real_time",
            "allowed_s": 300.0,
            "newest_change_at": NOW.isoformat(),
            "silent_s": 0.0,
            "changes": 5_000,
            "late": differing,
            "half_within_s": 0.512,
            "nearly_all_within_s": 90.0,
            "longest_s": 90.0,
        },
    }
    wanted: dict[str, Any] = {
        "resource": resource,
        "provider": "police",
        "at": NOW,
        "cut": "0/16B3748",
        "same": not differing,
        "source_rows": 5_000,
        "source_digest": "0" * 32,
        "canonical_rows": 5_000 - differing,
        "canonical_digest": ("1" if differing else "0") * 32,
        "differences": differing,
        "explained": 0,
        "document": document | more.pop("document", {}),
    }
    return Proof(**(wanted | more))
