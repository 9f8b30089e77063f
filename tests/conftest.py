"""Fixtures that all tests share, and how hypothesis is used in all of them."""

from hypothesis import settings

from tests.stack_fixture import stack

__all__ = ["stack"]

# How long one example takes says something about the machine, not about the code.
settings.register_profile("govbus", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("govbus")
