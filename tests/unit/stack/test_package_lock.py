"""What is installed from package indexes is verified by hash, whatever the index says."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENTRY = re.compile(r"[A-Za-z0-9._-]+(\[[a-z]+\])?==[^ ;]+( ; [^\\]+)?( \\\n +--hash=sha256:[0-9a-f]{64})+\n")


def test_every_package_is_pinned_with_hashes_and_nothing_else_stands_in_the_lock() -> None:
    assert ENTRY.sub("", LOCK) == ""
    assert len(ENTRY.findall(LOCK)) > 90


def test_the_installation_refuses_what_has_no_hash_and_what_must_be_built() -> None:
    [line] = [line for line in (ROOT / "Makefile").read_text().splitlines() if "-r requirements.lock" in line]
    assert "--require-hashes" in line
    assert "--only-binary :all:" in line


def test_what_builds_govbus_is_locked_too() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    built_with = re.findall(r'"([A-Za-z]+==[0-9.]+)"', text.split("[project]")[0])
    assert len(built_with) == 3
    assert [pin for pin in built_with if f"{pin} " not in LOCK.replace("cython", "Cython")] == []
