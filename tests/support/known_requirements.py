"""Refuses a run of tests in which a mark names a requirement that docs/requirements.md does not know."""

from functools import cache

import pytest

from tests.support.requirements import DOCUMENT, requirements_of


@cache
def known() -> frozenset[str]:
    """The ids of the document."""
    return frozenset(each.id for each in requirements_of(DOCUMENT.read_text(encoding="utf-8")))


def refuse_strange_requirements(items: list[pytest.Item]) -> None:
    """Called with everything that would run.

    Raises:
        UsageError: a mark names a requirement that the document does not know.
    """
    for item in items:
        for mark in item.iter_markers("requirement"):
            strange = sorted({str(each) for each in mark.args} - known())
            if strange:
                raise pytest.UsageError(f"{item.nodeid} names {strange}, unknown to docs/requirements.md")
