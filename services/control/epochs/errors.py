"""What ends a run of an epoch early, each named after what is to be done."""

import shlex

from producers.connect_status import Health
from topics.event import ProviderId, ResourceId


def start_command(resource: ResourceId, where: tuple[str, ...] = (), *, confirmed: bool = False) -> str:
    """The order that goes on with an epoch over these rows, whatever goes if it is ``confirmed``."""
    narrowed = [f"--where={each}" for each in where]
    meant = ["--confirm-shrink"] if confirmed else []
    return shlex.join(["govbus", "snapshot", "start", resource, *narrowed, *meant])


class CorrectOrder(Exception):  # noqa: N818 - says what the caller does
    """The order cannot be carried out as it is."""


class AbortFirst(Exception):  # noqa: N818 - says what the caller does
    """Another epoch is open: let it end, or abort it."""

    def __init__(self, resource: ResourceId, what: str) -> None:
        super().__init__(f"{what}: let it end, or `govbus snapshot abort {resource}`")
        self.resource = resource


class ScanStalled(Exception):  # noqa: N818 - says what is the matter
    """The connector tells nothing and writes nothing; the epoch stays open."""

    def __init__(
        self, resource: ResourceId, provider: ProviderId, seconds: float, health: Health | None
    ) -> None:
        state = "Connect does not answer" if health is None else f"the connector is {health.name}"
        super().__init__(f"the snapshot of {resource} has not got on for {seconds:.0f} s; {state}")
        self.remedy = (
            "a connector that is not RUNNING: `govbus logs connect` says why, then start again, it goes on. "
            f"One that is: `govbus snapshot abort {resource}`, then start anew; if that stalls too, "
            f"`govbus apply --recapture {provider}` lets the capture forget where it stands"
        )


class ScanFailed(Exception):  # noqa: N818 - says what happened
    """The connector ended the scan without the whole table; the epoch is aborted."""

    def __init__(self, resource: ResourceId, provider: ProviderId, detail: str) -> None:
        super().__init__(detail)
        self.remedy = (
            f"`govbus snapshot start {resource}` begins anew; if it fails again, `govbus logs connect` says "
            f"why, and `govbus apply --recapture {provider}` takes the full volume in another way"
        )


class RowsMissed(Exception):  # noqa: N818 - says what happened
    """The scan passed over rows that the source has; whoever takes it for whole would withdraw them."""

    def __init__(self, rows: int) -> None:
        super().__init__(f"the scan passed over {rows} rows that the source has: nothing was removed")


class ConfirmShrink(Exception):  # noqa: N818 - says what the caller does
    """The sweep would remove too much; nothing was removed and the epoch waits."""

    def __init__(
        self,
        resource: ResourceId,
        unseen: int,
        candidates: int,
        percent: float,
        where: tuple[str, ...] = (),
    ) -> None:
        super().__init__(
            f"{unseen} of {candidates} records are not at the source any more, above {percent:g} %: "
            "nothing was removed"
        )
        self.unseen, self.candidates = unseen, candidates
        self.remedy = (
            f"if they are meant to go: `{start_command(resource, where, confirmed=True)}`; "
            f"if not: `govbus snapshot abort {resource}` and look at the source"
        )


class StartAgain(Exception):  # noqa: N818 - says what the caller does
    """The topics did not come to rest as they should; the epoch stays open."""

    def __init__(self, resource: ResourceId, what: str, where: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.remedy = (
            f"`{start_command(resource, where)}` goes on; `govbus snapshot abort {resource}` gives it up"
        )
