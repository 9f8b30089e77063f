"""DCAT-AP's own judgement: a document is parsed as RDF and held against the official SHACL shapes."""

import json
from functools import cache

import pyshacl
from rdflib import Graph

from tests.support.official import OFFICIAL


@cache
def shapes() -> Graph:
    """Cardinalities and node kinds, and the classes and types of what properties lead to."""
    found = Graph()
    for name in ("dcat-ap-3.0.1.shacl.ttl", "dcat-ap-3.0.1.ranges.ttl"):
        found.parse(OFFICIAL / name, format="turtle")
    return found


def graph_of(document: str) -> Graph:
    """The document's triples; nothing is fetched, because its context stands in it."""
    assert isinstance(json.loads(document)["@context"], dict)
    return Graph().parse(data=document, format="json-ld")


def violations(graph: Graph) -> str:
    """What the shapes find; empty where the graph conforms."""
    conforms, _report, text = pyshacl.validate(graph, shacl_graph=shapes(), inference="none")
    return "" if conforms else str(text)
