"""The life cycle as a table for people, made of the table that decides; docs/tickets.md holds it."""

from typing import Final

from services.control.tickets.table import TRANSITIONS
from services.control.tickets.words import Action

_EVERYWHERE: Final = frozenset({Action.LIST, Action.TELL})
"""What the control plane does in many states; said in a sentence instead of fifteen rows."""


def life_cycle() -> str:
    """The Markdown table of all transitions but those of listing and telling."""
    lines = ["| from | action | to | who | demands |", "|---|---|---|---|---|"]
    for (state, action), transition in TRANSITIONS.items():
        if action not in _EVERYWHERE:
            who = ", ".join(party.value for party in transition.parties)
            demands = ", ".join(each.value for each in transition.demands)
            cells = (state.value, action.value, transition.after.value, who, demands)
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
