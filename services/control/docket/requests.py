"""What the docket asks of whoever makes grants on the bus: one request for each turn that a case takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from services.control.cases.words import DeliveryMode
from services.control.docket.written import FORM, UnknownForm
from topics.event import GrantId
from topics.grants.declaration import Grant


class Wanted(StrEnum):
    """What is asked for."""

    PROVIDE = "provide"
    """Carry out the steps that are pending, in their order, and report each."""
    OPEN = "open"
    """All steps are done: the grant is active now."""
    SUSPEND = "suspend"
    END = "end"


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """One request; a later one of the same case replaces it."""

    case: str
    round: int
    """The number of the event that began this provisioning: results of an earlier one are refused."""
    event: int
    """The number of the event that the request comes from."""
    when: datetime
    wanted: Wanted
    id: GrantId
    mode: DeliveryMode
    grant: Grant | None
    """None where nothing may be delivered: for ends, for modes in which the bus pushes nothing, and where
    ``excess`` says why."""
    steps: tuple[str, ...] = ()
    """The pending steps, in their order."""
    excess: tuple[str, ...] = ()
    """Codes of what keeps the grant from being made though it was decided: then no step may be done."""

    @property
    def document(self) -> dict[str, Any]:
        """The request as it is sent."""
        return {
            "kind": "grant",
            "form": FORM,
            "case": self.case,
            "round": self.round,
            "event": self.event,
            "wanted": self.wanted.value,
            "id": self.id,
            "mode": self.mode.value,
            "grant": None if self.grant is None else self.grant.model_dump(mode="json"),
            "steps": list(self.steps),
            "excess": list(self.excess),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], when: datetime) -> Self:
        """What ``document`` gave; it does not say when.

        Raises:
            UnknownForm: it was written in a form that is not known here.
        """
        if document.get("form") != FORM:
            raise UnknownForm(
                f"a request of form {document.get('form')!r}, and only form {FORM} is read here"
            )
        grant, mode = document["grant"], DeliveryMode(document["mode"])
        return cls(
            case=document["case"],
            round=document["round"],
            event=document["event"],
            when=when,
            wanted=Wanted(document["wanted"]),
            id=GrantId(document["id"]),
            mode=mode,
            grant=None if grant is None else _grant(grant, mode),
            steps=tuple(document["steps"]),
            excess=tuple(document["excess"]),
        )


def _grant(document: Mapping[str, Any], mode: DeliveryMode) -> Grant:
    """Orders from before batches were handed out once do not say that theirs is."""
    return Grant.model_validate({**document, "once": mode is DeliveryMode.BATCH})
