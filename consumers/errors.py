"""What a reading department has to do something about, one exception each, named after the cause."""


class AccessRevoked(Exception):  # noqa: N818 - named after what happened
    """The bus refuses the topic, group or login; reading again needs a decision of the operator."""


class FellBehind(Exception):  # noqa: N818 - named after what happened
    """Records that were not read may have been compacted away; the department's copy must be rebuilt."""


class CredentialsUnusable(Exception):  # noqa: N818 - named after what the file is
    """The credentials file is missing, malformed, or readable by others; mend it as the message says."""


class ParkingFailed(Exception):  # noqa: N818 - named after what happened
    """A record could not be parked, so it was not passed over; mend the parking topic and start again."""


class HandlerKeepsFailing(Exception):  # noqa: N818 - named after what happened
    """The handler refused many records in a row, so they are not at fault; mend it and start again."""


class TransactionEndedByHandler(Exception):  # noqa: N818 - named after what happened
    """The handler ended the transaction of its effect and position; leave that to the subscriber."""


class NotNow(Exception):  # noqa: N818 - raised by a handler to say so
    """Raised by a handler whose own system is down: the record is handed over again until it succeeds."""
