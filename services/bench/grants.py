"""Bench 4: many grants on one resource, in grant groups."""

from collections.abc import Mapping
from typing import Final

from topics.event import GrantId
from topics.grants.declaration import Grant

_SHAPES: Final = ("health-persons", "education-persons", "tax-persons", "housing-persons")


def many_grants(given: Mapping[GrantId, Grant], count: int, per_group: int) -> dict[GrantId, Grant]:
    """So many grants in the shapes of the given ones, the first ``per_group`` in the first group and so on."""
    found = {}
    for number in range(count):
        shape = given[GrantId(_SHAPES[number % len(_SHAPES)])]
        name = GrantId(f"many-{number:04d}")
        group = f"g{number // per_group:02d}"
        found[name] = shape.model_copy(update={"id": name, "group": group})
    return found
