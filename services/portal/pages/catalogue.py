"""The catalogue: search with facets, and an entry with its items, its way, its versions and its steps."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import asker_of
from services.api.security.cookies import parts_of
from services.api.uses import catalogue, mounting, retirements
from services.api.uses.schemas import resources_of, seen_version
from services.control.catalogue import lifecycle
from services.control.catalogue.lifecycle import Action, Dossier, Version
from services.control.catalogue.vocabulary import (
    Cycle,
    FormatClass,
    Language,
    Library,
    OpenType,
    ResourceClass,
    word,
)
from services.control.store.catalogue.listing import Count, Facet
from services.control.store.catalogue.wording import STATES
from services.portal.forms import go
from services.portal.languages import tongue_of
from services.portal.lists import Address, address_of
from services.portal.rendering import page, problems_in
from services.portal.uses.entries import Line, differences, facts_of, mounts_of
from topics.event import ResourceId
from topics.resource import ShareType

router = APIRouter(include_in_schema=False)
_PER_PAGE: Final = 25
_LONGEST_WORDS: Final = 200
_VALUES: Final[Mapping[Facet, type[StrEnum]]] = {
    Facet.SHARE_TYPE: ShareType,
    Facet.RESOURCE_CLASS: ResourceClass,
    Facet.LIBRARY: Library,
    Facet.UPDATE_CYCLE: Cycle,
    Facet.FORMAT_CLASS: FormatClass,
    Facet.OPEN_TYPE: OpenType,
}
_SHOWN: Final = (Facet.PROVIDER, *_VALUES, Facet.STATE)
ON_OTHER_PAGES: Final = frozenset({Action.EDIT})
"""What is done on the page of the draft."""
_NOTHING: Final[Mapping[str, str]] = {}
NEED_REASON: Final = frozenset(
    {Action.REVISE, *(action for action, each in lifecycle.TRANSITIONS.items() if each.needs_reason)}
)
NAMED: Final = frozenset({Action.WITHDRAW})
"""What ends what others rely on, and asks for the name of the entry."""
_OF_STEPS: Final[Mapping[str, Any]] = {
    "elsewhere": ON_OTHER_PAGES,
    "need_reason": NEED_REASON,
    "named": NAMED,
}
"""What the page of every entry needs to know of the forms of its steps."""


@router.get("/catalogue")
def catalogue_page(request: Request) -> Response:
    """Find entries by words and facets; the address says all of it."""
    principal, here = asker_of(request).principal, address_of(request)
    words, after = here.get("q")[:_LONGEST_WORDS], here.get("after") or None
    found = catalogue.search(parts_of(request), principal, words, _chosen(here), _PER_PAGE, after)
    language = tongue_of(request).language
    in_part = request.headers.get("hx-target") == "found"
    return page(
        request,
        "catalogue/found.html" if in_part else "catalogue/list.html",
        entries=found.page.entries,
        following=found.page.following,
        total=found.total,
        facets=[(facet, list(_counted(facet, found.counts[facet], language))) for facet in _SHOWN],
        words=words,
        share_word=lambda value: word(ShareType(value), language),
        cycle_word=lambda value: word(Cycle(value), language),
    )


@router.get("/catalogue/entries/{entry}")
def entry_page(request: Request, entry: str) -> Response:
    """An entry as its reader may see it."""
    return show(request, entry)


@router.get("/resources/{resource}")
def of_resource(request: Request, resource: str) -> Response:
    """The entry of a resource of the bus: where notices lead."""
    declared = parts_of(request).definitions.resources.get(ResourceId(resource))
    if declared is None:
        raise AnswerProblem(Code.NOT_FOUND)
    found = catalogue.shown(parts_of(request), asker_of(request).principal, declared.code)
    return go(f"/catalogue/entries/{found.stored.id}")


def show(
    request: Request,
    entry: str,
    error: AnswerProblem | None = None,
    failed: Action | None = None,
    unconfirmed: bool = False,
    retiring: str = "",
    typed: Mapping[str, str] = _NOTHING,
) -> Response:
    """The page of an entry; with what stands against the step, or the retirement, that was tried.

    Args:
        request: for whom.
        entry: its id or code.
        error: what stands against what was tried.
        failed: the step that was tried.
        unconfirmed: whether its name was typed wrongly.
        retiring: what was tried with the end of a version.
        typed: what its form held, with the version as ``old``.
    """
    parts, principal, language = parts_of(request), asker_of(request).principal, tongue_of(request).language
    found = catalogue.shown(parts, principal, entry)
    dossier = found.stored.dossier
    version = seen_version(dossier, whole=found.whole)
    status = 422 if unconfirmed else 200 if error is None else error.code.status
    return page(
        request,
        "catalogue/entry.html",
        status,
        stored=found.stored,
        version=version,
        entry=version.entry,
        facts=facts_of(version.entry, language),
        provider=found.whose.provider,
        retiring=retiring,
        typed=typed,
        mounted=next(iter(mounting.of_dossier(parts, principal, dossier).lines), None),
        resources=resources_of(version.entry, parts.definitions),
        changes=_changes(dossier, version, language) if found.whole else [],
        steps=dossier.steps if found.whole else (),
        actions=catalogue.possible(principal, found),
        **_OF_STEPS,
        longest_filing=lifecycle.LONGEST_FILING if catalogue.asks_for_filing(parts, found) else 0,
        problems=() if error is None else problems_in(request, error),
        failed=failed,
        unconfirmed=unconfirmed,
        value_word=_value_word(language),
        **_mounted(request, version),
    )


def _changes(dossier: Dossier, version: Version, language: Language) -> list[Line]:
    """What a version changed in the one before it; nothing where it is the first."""
    before = next((each for each in dossier.versions if each.number == version.number - 1), None)
    return [] if before is None else differences(before.entry, version.entry, language)


def _mounted(request: Request, version: Version) -> dict[str, Any]:
    """The resources under an entry, and the first day on which a version of them may end."""
    parts, principal = parts_of(request), asker_of(request).principal
    mounts = mounts_of(parts, principal, version.entry)
    endable = any(each.may_retire for each in mounts)
    return {"mounts": mounts, "earliest": retirements.earliest(parts) if endable else None}


def _chosen(here: Address) -> dict[Facet, frozenset[str]]:
    return {facet: frozenset(here.all(facet.value)) for facet in Facet if here.all(facet.value)}


def _counted(facet: Facet, counts: Iterable[Count], language: Language) -> Iterable[tuple[str, str, int]]:
    """Value, its word and how many: the links of a facet."""
    kind = _VALUES.get(facet)
    for each in counts:
        if facet is Facet.STATE:
            text = STATES[lifecycle.State(each.value)][language]
        else:
            text = each.name or each.value if kind is None else word(kind(each.value), language)
        yield each.value, text, each.count


def _value_word(language: Language) -> Callable[[StrEnum | None], str]:
    return lambda value: "" if value is None else word(value, language)
