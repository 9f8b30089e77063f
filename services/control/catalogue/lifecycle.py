"""The life of an entry: each version passes two reviews before it is published, each step with its record.

Draft → registration review → registered → publication review → published → changed or withdrawn, and back to
draft when it is refused (requirements A2-03, A13). A published version stays so until its successor is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from services.control.catalogue.entry import Entry
from services.control.catalogue.problems import Problem
from topics.quality.values import CIVIL_TIME


class State(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    REGISTRATION_REVIEW = "registration_review"
    REGISTERED = "registered"
    PUBLICATION_REVIEW = "publication_review"
    PUBLISHED = "published"
    CHANGED = "changed"
    """Its successor is published."""
    WITHDRAWN = "withdrawn"


class Role(StrEnum):
    """As whom a person acts."""

    PROVIDER = "provider"
    AUTHORITY = "authority"
    CONSUMER = "consumer"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    OVERSEER = "overseer"


class Action(StrEnum):
    """What can be done with an entry."""

    OPEN = "open"
    EDIT = "edit"
    SUBMIT = "submit"
    REGISTER = "register"
    REFUSE_REGISTRATION = "refuse_registration"
    REQUEST_PUBLICATION = "request_publication"
    PUBLISH = "publish"
    REFUSE_PUBLICATION = "refuse_publication"
    REVISE = "revise"
    """A new draft beside what is published, or after what was withdrawn."""
    WITHDRAW = "withdraw"
    SUPERSEDE = "supersede"
    """Never asked for: it follows from the publication of a successor."""


class Refusal(StrEnum):
    """Why an action does not take place."""

    WRONG_STATE = "WRONG_STATE"
    WRONG_ROLE = "WRONG_ROLE"
    OTHER_DEPARTMENT = "OTHER_DEPARTMENT"
    OWN_WORK = "OWN_WORK"
    REASON_MISSING = "REASON_MISSING"
    ENTRY_INVALID = "ENTRY_INVALID"
    CODE_FIXED = "CODE_FIXED"
    CHANGE_AHEAD = "CHANGE_AHEAD"
    FILING_MISSING = "FILING_MISSING"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, the role in which it acts, and its department."""

    person: str
    role: Role
    department: str


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to one version: who, when and why."""

    version: int
    action: Action
    before: State | None
    after: State
    who: Actor
    when: datetime
    why: str = ""
    changed_on: date | None = None
    """With REVISE: the day on which the law or the function changed (requirement A2-05)."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an entry; ``number`` counts from 1."""

    number: int
    entry: Entry
    state: State
    filing: str = ""
    """Of a revision: the number under which it was filed, given with its registration (requirement A2-07)."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """An entry with all its versions and steps, oldest first; ``department`` is whose entry it is."""

    department: str
    versions: tuple[Version, ...]
    steps: tuple[Step, ...]

    @property
    def open(self) -> Version | None:
        """The version that is on its way to publication."""
        last = self.versions[-1]
        return last if last.state in _ON_THE_WAY else None

    @property
    def published(self) -> Version | None:
        """The version that counts."""
        return next((each for each in self.versions if each.state is State.PUBLISHED), None)


@dataclass(frozen=True, slots=True)
class Refused:
    """The action did not take place, and nothing has changed; problems are those of an invalid entry."""

    refusal: Refusal
    action: Action
    state: State
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """Between which states an action leads, who may take it, and whether it demands a reason."""

    before: State
    after: State
    roles: frozenset[Role]
    needs_reason: bool = False


LONGEST_FILING: Final = 200
"""Characters of the number of a filing."""
Check = Callable[[Entry], Sequence[Problem]]
_PROVIDER, _AUTHORITY = frozenset({Role.PROVIDER}), frozenset({Role.AUTHORITY})
_REVIEWS: Final = frozenset(
    {Action.REGISTER, Action.REFUSE_REGISTRATION, Action.PUBLISH, Action.REFUSE_PUBLICATION}
)
_ON_THE_WAY: Final = frozenset(
    {State.DRAFT, State.REGISTRATION_REVIEW, State.REGISTERED, State.PUBLICATION_REVIEW}
)
TRANSITIONS: Final = {
    Action.EDIT: Transition(State.DRAFT, State.DRAFT, _PROVIDER),
    Action.SUBMIT: Transition(State.DRAFT, State.REGISTRATION_REVIEW, _PROVIDER),
    Action.REGISTER: Transition(State.REGISTRATION_REVIEW, State.REGISTERED, _AUTHORITY),
    Action.REFUSE_REGISTRATION: Transition(State.REGISTRATION_REVIEW, State.DRAFT, _AUTHORITY, True),
    Action.REQUEST_PUBLICATION: Transition(State.REGISTERED, State.PUBLICATION_REVIEW, _PROVIDER),
    Action.PUBLISH: Transition(State.PUBLICATION_REVIEW, State.PUBLISHED, _AUTHORITY),
    Action.REFUSE_PUBLICATION: Transition(State.PUBLICATION_REVIEW, State.DRAFT, _AUTHORITY, True),
    Action.WITHDRAW: Transition(State.PUBLISHED, State.WITHDRAWN, _PROVIDER | _AUTHORITY, True),
}
"""Every action on a version; OPEN and REVISE make one, SUPERSEDE follows from PUBLISH."""


def open_dossier(entry: Entry, who: Actor, when: datetime) -> Dossier | Refused:
    """Begin an entry as a draft of a provider, complete or not."""
    if who.role is not Role.PROVIDER:
        return Refused(Refusal.WRONG_ROLE, Action.OPEN, State.DRAFT)
    step = Step(1, Action.OPEN, None, State.DRAFT, who, when)
    return Dossier(who.department, (Version(1, entry, State.DRAFT),), (step,))


def edit(dossier: Dossier, entry: Entry, who: Actor, when: datetime) -> Dossier | Refused:
    """Replace the content of a draft; the code of an entry that was registered once stays."""
    version = _subject(dossier, Action.EDIT)
    refusal = _refusal(dossier, version, Action.EDIT, who, "")
    if refusal is None and version.number > 1 and entry.code != dossier.versions[-2].entry.code:
        refusal = Refusal.CODE_FIXED
    if refusal is not None:
        return Refused(refusal, Action.EDIT, version.state)
    return _moved(dossier, replace(version, entry=entry), Action.EDIT, who, when, "")


def act(
    dossier: Dossier,
    action: Action,
    who: Actor,
    when: datetime,
    check: Check,
    why: str = "",
    changed_on: date | None = None,
    filing: str | None = None,
) -> Dossier | Refused:
    """Take an action on the version that it concerns.

    Args:
        dossier: the entry.
        action: what is asked for; EDIT has a function of its own, and SUPERSEDE is never asked for.
        who: who asks.
        when: the time, with its zone.
        check: says what is wrong with an entry; asked before each review.
        why: the reason, which refusals, revisions and withdrawals demand.
        changed_on: with REVISE the day on which the law or the function changed, where one did.
        filing: with REGISTER of a revision the number of its filing, "" where it is missing; None where no
            rule asks for one.
    """
    if action is Action.REVISE:
        return _revised(dossier, who, when, why, changed_on)
    version = _subject(dossier, action)
    if action not in TRANSITIONS or action is Action.EDIT:
        return Refused(Refusal.WRONG_STATE, action, version.state)
    filed = action is Action.REGISTER and version.number > 1 and filing is not None
    refusal = _refusal(dossier, version, action, who, why)
    if refusal is None and filed and not _is_filing(filing or ""):
        refusal = Refusal.FILING_MISSING
    if refusal is not None:
        return Refused(refusal, action, version.state)
    problems = tuple(check(version.entry)) if action not in _WITHOUT_CHECK else ()
    if problems:
        return Refused(Refusal.ENTRY_INVALID, action, version.state, problems)
    if action is Action.PUBLISH:
        return _publish(dossier, version, who, when, why)
    if filed:
        version = replace(version, filing=(filing or "").strip())
    return _moved(dossier, version, action, who, when, why)


def _is_filing(text: str) -> bool:
    """Whether a text can be the number of a filing: one line of what can be printed."""
    return 0 < len(text.strip()) <= LONGEST_FILING and text.isprintable()


_WITHOUT_CHECK: Final = frozenset({Action.REFUSE_REGISTRATION, Action.REFUSE_PUBLICATION, Action.WITHDRAW})


def _subject(dossier: Dossier, action: Action) -> Version:
    """The version that an action concerns: the published one to withdraw, else the newest."""
    published = dossier.published if action is Action.WITHDRAW else None
    return published or dossier.versions[-1]


def _refusal(dossier: Dossier, version: Version, action: Action, who: Actor, why: str) -> Refusal | None:
    transition = TRANSITIONS[action]
    if who.role not in transition.roles:
        return Refusal.WRONG_ROLE
    if who.role is Role.PROVIDER and who.department != dossier.department:
        return Refusal.OTHER_DEPARTMENT
    if version.state is not transition.before:
        return Refusal.WRONG_STATE
    if action in _REVIEWS and who.person in _authors(dossier, version.number):
        return Refusal.OWN_WORK
    return Refusal.REASON_MISSING if transition.needs_reason and not why.strip() else None


def _authors(dossier: Dossier, number: int) -> frozenset[str]:
    """Who worked on a version as its provider, in whatever role they come now."""
    return frozenset(
        step.who.person for step in dossier.steps if step.version == number and step.who.role is Role.PROVIDER
    )


def _publish(dossier: Dossier, version: Version, who: Actor, when: datetime, why: str) -> Dossier:
    """The version counts from now on, and the one before it no longer: both in one step."""
    before = dossier.published
    dated = replace(version, entry=replace(version.entry, published_on=when.astimezone(CIVIL_TIME).date()))
    done = _moved(dossier, dated, Action.PUBLISH, who, when, why)
    if before is None:
        return done
    reason = f"version {version.number} is published"
    return _set(done, before, State.CHANGED, Action.SUPERSEDE, who, when, reason)


def _revised(
    dossier: Dossier, who: Actor, when: datetime, why: str, changed_on: date | None
) -> Dossier | Refused:
    last = dossier.versions[-1]
    refusal = None
    if who.role is not Role.PROVIDER:
        refusal = Refusal.WRONG_ROLE
    elif who.department != dossier.department:
        refusal = Refusal.OTHER_DEPARTMENT
    elif dossier.open is not None:
        refusal = Refusal.WRONG_STATE
    elif not why.strip():
        refusal = Refusal.REASON_MISSING
    elif changed_on is not None and changed_on > when.astimezone(CIVIL_TIME).date():
        refusal = Refusal.CHANGE_AHEAD
    if refusal is not None:
        return Refused(refusal, Action.REVISE, last.state)
    draft = Version(last.number + 1, replace(last.entry, published_on=None), State.DRAFT)
    step = Step(draft.number, Action.REVISE, None, State.DRAFT, who, when, why, changed_on)
    return replace(dossier, versions=(*dossier.versions, draft), steps=(*dossier.steps, step))


def _moved(
    dossier: Dossier, version: Version, action: Action, who: Actor, when: datetime, why: str
) -> Dossier:
    return _set(dossier, version, TRANSITIONS[action].after, action, who, when, why)


def _set(
    dossier: Dossier, version: Version, after: State, action: Action, who: Actor, when: datetime, why: str
) -> Dossier:
    step = Step(version.number, action, version.state, after, who, when, why.strip())
    moved = replace(version, state=after)
    versions = tuple(moved if each.number == moved.number else each for each in dossier.versions)
    return replace(dossier, versions=versions, steps=(*dossier.steps, step))
