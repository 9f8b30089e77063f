"""One round of the courier: takes what is due, sends it, and writes down what became of it.

No transaction is open while something is sent. A round ends when nothing more is due, or after so many
deliveries; who calls it again and when is the caller's affair.
"""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.control.notices.body import body_of
from services.control.notices.letter import letter
from services.control.notices.retrying import Dead, Delivered, Failure, Never, NotNow, Outcome, Retry, after
from services.control.notices.signature import secret_of, sign
from services.control.notices.text import text_of
from services.control.notices.words import Channel
from services.control.sending.mailer import MailServer, send
from services.control.sending.webhook import Reach, Resolve, post, resolve
from services.control.store.database import ControlDatabase
from services.control.store.notices import deliveries
from services.control.store.notices.deliveries import Taken

_LOG: Final = logging.getLogger(__name__)
LEASE: Final = timedelta(minutes=2)
"""Longer than any attempt takes, with connecting, TLS and login."""


@dataclass(frozen=True, slots=True)
class Means:
    """By what notices leave."""

    portal: str
    sender: str
    server: MailServer | None
    """None: letters wait until there is one."""
    reach: Reach
    master: bytes = field(repr=False)
    """The secret that secrets of endpoints are derived from."""
    retry: Retry = field(default_factory=Retry)
    lookup: Resolve = resolve


@dataclass(frozen=True, slots=True)
class Round:
    """What became of the deliveries of one round."""

    delivered: int = 0
    again: int = 0
    dead: int = 0


class Courier:
    """Sends what is owed; several may run at once."""

    def __init__(
        self,
        database: ControlDatabase,
        means: Means,
        now: Callable[[], datetime],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._database, self._means, self._now, self._draw = database, means, now, draw

    def round(self, most: int = 100) -> Round:
        """Try what is due now, each once; at most so many letters, webhooks and digests."""
        found, started = Round(), self._now()
        for _ in range(most):
            taken = self._next(started)
            if not taken:
                break
            found = self._written(found, taken, self._attempt(taken))
        return found

    def _next(self, due: datetime) -> list[Taken]:
        """What the next attempt is made of: one delivery, or all of one digest.

        One at a time, so that its lease begins with the attempt, however long those before it took.
        """
        now, channels = self._now(), self._channels()
        with self._database.begin() as connection:
            single = deliveries.take(connection, due, now + LEASE, channels)
            if single is not None:
                return [single]
            return deliveries.take_digest(connection, due, now + LEASE) if Channel.DIGEST in channels else []

    def _channels(self) -> frozenset[Channel]:
        """Without a mail server no attempt at a letter is counted."""
        letters = frozenset({Channel.EMAIL, Channel.DIGEST})
        return frozenset(Channel) if self._means.server is not None else frozenset(Channel) - letters

    def _attempt(self, taken: Sequence[Taken]) -> Outcome:
        first = taken[0]
        if not first.address.active:
            return Never(Failure.NO_ADDRESS)
        if first.attempt > self._means.retry.attempts:
            return Never(Failure.BROKEN, "every attempt ended without an answer")
        try:
            return self._posted(first) if first.channel is Channel.WEBHOOK else self._mailed(taken)
        except Exception as error:  # noqa: BLE001 - one notice that breaks us must not stop the others
            _LOG.exception("delivery %d of a notice broke", first.id)
            return NotNow(Failure.BROKEN, type(error).__name__)

    def _posted(self, taken: Taken) -> Outcome:
        now, address = self._now(), taken.address
        body = body_of(taken.happened, str(taken.event), taken.audience, self._means.portal)
        versions = address.secrets.valid_at(now)
        secrets = [secret_of(self._means.master, address.id, version) for version in versions]
        return post(address.target, body, sign(body, now, secrets), self._means.reach, self._means.lookup)

    def _mailed(self, taken: Sequence[Taken]) -> Outcome:
        address, server = taken[0].address, self._means.server
        if server is None:
            return NotNow(Failure.UNREACHABLE, "there is no mail server")
        texts = [text_of(each.happened, address.language, self._means.portal) for each in taken]
        id_ = f"{taken[0].event}.{address.id}"
        message = letter(texts, address.language, self._means.sender, address.target, self._now(), id_)
        return send(server, message)

    def _written(self, found: Round, taken: Sequence[Taken], outcome: Outcome) -> Round:
        now, draw = self._now(), self._draw()
        with self._database.begin() as connection:
            if isinstance(outcome, Delivered):
                deliveries.delivered(connection, taken, now)
                return Round(found.delivered + len(taken), found.again, found.dead)
            decided = [after(outcome, each.attempt, now, draw, self._means.retry) for each in taken]
            for each, next_ in zip(taken, decided, strict=True):
                deliveries.failed(connection, each, next_, now)
        dead = sum(isinstance(each, Dead) for each in decided)
        return Round(found.delivered, found.again + len(taken) - dead, found.dead + dead)
