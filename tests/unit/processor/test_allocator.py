"""The allocator is told once, and where there is another one nothing happens."""

import ctypes
from types import SimpleNamespace

import pytest

from services.processor.allocator import merge_freed_pieces_at_once


def test_the_allocator_is_asked_for_no_fast_bins(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def mallopt(parameter: int, value: int) -> int:
        asked.append((parameter, value))
        return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace(mallopt=mallopt))
    assert merge_freed_pieces_at_once()
    assert asked == [(1, 0)]


def test_a_library_without_such_an_allocator_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace())
    assert not merge_freed_pieces_at_once()
