"""The words of DCAT-AP for what a catalogue says: the European Union's closed lists, and our own beside them.

The lists are named authority lists of the Publications Office of the European Union. Where a list has no
exact word for ours, the nearest that promises no more is taken; a library is never forced under a theme.
"""

from typing import Any, Final

from services.control.catalogue.vocabulary import Cycle, Library, OpenType

AUTHORITY: Final = "http://publications.europa.eu/resource/authority"
THEMES: Final = f"{AUTHORITY}/data-theme"

CONTEXT: Final[dict[str, str]] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
"""Stands in the document itself, so that it can be read without a network."""

FREQUENCIES: Final[dict[Cycle, str]] = {
    Cycle.REAL_TIME: "UPDATE_CONT",
    Cycle.HOURLY: "HOURLY",
    Cycle.DAILY: "DAILY",
    Cycle.WEEKLY: "WEEKLY",
    Cycle.MONTHLY: "MONTHLY",
    Cycle.QUARTERLY: "QUARTERLY",
    Cycle.HALF_YEARLY: "ANNUAL_2",
    Cycle.YEARLY: "ANNUAL",
    Cycle.IRREGULAR: "IRREG",
    Cycle.OTHER: "OTHER",
}

ACCESS: Final[dict[OpenType, str]] = {
    OpenType.UNCONDITIONAL: "PUBLIC",
    OpenType.CONDITIONAL: "RESTRICTED",
    OpenType.NOT_OPEN: "NON_PUBLIC",
}
"""To the public; what departments may have among themselves is said in a statement of rights."""

THEME_LABELS: Final[dict[str, str]] = {
    "ECON": "Economy and finance",
    "ENER": "Energy",
    "ENVI": "Environment",
    "GOVE": "Government and public sector",
    "HEAL": "Health",
    "JUST": "Justice, legal system and public safety",
    "REGI": "Regions and cities",
    "SOCI": "Population and society",
}

THEME_OF: Final[dict[Library, str]] = {
    Library.POPULATION: "SOCI",
    Library.LEGAL_PERSONS: "ECON",
    Library.LICENCES: "GOVE",
    Library.SOCIAL_CREDIT: "ECON",
    Library.MACRO_ECONOMY: "ECON",
    Library.PUBLIC_SERVICES: "GOVE",
    Library.HEALTH: "HEAL",
    Library.SOCIAL_SECURITY: "SOCI",
    Library.FOOD_AND_DRUGS: "HEAL",
    Library.PRICES: "ECON",
    Library.ENERGY: "ENER",
    Library.CREDIT_SYSTEM: "ECON",
    Library.CONSTRUCTION: "REGI",
    Library.COMMUNITY: "SOCI",
    Library.ENVIRONMENT: "ENVI",
    Library.EMERGENCY: "JUST",
    Library.POVERTY: "SOCI",
    Library.GOVERNMENT_SERVICES: "GOVE",
}
"""Natural resources and safety at work have no one theme there, and stand under our own only."""


def frequency(cycle: Cycle) -> dict[str, Any]:
    """How often it is renewed."""
    return {"@id": f"{AUTHORITY}/frequency/{FREQUENCIES[cycle]}", "@type": "dct:Frequency"}


def access(open_type: OpenType) -> dict[str, Any]:
    """Who of the public may have it."""
    return {"@id": f"{AUTHORITY}/access-right/{ACCESS[open_type]}", "@type": "dct:RightsStatement"}


def chinese() -> dict[str, Any]:
    """The language of descriptions and data."""
    return {"@id": f"{AUTHORITY}/language/ZHO", "@type": "dct:LinguisticSystem"}


def theme(library: Library) -> dict[str, Any] | None:
    """The theme of data.europa.eu that a library stands under, or None."""
    code = THEME_OF.get(library)
    if code is None:
        return None
    return {
        "@id": f"{THEMES}/{code}",
        "@type": "skos:Concept",
        "skos:prefLabel": {"@value": THEME_LABELS[code], "@language": "en"},
        "skos:inScheme": {"@id": THEMES},
    }
