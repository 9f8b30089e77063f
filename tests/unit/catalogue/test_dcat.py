"""The catalogue as DCAT-AP: the official shapes find nothing, nothing personal is in it, and it streams."""

import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from rdflib import DCAT, DCTERMS, RDF, SKOS, Literal, URIRef

from services.control.catalogue import dcat_vocabulary as eu
from services.control.catalogue.dcat import Catalogue, NotABase, NotDescribable, dataset_of, dcat_text
from services.control.catalogue.dcat_file import write_dcat
from services.control.catalogue.entry import Department, Entry, Opening, ResourceCode, Sharing
from services.control.catalogue.vocabulary import (
    BasisLevel,
    Cycle,
    Library,
    OpenType,
    ResourceClass,
    ShareMode,
    Use,
)
from tests.support.catalogue import COMPLETE, catalogues, entry
from tests.support.dcat_ap import graph_of, violations
from tests.support.examples import examples
from topics.resource import ShareType

BASE = "https://data.example/catalogue"
CATALOGUE = Catalogue(BASE, "大数据管理局")
CONDITIONAL = Sharing(
    ShareType.CONDITIONAL,
    "仅供核验",
    ShareMode.INTERFACE,
    Use.VERIFICATION,
    BasisLevel.LAW,
    "《某法》第三条",
)


def text_of(*entries: Entry) -> str:
    return "".join(dcat_text(CATALOGUE, entries))


def dataset(made: Entry) -> dict[str, Any]:
    return dataset_of(made, CATALOGUE)


def test_a_complete_entry_conforms_to_the_official_shapes() -> None:
    full = entry(
        sharing=CONDITIONAL,
        resource_class=ResourceClass.THEME,
        library=Library.HEALTH,
        name_en="Residence permits",
        published_on=date(2026, 3, 2),
        related=(ResourceCode("1", "01", "320", "", "000002"),),
    )
    graph = graph_of(text_of(full))
    assert violations(graph) == ""
    one = URIRef(f"{BASE}/dataset/3013205/000001")
    assert (URIRef(BASE), DCAT.dataset, one) in graph
    assert (one, DCTERMS.title, Literal("居住证办理信息", "zh")) in graph
    assert (one, DCTERMS.title, Literal("Residence permits", "en")) in graph
    assert (one, DCTERMS.accrualPeriodicity, URIRef(f"{eu.AUTHORITY}/frequency/DAILY")) in graph
    assert (one, DCTERMS.accessRights, URIRef(f"{eu.AUTHORITY}/access-right/NON_PUBLIC")) in graph
    assert (one, DCAT.theme, URIRef(f"{eu.THEMES}/HEAL")) in graph
    assert (one, DCAT.theme, URIRef(f"{BASE}/theme/health")) in graph
    assert (one, DCTERMS.relation, URIRef(f"{BASE}/dataset/101320/000002")) in graph
    [publisher] = graph.objects(one, DCTERMS.publisher)
    assert publisher == URIRef(f"{BASE}/department/113205000140832149")
    [basis] = graph.objects(one, URIRef("http://data.europa.eu/r5r/applicableLegislation"))
    assert (basis, DCTERMS.title, Literal("《某法》第三条", "zh")) in graph
    [distribution] = graph.objects(one, DCAT.distribution)
    assert list(graph.objects(distribution, DCAT.accessURL)) == [one]


@pytest.mark.parametrize(
    "broken",
    ["dct:title", "dct:description", "dct:publisher", "dcat:distribution", "dct:accrualPeriodicity"],
)
def test_the_official_shapes_refuse_a_dataset_that_was_damaged(broken: str) -> None:
    document = json.loads(text_of(COMPLETE))
    [made] = document["dcat:dataset"]
    if broken == "dcat:distribution":
        del made[broken]["dcat:accessURL"]
    elif broken == "dct:publisher":
        del made[broken]["foaf:name"]
    elif broken == "dct:accrualPeriodicity":
        made[broken] = {"@value": "daily"}
    else:
        del made[broken]
    assert violations(graph_of(json.dumps(document)))


@given(catalogues())
@examples(25, deadline=None)
def test_any_valid_catalogue_conforms_with_a_dataset_for_each_entry(entries: tuple[Entry, ...]) -> None:
    graph = graph_of(text_of(*entries))
    assert violations(graph) == ""
    assert len(set(graph.subjects(RDF.type, DCAT.Dataset))) == len(entries)


def test_an_empty_catalogue_conforms() -> None:
    assert violations(graph_of(text_of())) == ""


def test_every_cycle_library_and_open_type_has_its_word_and_conforms() -> None:
    assert set(eu.FREQUENCIES) == set(Cycle)
    assert set(eu.ACCESS) == set(OpenType)
    assert set(Library) - set(eu.THEME_OF) == {Library.NATURAL_RESOURCES, Library.SAFETY_AT_WORK}
    assert set(eu.THEME_OF.values()) <= set(eu.THEME_LABELS)
    entries = [
        entry(
            code=ResourceCode("2", "01", "320", "", f"{number:06}"),
            update_cycle=tuple(Cycle)[number % len(Cycle)],
            opening=Opening(tuple(OpenType)[number % len(OpenType)], "条件"),
            resource_class=ResourceClass.THEME,
            library=library,
        )
        for number, library in enumerate(Library)
    ]
    graph = graph_of(text_of(*entries))
    assert violations(graph) == ""
    assert (URIRef(f"{eu.THEMES}/ENER"), SKOS.inScheme, URIRef(eu.THEMES)) in graph


def test_what_an_entry_does_not_say_is_not_in_its_dataset() -> None:
    bare = Entry(
        code=COMPLETE.code, name="名称", provider=Department("公安局"), summary="摘要", sharing=Sharing()
    )
    made = dataset(bare)
    for left_out in (
        "dct:accessRights",
        "dct:accrualPeriodicity",
        "dct:issued",
        "dcat:theme",
        "dcat:keyword",
    ):
        assert left_out not in made
    assert violations(graph_of(text_of(bare))) == ""


def test_what_is_not_shared_has_its_rights_and_its_basis_and_no_way_to_have_it() -> None:
    made = dataset(
        entry(sharing=replace(CONDITIONAL, share_type=ShareType.NOT_SHARED, condition="法律禁止共享"))
    )
    assert "dcat:distribution" not in made
    assert made["dct:rights"][0]["dct:description"]["@value"] == "法律禁止共享"
    assert made["dcatap:applicableLegislation"][0]["dct:title"]["@value"] == "《某法》第三条"
    assert (
        violations(graph_of(text_of(entry(sharing=replace(CONDITIONAL, share_type=ShareType.NOT_SHARED)))))
        == ""
    )


def test_named_persons_and_their_telephones_stay_in_the_catalogue() -> None:
    text = text_of(COMPLETE)
    for person in (COMPLETE.contacts.head, COMPLETE.contacts.deputy, COMPLETE.contacts.clerk):
        assert f'"{person.name}"' not in text
        assert person.phone not in text


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ({"code": None}, "Code"),
        ({"name": ""}, "Name"),
        ({"summary": ""}, "Summary"),
        ({"provider": Department()}, "Provider"),
    ],
)
def test_an_entry_that_lacks_what_a_dataset_must_say_is_refused_by_name(
    lacking: dict[str, Any], named: str
) -> None:
    with pytest.raises(NotDescribable, match=f"lacks {named}"):
        dataset(entry(**lacking))


@pytest.mark.parametrize(
    "base", ["", "data.example", "urn:x:y", "https://", "https://a/?b", "https://a/b/", "https://a b"]
)
def test_a_base_that_no_identifier_can_begin_with_is_refused(base: str) -> None:
    with pytest.raises(NotABase):
        Catalogue(base, "谁")


def many(count: int) -> Iterator[Entry]:
    for number in range(count):
        yield entry(code=ResourceCode("3", "01", "320", "5", f"{number:06}"), name=f"信息{number}")


def test_ten_thousand_entries_are_written_one_by_one_in_memory_that_does_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.jsonld"
    tracemalloc.start()
    try:
        written = write_dcat(path, CATALOGUE, many(10_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert written == 10_000
    assert peak < 2_000_000 < path.stat().st_size
    assert len(json.loads(path.read_text(encoding="utf-8"))["dcat:dataset"]) == 10_000


def test_a_refused_entry_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.jsonld"
    write_dcat(path, CATALOGUE, [COMPLETE])
    before = path.read_bytes()
    with pytest.raises(NotDescribable):
        write_dcat(path, CATALOGUE, [COMPLETE, entry(summary="")])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
