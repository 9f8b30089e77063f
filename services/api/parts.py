"""Everything that the handler of a request needs, in one value; tests make it with their own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.api.refusals import Refusals
from services.api.running import Bus
from services.api.settings import ApiSettings
from services.control.accounts.random_text import Random
from services.control.accounts.sessions import SessionRules
from services.control.catalogue.parameters import CatalogueRules
from services.control.definitions import Definitions
from services.control.desk.desk import Desk
from services.control.retirements.plan import SHORTEST_PARALLEL
from services.control.sending.courier import Means
from services.control.signing_in.local import LocalLogins
from services.control.signing_in.oidc import OidcLogins
from services.control.store.database import ControlDatabase
from services.control.suspension.switch import KillSwitch


@dataclass(frozen=True, slots=True)
class Parts:
    """What requests are answered with; safe to share between threads."""

    settings: ApiSettings
    database: ControlDatabase
    clock: Callable[[], datetime]
    """Now, with its zone."""
    new_id: Callable[[datetime], UUID]
    random: Random
    """So many bytes that nobody can foretell."""
    definitions: Definitions
    desk: Desk
    """Where cases are acted on."""
    logins: LocalLogins
    oidc: OidcLogins | None
    """Logins at the identity provider; None where there is none."""
    bus: Bus
    """What only the running bus can say; what is slow or may be down is asked for one thing at a time."""
    switch: KillSwitch
    """Suspends and resumes delivery; orders go on after the request that gave them."""
    session_rules: SessionRules = field(default_factory=SessionRules)
    catalogue_rules: CatalogueRules = field(default_factory=CatalogueRules)
    parallel_days: int = SHORTEST_PARALLEL
    """Working days for which an old version of a resource stays beside its successor at least."""
    means: Means | None = None
    """By what notices leave; None where the secret is gone that those of endpoints are made of."""
    refusals: Refusals = field(default_factory=Refusals)
