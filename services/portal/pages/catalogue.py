"""The catalogue: search with facets, and an entry with its items, its way, its versions and its steps."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import asker_of, require
from services.api.security.cookies import parts_of
from services.control.accounts.actions import Action
from services.control.accounts.decision import Allowed, Principal, Whose, may_person, permitted
from services.control.catalogue import lifecycle
from services.control.catalogue.entry import read_code
from services.control.catalogue.lifecycle import Version
from services.control.catalogue.vocabulary import (
    Cycle,
    FormatClass,
    Library,
    OpenType,
    ResourceClass,
    word,
)
from services.control.store.catalogue.dossiers import Stored
from services.control.store.catalogue.dossiers import by_code as entry_by_code
from services.control.store.catalogue.listing import Cursor, Facet, Question, count, facets
from services.control.store.catalogue.listing import page as list_page
from services.control.store.catalogue.wording import STATES
from services.portal.departments import by_code, code_of
from services.portal.forms import go
from services.portal.languages import tongue_of
from services.portal.lists import Address, address_of
from services.portal.rendering import page
from services.portal.uses.entries import (
    differences,
    facts_of,
    mounts_of,
    resource_of,
    stored_entry,
    visible,
)
from topics.event import ResourceId
from topics.resource import ShareType

router = APIRouter(include_in_schema=False)
_PER_PAGE: Final = 25
_SHOWN: Final = (
    Facet.PROVIDER,
    Facet.SHARE_TYPE,
    Facet.RESOURCE_CLASS,
    Facet.LIBRARY,
    Facet.UPDATE_CYCLE,
    Facet.FORMAT_CLASS,
    Facet.OPEN_TYPE,
)
_VALUES: Final[Mapping[Facet, Any]] = {
    Facet.SHARE_TYPE: ShareType,
    Facet.RESOURCE_CLASS: ResourceClass,
    Facet.LIBRARY: Library,
    Facet.UPDATE_CYCLE: Cycle,
    Facet.FORMAT_CLASS: FormatClass,
    Facet.OPEN_TYPE: OpenType,
}
STEPS: Final = {
    lifecycle.Action.SUBMIT: Action.CATALOGUE_SUBMIT,
    lifecycle.Action.REGISTER: Action.CATALOGUE_REGISTER,
    lifecycle.Action.REFUSE_REGISTRATION: Action.CATALOGUE_REFUSE_REGISTRATION,
    lifecycle.Action.REQUEST_PUBLICATION: Action.CATALOGUE_REQUEST_PUBLICATION,
    lifecycle.Action.PUBLISH: Action.CATALOGUE_PUBLISH,
    lifecycle.Action.REFUSE_PUBLICATION: Action.CATALOGUE_REFUSE_PUBLICATION,
    lifecycle.Action.REVISE: Action.CATALOGUE_REVISE,
    lifecycle.Action.WITHDRAW: Action.CATALOGUE_WITHDRAW,
}
"""What a person can ask of an entry, and the permission that it needs."""
NEED_REASON: Final = frozenset(
    {
        lifecycle.Action.REFUSE_REGISTRATION,
        lifecycle.Action.REFUSE_PUBLICATION,
        lifecycle.Action.REVISE,
        lifecycle.Action.WITHDRAW,
    }
)


@router.get("/catalogue")
def catalogue_page(request: Request) -> Response:
    """Find entries by words and facets; the address says all of it."""
    principal = require(request, Action.CATALOGUE_LOOK, Whose(principal_department(request)))
    here, language = address_of(request), tongue_of(request).language
    question = _question(request, principal, here)
    shown = _SHOWN if question.published_only and question.department is None else (*_SHOWN, Facet.STATE)
    with parts_of(request).database.reading() as connection:
        after = Cursor(here.get("after")) if here.get("after") else None
        found = list_page(connection, question, _PER_PAGE, after)
        total = count(connection, question)
        counted = facets(connection, question, shown)
    template = (
        "catalogue/found.html" if request.headers.get("hx-target") == "found" else "catalogue/list.html"
    )
    return page(
        request,
        template,
        entries=found.entries,
        following=found.following,
        total=total,
        facets=[(facet, _counts(facet, counted[facet], language)) for facet in shown],
        words=here.get("q"),
        everything=sees_all(principal),
        state_words=lambda state: STATES[state][language],
        value_word=lambda value, kind: word(kind(value), language) if value else "",
        kinds=_VALUES,
        Facet=Facet,
    )


@router.get("/catalogue/entries/{entry}")
def entry_page(request: Request, entry: UUID) -> Response:
    """An entry as its reader may see it."""
    parts, asker = parts_of(request), asker_of(request)
    require(request, Action.CATALOGUE_LOOK, Whose(asker.person.department))
    with parts.database.reading() as connection:
        stored, version = seen_by(request, stored_entry(connection, entry), asker.principal)
        mounts = mounts_of(connection, version.entry, parts.definitions, asker.principal)
    language = tongue_of(request).language
    provider = by_code(request, stored.dossier.department)
    whose = Whose(provider=provider)
    before = next((each for each in stored.dossier.versions if each.number == version.number - 1), None)
    unpublished = isinstance(may_person(asker.principal, Action.CATALOGUE_LOOK_UNPUBLISHED, whose), Allowed)
    return page(
        request,
        "catalogue/entry.html",
        stored=stored,
        version=version,
        entry=version.entry,
        facts=facts_of(version.entry, language),
        provider=provider,
        mounts=mounts,
        resource=resource_of(version.entry, parts.definitions),
        changes=[]
        if before is None or not unpublished
        else differences(before.entry, version.entry, language),
        steps=stored.dossier.steps if unpublished else (),
        actions=steps_of(stored, asker.principal, whose),
        may_edit=_may_edit(stored, asker.principal, whose),
        need_reason=NEED_REASON,
        value_word=lambda value: "" if value is None else word(value, language),
    )


@router.get("/resources/{resource}")
def of_resource(request: Request, resource: str) -> Response:
    """The entry of a resource of the bus: where notices lead."""
    parts = parts_of(request)
    asker_of(request)
    declared = parts.definitions.resources.get(ResourceId(resource))
    code = None if declared is None else read_code(declared.code)
    with parts.database.reading() as connection:
        stored = None if code is None else entry_by_code(connection, code)
    if stored is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return go(f"/catalogue/entries/{stored.id}")


def seen_by(request: Request, stored: Stored | None, principal: Principal) -> tuple[Stored, Version]:
    """An entry and the version that a person sees.

    Raises:
        AnswerProblem: there is none that this person may see.
    """
    provider = None if stored is None else by_code(request, stored.dossier.department)
    version = None if stored is None else visible(stored, principal, provider)
    if stored is None or version is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return stored, version


def steps_of(stored: Stored, principal: Principal, whose: Whose) -> list[tuple[lifecycle.Action, Action]]:
    """The steps that a person may ask for now: allowed by the table and possible in the state."""
    allowed = permitted(principal, STEPS.values(), whose)
    return [(step, action) for step, action in STEPS.items() if action in allowed and _possible(stored, step)]


def _possible(stored: Stored, step: lifecycle.Action) -> bool:
    dossier = stored.dossier
    if step is lifecycle.Action.REVISE:
        return dossier.open is None
    if step is lifecycle.Action.WITHDRAW:
        return dossier.published is not None
    return dossier.versions[-1].state is lifecycle.TRANSITIONS[step].before


def _may_edit(stored: Stored, principal: Principal, whose: Whose) -> bool:
    draft = stored.dossier.versions[-1].state is lifecycle.State.DRAFT
    return draft and isinstance(may_person(principal, Action.CATALOGUE_EDIT, whose), Allowed)


def principal_department(request: Request) -> str:
    """The department of who asks."""
    return asker_of(request).person.department


def sees_all(principal: Principal) -> bool:
    """Whether somebody sees the unpublished entries of every department."""
    return isinstance(may_person(principal, Action.CATALOGUE_LOOK_UNPUBLISHED, Whose()), Allowed)


def _question(request: Request, principal: Principal, here: Address) -> Question:
    chosen = {facet: frozenset(here.all(facet.value)) for facet in Facet if here.all(facet.value)}
    own = Whose(provider=principal.department)
    sees_own = isinstance(may_person(principal, Action.CATALOGUE_LOOK_UNPUBLISHED, own), Allowed)
    return Question(
        words=here.get("q")[:200],
        chosen=chosen,
        published_only=not (sees_all(principal) and here.get("all") == "yes"),
        department=code_of(request, principal.department) if sees_own else None,
    )


def _counts(facet: Facet, counts: Any, language: Any) -> list[tuple[str, str, int]]:
    """Value, its word and how many, for the links of a facet."""
    kind = _VALUES.get(facet)
    found = []
    for each in counts:
        if facet is Facet.STATE:
            text = STATES[lifecycle.State(each.value)][language]
        else:
            text = each.name or each.value if kind is None else word(kind(each.value), language)
        found.append((each.value, text, each.count))
    return found
