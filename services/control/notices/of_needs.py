"""What of a need for data is told: each change of its state, to those whom it concerns; pure."""

from services.control.demand.need import Need
from services.control.demand.words import Action
from services.control.notices.event import Happened, Offices, Parties
from services.control.notices.shown import Fact
from services.control.notices.words import Audience, Kind, Slot


def of_need(number: int, before: Need | None, after: Need, offices: Offices) -> Happened:
    """What is told when a need has come to where it is.

    Args:
        number: by which people call it.
        before: the need as it was; None when it was stated just now.
        after: the need now.
        offices: who is told as the authority.
    """
    opening, event = after.opening, after.events[-1] if after.events else None
    assigned = (after.assigned_to, None if before is None else before.assigned_to)
    parties: Parties = {
        Audience.CONSUMER: (opening.who.department,),
        Audience.PROVIDER: tuple(dict.fromkeys(each for each in assigned if each is not None)),
        Audience.AUTHORITY: offices.authority,
    }
    facts: dict[Slot, Fact] = {Slot.NEED: str(number), Slot.CONSUMER: opening.who.department}
    if after.assigned_to is not None:
        facts[Slot.ASSIGNEE] = after.assigned_to
    back = event is not None and event.action is Action.HAND_BACK
    kind = Kind.NEED_HANDED_BACK if back else Kind(f"need.{after.state.value}")
    at = opening.when if event is None else event.when
    return Happened(f"need:{opening.id}:{len(after.events)}", kind, at, parties, facts)
