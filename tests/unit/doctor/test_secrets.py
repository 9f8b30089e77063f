"""The doctor's view of secrets that are gone."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from services.doctor.ask_machine import ask_secrets
from services.doctor.finding import Level
from services.doctor.patient import Patient
from services.stack.api import Stack
from services.stack.settings import StackSettings


@pytest.mark.parametrize(
    ("data", "lost", "told"),
    [
        (True, ["generated.json", "master-v1"], "generated.json, master-v1"),
        (True, ["generated.json"], "generated.json"),
        (True, ["master-v1"], "master-v1"),
        (True, [], None),
        (False, ["generated.json", "master-v1"], None),
    ],
)
def test_lost_secrets_are_a_failure_where_there_is_data(
    tmp_path: Path, data: bool, lost: list[str], told: str | None
) -> None:
    stack = Stack(StackSettings(home=tmp_path, cache=tmp_path / "cache"))
    stack.context.layout.create()
    stack.context.secrets.ensure(["kafka-gate", "master-v1"])
    if data:
        (tmp_path / "data" / "kafka").mkdir()
        (tmp_path / "data" / "kafka" / "meta.properties").touch()
    for name in lost:
        (tmp_path / "secrets" / name).unlink()
    found = ask_secrets(cast("Patient", SimpleNamespace(stack=stack)))
    failures = [one.seen for one in found if one.level is Level.FAILURE]
    assert failures == ([] if told is None else [f"generated secrets are missing: {told}"])
