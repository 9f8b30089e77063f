"""A catalogue as DCAT-AP 3.0.1 in JSON-LD, one dataset after the other; pure.

Named persons and their telephone numbers stay in the catalogue. Nothing is guessed: what an entry does not
say is not in its dataset, and an entry that lacks what DCAT-AP demands is refused.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from services.control.catalogue import dcat_vocabulary as eu
from services.control.catalogue.entry import Department, Entry
from services.control.catalogue.fields import Field, label
from services.control.catalogue.vocabulary import Language, Library, ResourceClass, word
from topics.resource import ShareType, Titles

PROFILE: Final = "https://semiceu.github.io/DCAT-AP/releases/3.0.1"
NOWHERE: Final = "https://catalogue.invalid"
"""A base that nobody can reach (RFC 2606), for who has none yet."""
SCHEME: Final = Titles(zh="政务信息资源分类", en="Classes of government information resources")
TITLE: Final = Titles(zh="政务信息资源目录", en="Catalogue of government information resources")
DESCRIPTION: Final = Titles(
    zh="各部门登记的政务信息资源，及其共享和开放的条件",
    en="Information resources that departments have registered, and on which conditions they are given",
)
_DATA_THEMES: Final = Titles(zh="数据主题", en="Data theme")


class NotABase(ValueError):  # noqa: N818 - says what is wrong
    """Identifiers cannot begin so: give an http or https address without query and fragment."""


class NotDescribable(ValueError):  # noqa: N818 - says what is wrong
    """The entry lacks what a dataset must say."""

    def __init__(self, entry: Entry, missing: tuple[Field, ...]) -> None:
        named = str(entry.code or entry.name or "an entry without code and name")
        super().__init__(f"{named} lacks {', '.join(label(each, Language.EN) for each in missing)}")
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is said of the catalogue as a whole; every identifier begins with ``base``."""

    base: str
    publisher: str
    title: Titles = TITLE
    description: Titles = DESCRIPTION

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        plain = not (parts.query or parts.fragment or any(sign in self.base for sign in ' <>"{}|\\^`'))
        if parts.scheme not in ("http", "https") or not parts.netloc or not plain or self.base.endswith("/"):
            raise NotABase(f"{self.base!r} is no address that identifiers can begin with")


def dcat_text(catalogue: Catalogue, entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the document piece by piece, one dataset each; joined they are one JSON object.

    Raises:
        NotDescribable: an entry lacks what a dataset must say; nothing that was yielded before may be used.
    """
    head = json.dumps(_head(catalogue), ensure_ascii=False)
    yield f'{head[:-1]}, "dcat:dataset": ['
    before = "\n"
    for entry in entries:
        yield before + json.dumps(dataset_of(entry, catalogue), ensure_ascii=False)
        before = ",\n"
    yield "\n]}\n"


def dataset_of(entry: Entry, catalogue: Catalogue) -> dict[str, Any]:
    """The dataset that an entry describes.

    Raises:
        NotDescribable: it has no code, name, summary or provider.
    """
    require_describable(entry)
    shared = entry.sharing.share_type is not ShareType.NOT_SHARED
    rights = list(_rights(entry))
    return {
        "@id": _dataset_id(str(entry.code), catalogue),
        "@type": "dcat:Dataset",
        "dct:identifier": str(entry.code),
        "dct:title": _both(entry.name, entry.name_en),
        "dct:description": _both(entry.summary),
        "dct:publisher": _agent(entry.provider, catalogue),
        "dct:language": eu.chinese(),
        **({"dct:accessRights": eu.access(entry.opening.open_type)} if entry.opening.open_type else {}),
        **({"dct:accrualPeriodicity": eu.frequency(entry.update_cycle)} if entry.update_cycle else {}),
        **_given("dct:issued", _day(entry)),
        **_given("dcat:theme", list(_themes(entry, catalogue))),
        **_given("dcat:keyword", [_text(name) for name in dict.fromkeys(each.name for each in entry.items)]),
        **_given("dcatap:applicableLegislation", list(_basis(entry))),
        **_given("dct:relation", [{"@id": _dataset_id(str(code), catalogue)} for code in entry.related]),
        **(
            {"dcat:distribution": _distribution(entry, catalogue, rights)}
            if shared
            else {"dct:rights": rights}
        ),
    }


def require_describable(entry: Entry) -> None:
    """Refuse an entry that lacks what a dataset must say.

    Raises:
        NotDescribable: it has no code, name, summary or provider.
    """
    missing = tuple(_missing(entry))
    if missing:
        raise NotDescribable(entry, missing)


def _missing(entry: Entry) -> Iterator[Field]:
    for which, value in (
        (Field.CODE, entry.code),
        (Field.NAME, entry.name),
        (Field.SUMMARY, entry.summary),
        (Field.PROVIDER, entry.provider.name),
    ):
        if not value:
            yield which


def _head(catalogue: Catalogue) -> dict[str, Any]:
    return {
        "@context": eu.CONTEXT,
        "@id": catalogue.base,
        "@type": "dcat:Catalog",
        "dct:title": _titles(catalogue.title),
        "dct:description": _titles(catalogue.description),
        "dct:publisher": _agent(Department(catalogue.publisher), catalogue),
        "dct:language": eu.chinese(),
        "dct:conformsTo": {"@id": PROFILE, "@type": "dct:Standard"},
        "dcat:themeTaxonomy": [
            {"@id": f"{catalogue.base}/theme", "@type": "skos:ConceptScheme", "dct:title": _titles(SCHEME)},
            {"@id": eu.THEMES, "@type": "skos:ConceptScheme", "dct:title": _titles(_DATA_THEMES)},
        ],
    }


def _dataset_id(code: str, catalogue: Catalogue) -> str:
    return f"{catalogue.base}/dataset/{quote(code)}"


def _agent(department: Department, catalogue: Catalogue) -> dict[str, Any]:
    """A department by its credit code, which stays when its name changes."""
    known = quote(department.credit_code or department.name, safe="")
    return {
        "@id": f"{catalogue.base}/department/{known}",
        "@type": "foaf:Agent",
        "foaf:name": _text(department.name),
        **_given("dct:identifier", department.credit_code),
    }


def _themes(entry: Entry, catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """The class, the library, and the European theme of the library."""
    found: list[ResourceClass | Library | None] = [entry.resource_class, entry.library]
    for each in found:
        if each is not None:
            yield {
                "@id": f"{catalogue.base}/theme/{each.value}",
                "@type": "skos:Concept",
                "skos:prefLabel": _both(word(each), word(each, Language.EN)),
                "skos:inScheme": {"@id": f"{catalogue.base}/theme"},
            }
    european = eu.theme(entry.library) if entry.library else None
    if european:
        yield european


def _basis(entry: Entry) -> Iterator[dict[str, Any]]:
    sharing = entry.sharing
    if sharing.basis:
        level = sharing.basis_level
        yield {
            "@type": "eli:LegalResource",
            "dct:title": _text(sharing.basis),
            **({"dct:description": _both(word(level), word(level, Language.EN))} if level else {}),
        }


def _rights(entry: Entry) -> Iterator[dict[str, Any]]:
    """What departments may do with it, and what the public may."""
    sharing, opening = entry.sharing, entry.opening
    uses = [sharing.use] if sharing.use else []
    yield _statement([sharing.share_type, *uses], sharing.condition)
    if opening.open_type:
        yield _statement([opening.open_type], opening.condition)


def _statement(values: list[Any], condition: str) -> dict[str, Any]:
    zh = "，".join(word(each) for each in values)
    en = ", ".join(word(each, Language.EN) for each in values)
    return {
        "@type": "dct:RightsStatement",
        "rdfs:label": _both(zh, en),
        **({"dct:description": _text(condition)} if condition else {}),
    }


def _distribution(entry: Entry, catalogue: Catalogue, rights: list[dict[str, Any]]) -> dict[str, Any]:
    """How it is had: at the entry's own page, since nothing is given without a case."""
    code, mode, form = str(entry.code), entry.sharing.mode, entry.form
    kind = form.sub_type or (word(form.format_class) if form.format_class else "")
    return {
        "@id": f"{catalogue.base}/distribution/{quote(code)}",
        "@type": "dcat:Distribution",
        "dcat:accessURL": {"@id": _dataset_id(code, catalogue)},
        **({"dct:title": _both(word(mode), word(mode, Language.EN))} if mode else {}),
        **({"dct:format": {"@type": "dct:MediaTypeOrExtent", "rdfs:label": kind}} if kind else {}),
        "dct:rights": rights,
    }


def _day(entry: Entry) -> dict[str, str] | None:
    if entry.published_on is None:
        return None
    return {"@value": entry.published_on.isoformat(), "@type": "xsd:date"}


def _given(name: str, value: Any) -> dict[str, Any]:
    """The property, where there is something to say."""
    return {name: value} if value else {}


def _titles(titles: Titles) -> list[dict[str, str]]:
    return _both(titles.zh, titles.en)


def _both(zh: str, en: str = "") -> list[dict[str, str]]:
    return [_text(zh), *([{"@value": en, "@language": "en"}] if en else [])]


def _text(zh: str) -> dict[str, str]:
    return {"@value": zh, "@language": "zh"}
