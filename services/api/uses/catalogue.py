"""The catalogue as pages and the API work on it: found, looked at, written, and taken through its life.

Entries know departments by their credit codes, accounts by their ids; here the two meet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.etags import require_seen
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action as Asked
from services.control.accounts.decision import EVERYWHERE, Principal, Whose
from services.control.accounts.permissions import PERMISSIONS, Reach
from services.control.accounts.roles import Role
from services.control.cases.words import Problem
from services.control.catalogue import lifecycle
from services.control.catalogue.entry import Department, Entry, read_code
from services.control.catalogue.lifecycle import Action, Actor, Dossier, Refusal, Refused, State
from services.control.catalogue.vocabulary import Language
from services.control.store.accounts.acts import Noted, Order, note
from services.control.store.accounts.departments import department_of, departments, ids_of
from services.control.store.catalogue.accepting import rules_now
from services.control.store.catalogue.dossiers import EntryId, Stored, by_code, by_id
from services.control.store.catalogue.listing import (
    Count,
    Cursor,
    Facet,
    Listed,
    Page,
    Question,
    count,
    facets,
    page,
)
from services.control.store.catalogue.steps import Asked as AskedStep
from services.control.store.catalogue.steps import edit_entry, open_entry, take_step
from services.control.store.catalogue.wording import refusal_in_words


@dataclass(frozen=True, slots=True)
class Found:
    """Some entries of a question, how many there are, and how many have each value."""

    page: Page
    total: int
    counts: Mapping[Facet, list[Count]]


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as somebody may see it: with all versions and steps, or only what is published."""

    stored: Stored
    whole: bool
    whose: Whose


def search(
    parts: Parts,
    principal: Principal,
    words: str,
    chosen: Mapping[Facet, frozenset[str]],
    limit: int = 50,
    after: str | None = None,
) -> Found:
    """Entries that somebody sees, the best matches first.

    Raises:
        BeginAnew: the cursor is none of this list.
    """
    permit(parts, principal, Asked.CATALOGUE_LOOK, own(principal))
    cursor = None if after is None else Cursor(after)
    with parts.database.reading() as connection:
        asked = _question(connection, principal, words, chosen)
        found = page(connection, asked, limit, cursor)
        entries = tuple(_as_seen(each, asked) for each in found.entries)
        counts = facets(connection, asked)
        return Found(replace(found, entries=entries), count(connection, asked), counts)


def shown(parts: Parts, principal: Principal, entry: str) -> Shown:
    """One entry, by its id or its resource code; its contacts are persons, so the look is owed to the ledger.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    with parts.database.begin() as connection:
        stored = _found(connection, entry)
        whose = whose_is(connection, stored.dossier)
        whole = sees(principal, Asked.CATALOGUE_LOOK_UNPUBLISHED, whose)
        if not whole and stored.dossier.published is None:
            permit(parts, principal, Asked.CATALOGUE_LOOK_UNPUBLISHED, whose)
        permit(parts, principal, Asked.CATALOGUE_LOOK, whose)
        note_contacts(parts, connection, principal, str(stored.id))
    return Shown(stored, whole, whose)


def note_contacts(parts: Parts, connection: Connection, principal: Principal, entry: str) -> None:
    """Owe the ledger that somebody saw the names and telephones of an entry's contacts, or of all."""
    note(connection, Order(principal.person, parts.clock()), Noted(Asked.ACCOUNT_LOOK, "contacts", entry))


def possible(principal: Principal, found: Shown) -> tuple[Action, ...]:
    """What somebody can ask for now: the buttons of a page. Rules may still be against it."""
    state = found.stored.dossier.versions[-1].state
    published = found.stored.dossier.published is not None
    takes = [action for action, each in lifecycle.TRANSITIONS.items() if each.before is state]
    if found.stored.dossier.open is None:
        takes.append(Action.REVISE)
    if published and Action.WITHDRAW not in takes:
        takes.append(Action.WITHDRAW)
    return tuple(each for each in takes if sees(principal, Asked(f"catalogue.{each.value}"), found.whose))


def opened(parts: Parts, principal: Principal, connection: Connection, entry: Entry) -> Stored:
    """Begin an entry of the own department as a draft.

    Raises:
        AnswerProblem: somebody may not, or the life cycle refuses.
        ReadAgain: another entry has its code.
    """
    permit(parts, principal, Asked.CATALOGUE_OPEN, own(principal))
    now, actor = parts.clock(), _actor(connection, principal, Role.PROVIDER)
    provider = own_provider(connection, principal)
    asked = AskedStep(actor, now)
    done = open_entry(connection, parts.new_id(now), replace(entry, provider=provider), asked)
    return _done(done)


def edited(parts: Parts, principal: Principal, id_: UUID, entry: Entry, if_match: str | None) -> Stored:
    """Replace the content of a draft; whose it is stays.

    Raises:
        AnswerProblem: somebody may not, somebody was quicker, or the life cycle refuses.
    """
    with parts.database.begin() as connection:
        stored = _found(connection, str(id_))
        permit(parts, principal, Asked.CATALOGUE_EDIT, whose_is(connection, stored.dossier))
        require_seen(if_match, stored.lock_version)
        provider = stored.dossier.versions[-1].entry.provider
        asked = AskedStep(_actor(connection, principal, Role.PROVIDER), parts.clock())
        return _done(edit_entry(connection, stored, replace(entry, provider=provider), asked))


def stepped(
    parts: Parts,
    principal: Principal,
    connection: Connection,
    id_: UUID,
    action: Action,
    why: str,
    if_match: str | None,
    changed_on: date | None = None,
    filing: str = "",
) -> Stored:
    """Take an entry a step further in its life.

    With REVISE, ``changed_on`` is the day on which the law or the function changed; with REGISTER of a
    revision, ``filing`` is the number under which it was filed.

    Raises:
        AnswerProblem: somebody may not, somebody was quicker, or the life cycle refuses.
    """
    stored = _found(connection, str(id_))
    whose = whose_is(connection, stored.dossier)
    role = permit(parts, principal, Asked(f"catalogue.{action.value}"), whose).role
    require_seen(if_match, stored.lock_version)
    asked = AskedStep(_actor(connection, principal, role), parts.clock(), why, changed_on, filing=filing)
    rules = rules_now(connection, parts.catalogue_rules)
    return _done(take_step(connection, stored, action, asked, rules))


def asks_for_filing(parts: Parts, found: Shown) -> bool:
    """Whether the number of a filing has to come with the registration of the version on its way."""
    version = found.stored.dossier.versions[-1]
    if version.number == 1 or version.state is not State.REGISTRATION_REVIEW:
        return False
    with parts.database.reading() as connection:
        return rules_now(connection, parts.catalogue_rules).revisions_filed


def whose_is(connection: Connection, dossier: Dossier) -> Whose:
    """The department of an entry; nobody's where no account's department has its credit code."""
    return Whose(provider=ids_of(connection, [dossier.department]).get(dossier.department))


def own_provider(connection: Connection, principal: Principal) -> Department:
    """The own department as entries name their provider.

    Raises:
        AnswerProblem: the department is not known any more.
    """
    found = department_of(connection, principal.department)
    if found is None:
        raise AnswerProblem(Code.FORBIDDEN)
    return Department(found.zh, found.credit_code)


def refusal_problems(refused: Refused, language: Language) -> tuple[Problem, ...]:
    """Why a step does not take place, in a language."""
    what, remedy = refusal_in_words(refused.refusal, refused.state, language)
    first = Problem(refused.refusal.value, "state", what, remedy)
    others = (
        Problem(
            each.rule.value,
            "" if each.field is None else each.field.value,
            each.what(language),
            each.remedy(language),
        )
        for each in refused.problems
    )
    return (first, *others)


def _question(
    connection: Connection, principal: Principal, words: str, chosen: Mapping[Facet, frozenset[str]]
) -> Question:
    """What is asked, with the unpublished entries that somebody may look at."""
    reach = {role: PERMISSIONS[Asked.CATALOGUE_LOOK_UNPUBLISHED].of(role) for role in principal.roles}
    all_of = [role for role, each in reach.items() if each is Reach.ALL]
    everything = any(role is not Role.OVERSEER or EVERYWHERE in principal.oversees for role in all_of)
    if everything and sees(principal, Asked.CATALOGUE_LOOK_UNPUBLISHED, own(principal)):
        return Question(words, chosen, published_only=False)
    ids = {principal.department, *(principal.oversees if Role.OVERSEER in principal.roles else ())}
    seen = {id_ for id_ in ids if sees(principal, Asked.CATALOGUE_LOOK_UNPUBLISHED, Whose(provider=id_))}
    codes = {each.credit_code for each in departments(connection) if each.id in seen} if seen else set()
    return Question(words, chosen, departments=frozenset(codes))


def _as_seen(listed: Listed, question: Question) -> Listed:
    """An entry of a list, without what is being written beside the version that counts."""
    if not question.published_only or listed.published is None:
        return listed
    if listed.provider_code in question.departments:
        return listed
    return replace(listed, state=State.PUBLISHED, newest=listed.published)


def _found(connection: Connection, entry: str) -> Stored:
    stored = _by_name(connection, entry)
    if stored is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return stored


def _by_name(connection: Connection, entry: str) -> Stored | None:
    try:
        return by_id(connection, EntryId(UUID(entry)))
    except ValueError:
        code = read_code(entry)
        return None if code is None else by_code(connection, code)


def _actor(connection: Connection, principal: Principal, role: Role) -> Actor:
    """Who acts, as the life cycle knows departments: by credit code."""
    code = own_provider(connection, principal).credit_code
    return Actor(principal.person, lifecycle.Role(role.value), code)


_FORBIDDEN: Final = frozenset({Refusal.WRONG_ROLE, Refusal.OTHER_DEPARTMENT, Refusal.OWN_WORK})


def _done(done: Stored | Refused) -> Stored:
    if isinstance(done, Stored):
        return done
    if done.refusal in _FORBIDDEN:
        code = Code.FORBIDDEN
    elif done.refusal is Refusal.WRONG_STATE:
        code = Code.WRONG_STATE
    else:
        code = Code.INVALID
    raise AnswerProblem(code, lambda language: refusal_problems(done, language), state=done.state.value)
