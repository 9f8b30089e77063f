"""A command loads what it needs: counting a deadline opens neither database, bus nor registry."""

import subprocess
import sys
from importlib import import_module

import pytest

from services.cli.output import REMEDIES

HEAVY = (
    "sqlalchemy",
    "psycopg2",
    "alembic",
    "confluent_kafka",
    "requests",
    "yaml",
    "jinja2",
    "faust",
)
COUNT = """
import sys
from services.cli.main import app
from services.cli.output import run
assert run(lambda: app(["clock", "due", "--start", "2026-09-18", "--working-days", "10", "--json"])) == 0
print(" ".join(sorted(sys.modules)))
"""


def test_counting_a_deadline_loads_neither_database_bus_nor_registry() -> None:
    ended = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    answer, modules = ended.stdout.splitlines()
    assert '"due": "2026-10-09"' in answer
    loaded = set(modules.split())
    assert [each for each in HEAVY if each in loaded] == []


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, name, _, _ in REMEDIES])
def test_each_error_that_is_told_by_its_name_exists(module: str, name: str) -> None:
    assert issubclass(getattr(import_module(module), name), Exception)
