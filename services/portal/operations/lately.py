"""What of quarantine and conflicts is known from earlier looks, for lists of tasks: nobody waits for it.

Something that was not read for a while is read anew in the background, of many things one at a time: a list
of tasks is opened often, and tells of what waits, not of this minute.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.api.uses.lately import Claimed, Stops
from services.ledger.claims import ClaimView
from services.ledger.quarantine import OPEN, Quarantined
from services.portal.operations.conflicts import summed
from services.portal.operations.kept import Kept
from services.portal.operations.shown import from_ms

FRESH_S: Final = 600.0
CLAIMS: Final = "claims."
"""The key of all claims among what is kept."""


@dataclass(frozen=True, slots=True)
class LatelySeen:
    """See ``services.api.uses.lately.Lately``."""

    quarantine: Kept[list[Quarantined]]
    claims: Kept[list[ClaimView]]

    def stopped(self, providers: Collection[str]) -> Mapping[str, Stops]:
        """Of those providers that have open events, as far as their quarantine was read."""
        self._read_one(providers)
        found = {}
        for provider in providers:
            events = [each for each in self.quarantine.known(provider).value or () if each.state == OPEN]
            if events:
                oldest = min(each.raw.timestamp_ms for each in events)
                found[provider] = Stops(len(events), from_ms(oldest))
        return found

    def claimed(self) -> Sequence[Claimed]:
        """The items that two departments publish."""
        views = self.claims.look(CLAIMS, fresh_s=FRESH_S).value
        return [
            Claimed(each.claimant, each.resource, each.item, each.differing, from_ms(each.first_ms))
            for each in summed(views or [])
        ]

    def _read_one(self, providers: Collection[str]) -> None:
        """Begin at most one reading, of what was read longest ago or never."""
        looks = {each: self.quarantine.known(each) for each in providers}
        if not looks or any(each.reading for each in looks.values()):
            return
        begun = {provider: each.tried for provider, each in looks.items() if each.tried is not None}
        never = sorted(looks.keys() - begun.keys())
        self.quarantine.look(never[0] if never else min(begun, key=lambda each: begun[each]), fresh_s=FRESH_S)
