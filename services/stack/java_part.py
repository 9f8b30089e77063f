"""What the Java parts have in common: they start from what was learned once (``govbus prepare``)."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.stack.component import Component
from services.stack.java import options, release
from services.stack.java_lessons import JavaLessons

_WRITING_S: Final = 90.0
"""It takes a few seconds, and far more on a machine that is busy."""


class JavaPart(Component):
    """One Java process of the stack."""

    @property
    @abstractmethod
    def archives(self) -> Sequence[Path]:
        """What it is started from."""

    @property
    def lessons(self) -> JavaLessons:
        """What is known of its start, for all stacks of the user."""
        context = self.context
        shared = context.settings.cache / "java"
        return JavaLessons(self.name, shared, context.layout.scratch, release(), self.archives)

    def jvm(self, heap_mb: int, *, learn: bool = True) -> list[str]:
        """Return the options of its runtime.

        Args:
            heap_mb: the largest heap, in MB.
            learn: whether this run is worth learning from, where the stack is one that learns.
        """
        context = self.context
        given = options(heap_mb, context.layout.scratch, quick=context.settings.quick_start)
        return [*given, *self.lessons.options(learn=learn and context.settings.learn)]

    def stop(self) -> bool:
        """End the process; in a stack that learns, keep what it has learned if it ended by itself."""
        if not self.context.settings.learn:
            return super().stop()
        clean = self.end(_WRITING_S)
        return clean and (self.lessons.keep() or self.lessons.known.exists())
