"""What of an objection is told: that it came, its extension, and the answer; pure."""

from services.control.clocks.calendar import Due
from services.control.notices.event import Happened, Offices, Parties
from services.control.notices.shown import Fact
from services.control.notices.words import Audience, Kind, Slot
from services.control.objections.objection import Objection
from services.control.objections.words import Action


def of_objection(number: int, objection: Objection, due: Due | None, offices: Offices) -> Happened:
    """What is told when an objection has come to where it is.

    Args:
        number: by which people call it.
        objection: with what just happened to it.
        due: until when it has to be answered, if it has.
        offices: who is told as the authority.
    """
    opening, event = objection.opening, objection.events[-1] if objection.events else None
    parties: Parties = {
        Audience.CONSUMER: (opening.who.department,),
        Audience.PROVIDER: (opening.provider,),
        Audience.AUTHORITY: offices.authority,
    }
    facts: dict[Slot, Fact] = {Slot.OBJECTION: str(number), Slot.CONSUMER: opening.who.department}
    if due is not None:
        facts[Slot.DAY] = due.day
    extended = event is not None and event.action is Action.EXTEND
    kind = Kind.OBJECTION_EXTENDED if extended else Kind(f"objection.{objection.state.value}")
    at = opening.when if event is None else event.when
    return Happened(f"objection:{opening.id}:{len(objection.events)}", kind, at, parties, facts)
