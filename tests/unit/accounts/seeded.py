"""Chance that repeats itself."""

from random import Random as Generator

from services.control.accounts.random_text import Random


def seeded(seed: int = 7) -> Random:
    return Generator(seed).randbytes  # noqa: S311 - a test wants the same each time
