"""Copier and fan-out derive the keys of a grant from the same bytes, or one key would become two."""

from pathlib import Path

import pytest

from services.cli.plan import access_of
from services.processor.wiring import master_secrets
from services.stack.api import Stack
from services.stack.settings import StackSettings


@pytest.mark.parametrize("text", ["0123abcd", "0123abcd\n", "  0123abcd \r\n"])
def test_the_copier_and_the_fan_out_read_the_same_master_secret(tmp_path: Path, text: str) -> None:
    environ = {"GOVBUS_HOME": str(tmp_path)}
    stack = Stack(StackSettings.from_environment(environ))
    folder = stack.context.layout.secrets
    folder.mkdir(parents=True, mode=0o700)
    path = folder / "master-v1"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    assert access_of(stack).master_secret(1) == master_secrets(environ)[1] == b"0123abcd"
