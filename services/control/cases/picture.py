"""The life cycle as a table for people, made of the table that decides; docs/cases.md holds it."""

from typing import Final

from services.control.cases.table import TRANSITIONS, Demand
from services.control.cases.words import Action

_EVERYWHERE: Final = frozenset({Action.COMPLAIN, Action.REPLY})
"""Possible in every state but draft, and said in a sentence instead of thirty rows."""
_UNSAID: Final = frozenset({Demand.RESOURCE})
"""What no person gives."""


def life_cycle() -> str:
    """The Markdown table of all transitions but those of complaints."""
    lines = ["| from | action | to | who | demands |", "|---|---|---|---|---|"]
    for (state, action), transition in TRANSITIONS.items():
        if action not in _EVERYWHERE:
            who = ", ".join(party.value for party in transition.parties)
            demands = ", ".join(each.value for each in transition.demands if each not in _UNSAID)
            cells = (state.value, action.value, transition.after.value, who, demands)
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
