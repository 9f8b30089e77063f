"""A kept city keeps its seed: asking for another one is refused instead of showing the old one as the new."""

from io import StringIO
from unittest.mock import Mock

import pytest
from rich.console import Console

from services.cli.demo_story import DemoStory
from services.demo.databases import create_city
from services.demo.kept import OtherCity, SampleCity, choose_city, read_kept, write_kept
from services.demo.narration import Narrator
from tests.unit.demo.test_databases import PASSWORDS

KEPT = SampleCity(persons=200, seed=7)


@pytest.mark.parametrize(
    ("kept", "persons", "seed", "expected"),
    [
        (None, None, None, SampleCity(2000, 1)),
        (None, 50, 0, SampleCity(50, 0)),
        (KEPT, None, None, KEPT),
        (KEPT, None, 7, KEPT),
        (KEPT, 199, 7, KEPT),
        (KEPT, 201, None, SampleCity(201, 7)),
    ],
)
def test_a_kept_city_goes_on_and_grows_but_never_shrinks(
    kept: SampleCity | None, persons: int | None, seed: int | None, expected: SampleCity
) -> None:
    assert choose_city(kept, persons, seed) == expected


@pytest.mark.parametrize("seed", [1, 8, -7])
def test_another_seed_than_that_of_the_kept_city_is_refused(seed: int) -> None:
    with pytest.raises(
        OtherCity, match=f"the city of seed 7 is kept here, so there is no city of seed {seed}"
    ):
        choose_city(KEPT, None, seed)


class Story(DemoStory):
    """The demo over a server without a stack."""

    def __init__(self, dsn: str, seed: int | None) -> None:
        console = Console(file=StringIO(), width=200)
        super().__init__(Mock(), Narrator(console), persons=None, seed=seed, updates=1)
        self._dsn = dsn

    @property
    def admin_dsn(self) -> str:
        return self._dsn


def test_the_demo_goes_on_with_the_kept_city_and_makes_no_other(admin_dsn: str) -> None:
    create_city(admin_dsn, PASSWORDS)
    write_kept(admin_dsn, KEPT)
    assert Story(admin_dsn, seed=None).choose_city() == KEPT
    with pytest.raises(OtherCity):
        Story(admin_dsn, seed=8).choose_city()
    assert read_kept(admin_dsn) == KEPT


def test_seed_and_size_stand_with_the_data(admin_dsn: str) -> None:
    create_city(admin_dsn, PASSWORDS)
    for city in (SampleCity(10, -3), KEPT):
        write_kept(admin_dsn, city)
        assert read_kept(admin_dsn) == city
    create_city(admin_dsn, PASSWORDS)
    assert read_kept(admin_dsn) == KEPT, "a later run finds it"
