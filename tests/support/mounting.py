"""What the control process saw of entries and topics: one stale, one without topic, one without entry."""

from typing import Any, Final

CODE: Final = "3013205/000001"
HIDDEN: Final = "social.enrolment.v1"
LAST: Final = "2026-03-02T00:30:00+00:00"
MOUNTING: Final[dict[str, dict[str, Any]]] = {
    CODE: {
        "state": "stale",
        "resource": "population.person.v1",
        "last_event_at": LAST,
        "freshness_s": 100_000.0,
        "allowed_s": 86_400.0,
        "records": 9_007_199_254_740_993,
        "differences": [{"what": "item_without_entry", "entry": None, "definition": "住址"}],
    },
    "3013205/000002": {"state": "no_topic", "resource": None, "last_event_at": None, "differences": []},
    HIDDEN: {"state": "no_entry", "resource": HIDDEN, "last_event_at": None, "differences": []},
}
RESOURCES: Final[dict[str, dict[str, Any]]] = {
    "population.person.v1": {
        "provider": "police",
        "canonical_topic": "resource.population.person.v1",
        "update_cycle": "daily",
        "accepted": 40,
        "stopped": 2,
        "reasons": {"IDENTITY_MISSING": 2},
    },
    HIDDEN: {"provider": "tax", "canonical_topic": f"resource.{HIDDEN}", "records": 3},
}
