"""DCAT-AP's own judgement: a document is parsed as RDF and held against the official SHACL shapes."""

import json
from functools import cache

import pyshacl
from rdflib import SH, Graph
from rdflib.term import Node

from tests.support.official import OFFICIAL


@cache
def shapes() -> Graph:
    """Cardinalities and node kinds, and the classes and types of what properties lead to.

    What the official file only names and nowhere describes is left out: it could not judge anything.
    """
    found = Graph()
    for name in ("dcat-ap-3.0.1.shacl.ttl", "dcat-ap-3.0.1.ranges.ttl"):
        found.parse(OFFICIAL / name, format="turtle")
    for missing in undescribed(found):
        found.remove((None, SH.property, missing))
    return found


def undescribed(graph: Graph) -> set[Node]:
    """Shapes of properties that are named and of which nothing is said."""
    return {shape for shape in graph.objects(None, SH.property) if (shape, None, None) not in graph}


def graph_of(document: str) -> Graph:
    """The document's triples; nothing is fetched, because its context stands in it."""
    assert isinstance(json.loads(document)["@context"], dict)
    return Graph().parse(data=document, format="json-ld")


def violations(graph: Graph) -> str:
    """What the shapes find; empty where the graph conforms."""
    conforms, _report, text = pyshacl.validate(graph, shacl_graph=shapes(), inference="none")
    return "" if conforms else str(text)
