"""The form of a replay: what was typed becomes an order, or everything that is wrong with it, by field."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.datastructures import FormData

from services.control.cases.words import Problem
from services.control.replays.asking import NotAGrant, grant_in, misfit
from services.control.replays.life import SHORTEST_TEXT, Order
from services.ledger.replay.scope import Scope
from services.ledger.replay.words import Purpose
from services.portal.forms import text, ticked
from services.portal.lists import page_number
from services.portal.times import moment_from
from topics.event import ConsumerId, GrantId, ProviderId, ResourceId, TopicName
from topics.policy import Policy

LONGEST: Final = 500
"""Characters of a reason and of a legal basis."""
LONGEST_GRANT: Final = 20_000
_LONGEST_NAME: Final = 200
Say = Callable[[str], str]


@dataclass(slots=True)
class _Reading:
    """Fields as they are read, and what was wrong with them."""

    form: FormData
    say: Say
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, name: str, what: str, remedy: str) -> None:
        """Note a problem; both texts are in the reader's language."""
        self.problems.append(Problem("REPLAY", name, what, remedy))

    def said(self, name: str) -> str:
        """A text that has to be there."""
        found, say = text(self.form, name), self.say
        if not SHORTEST_TEXT <= len(found) <= LONGEST:
            self.wrong(
                name, say("this is missing, too short or too long"), say("say it in 4 to 500 characters")
            )
        return found

    def name(self, name: str) -> str | None:
        """The name of something, where one was given."""
        found, say = text(self.form, name), self.say
        if len(found) > _LONGEST_NAME:
            self.wrong(name, say("no name is that long"), say("check it"))
        return found or None

    def whole(self, name: str) -> int | None:
        """A number, where one was given."""
        typed, say = text(self.form, name), self.say
        found = page_number(typed)
        if typed and found is None:
            self.wrong(name, say("this is no number"), say("write it in digits"))
        return found

    def moment(self, name: str) -> int | None:
        """A moment in milliseconds, where one was given."""
        typed, say = text(self.form, name), self.say
        found = moment_from(typed)
        if typed and found is None:
            self.wrong(name, say("this is no moment"), say("give day and hour"))
        return None if found is None else int(found.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Read:
    """What a form comes to: an order where nothing is wrong with it."""

    order: Order
    problems: tuple[Problem, ...]

    @property
    def only_words_are_missing(self) -> bool:
        """Whether the scope can be counted although reason or basis still have to be written."""
        return all(each.field in ("reason", "basis") for each in self.problems)


def read(form: FormData, purpose: Purpose, newest: Policy | None, say: Say) -> Read:
    """The order that a form holds.

    Args:
        form: what was sent.
        purpose: for which purpose.
        newest: the policy in force, None where nobody knows it now.
        say: puts texts into the reader's language.
    """
    reading = _Reading(form, say)
    scope = _scope(reading)
    if purpose is Purpose.REDELIVER and scope.grant is None:
        reading.wrong("grant", say("a redelivery is under one grant"), say("name the grant"))
    if purpose is Purpose.REDELIVER and scope.grant is not None and newest is not None:
        _whether_of_the_grant(reading, scope, newest)
    options = _options(reading, purpose, newest)
    order = Order(purpose, scope, reading.said("reason"), reading.said("basis"), options)
    return Read(order, tuple(reading.problems))


def _scope(reading: _Reading) -> Scope:
    resource, provider, consumer, grant = (
        reading.name(each) for each in ("resource", "provider", "consumer", "grant")
    )
    topic = reading.name("topic")
    scope = Scope(
        resource=ResourceId(resource) if resource else None,
        provider=ProviderId(provider) if provider else None,
        consumer=ConsumerId(consumer) if consumer else None,
        grant=GrantId(grant) if grant else None,
        from_ms=reading.moment("since"),
        to_ms=reading.moment("until"),
        topic=TopicName(topic) if topic else None,
        partition=reading.whole("partition"),
        from_offset=reading.whole("from_offset"),
        to_offset=reading.whole("to_offset"),
    )
    _whether_meant(reading, scope)
    return scope


def _whether_meant(reading: _Reading, scope: Scope) -> None:
    """The rules of ``services.ledger.replay.scope.checked``, each at its field."""
    say, offsets = reading.say, (scope.from_offset, scope.to_offset)
    if not reading.problems and not scope.record():
        what = say("it is not said what it is about")
        reading.wrong("resource", what, say("name a resource, a department, a time or a range of offsets"))
    if scope.topic is None and (scope.partition is not None or offsets != (None, None)):
        reading.wrong("topic", say("a partition is one of a topic"), say("name the topic"))
    if scope.partition is None and offsets != (None, None):
        reading.wrong("partition", say("offsets count within one partition"), say("name the partition"))
    for name, begin, end in (("until", scope.from_ms, scope.to_ms), ("to_offset", *offsets)):
        if begin is not None and end is not None and begin >= end:
            reading.wrong(name, say("it ends where it begins, or before"), say("give a later end"))


def _whether_of_the_grant(reading: _Reading, scope: Scope, newest: Policy) -> None:
    """What a redelivery names beside its grant must be the grant's own, since nothing else is delivered."""
    say, found = reading.say, misfit(scope, newest)
    if found is None:
        return
    if found.what == "grant":
        reading.wrong("grant", say("there is no such grant"), say("name one of the policy in force"))
    else:
        remedy = say("leave it empty: it follows from the grant")
        reading.wrong(found.what, say("the grant is about something else"), remedy)


def _options(reading: _Reading, purpose: Purpose, newest: Policy | None) -> dict[str, Any]:
    """The other policy of a what-if, where a redelivery goes, and the throttle."""
    say, throttle = reading.say, reading.whole("throttle")
    if throttle == 0:
        reading.wrong("throttle", say("nothing would ever be decided"), say("give at least 1, or nothing"))
    options: dict[str, Any] = {"throttle": throttle}
    if purpose is Purpose.WHAT_IF:
        options |= {"policy_version": _version(reading, newest), "grant": _grant(reading, newest)}
    if purpose is Purpose.REDELIVER:
        options["separate"] = ticked(reading.form, "separate") or None
    return {name: value for name, value in options.items() if value is not None}


def _version(reading: _Reading, newest: Policy | None) -> int | None:
    version, say = reading.whole("policy_version"), reading.say
    if version is not None and (version < 1 or (newest is not None and version > newest.version)):
        reading.wrong(
            "policy_version", say("there is no such version yet"), say("give one that was in force")
        )
    return version


def _grant(reading: _Reading, newest: Policy | None) -> dict[str, Any] | None:
    typed, say = text(reading.form, "declaration"), reading.say
    if not typed:
        return None
    try:
        found = grant_in(typed[:LONGEST_GRANT])
    except NotAGrant:
        remedy = say("write it as the file of a grant, in YAML")
        reading.wrong("declaration", say("this declares no grant"), remedy)
        return None
    if newest is not None and GrantId(found["id"]) not in newest.grants:
        remedy = say("declare a grant that there is, otherwise than it is")
        reading.wrong("declaration", say("there is no such grant to change"), remedy)
    return found
