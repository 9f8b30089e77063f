"""Patterns of quality rules as tables: an automaton over ASCII that reads a text once, without going back.

Only what the safe subset (topics/quality/pattern.py) allows is translated; text that is not ASCII, and a
pattern whose table would be large, are for Python's own matcher.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

_ASCII: Final = 128
_MOST_STATES: Final = 400
_MOST_NODES: Final = 4_000
DEAD: Final = -1


@dataclass(frozen=True, slots=True)
class Automaton:
    """State 0 is the first; ``moves[128 * state + byte]`` is the next, ``DEAD`` where no text goes on."""

    moves: tuple[int, ...]
    accepting: tuple[bool, ...]

    def matches(self, text: bytes) -> bool:
        """Whether the whole ASCII text matches."""
        state = 0
        for byte in text:
            state = self.moves[_ASCII * state + byte]
            if state == DEAD:
                return False
        return self.accepting[state]


def automaton_of(pattern: re.Pattern[str]) -> Automaton | None:
    """The table of a compiled pattern; None where it is none of a reasonable size."""
    try:
        graph = _Graph()
        last = graph.add_all(_parsed(pattern), 0)
        return _determined(graph, last)
    except _TooMuch:
        return None


class _TooMuch(Exception):  # noqa: N818 - named after what was asked
    """The pattern is not of the subset, or its table would be large."""


def _parsed(pattern: re.Pattern[str]) -> list[Any]:
    parser = getattr(re, "_parser", None)
    if parser is None:
        raise _TooMuch
    return list(parser.parse(pattern.pattern, pattern.flags & re.ASCII))


@dataclass(slots=True)
class _Graph:
    """A graph with free edges; node 0 is the first."""

    free: list[set[int]] = field(default_factory=lambda: [set()])
    taken: list[tuple[frozenset[int], int] | None] = field(default_factory=lambda: [None])

    def node(self) -> int:
        if len(self.free) >= _MOST_NODES:
            raise _TooMuch
        self.free.append(set())
        self.taken.append(None)
        return len(self.free) - 1

    def add_all(self, parts: Iterable[Any], start: int) -> int:
        for operation, argument in parts:
            start = self.add(str(operation), argument, start)
        return start

    def add(self, operation: str, argument: Any, start: int) -> int:
        """Add one part behind a node; returns the node behind it."""
        match operation:
            case "AT":
                # The subset has anchors at both ends only, which matching the whole text says anyway.
                return start
            case "SUBPATTERN":
                return self.add_all(argument[3], start)
            case "BRANCH":
                end = self.node()
                for branch in argument[1]:
                    first = self.node()
                    self.free[start].add(first)
                    self.free[self.add_all(branch, first)].add(end)
                return end
            case "MAX_REPEAT":
                least, most, inner = argument
                return self.repeat(least, most, inner, start)
            case _:
                return self.take(_bytes_of(operation, argument), start)

    def repeat(self, least: int, most: Any, inner: Any, start: int) -> int:
        for _ in range(least):
            start = self.add_all(inner, start)
        # The cap of the subset on unbounded repetition is above every text that is tried.
        if not isinstance(most, int) or str(most) == "MAXREPEAT":
            loop = self.node()
            self.free[start].add(loop)
            self.free[self.add_all(inner, loop)].add(loop)
            return loop
        end = self.node()
        for _ in range(most - least):
            self.free[start].add(end)
            start = self.add_all(inner, start)
        self.free[start].add(end)
        return end

    def take(self, allowed: frozenset[int], start: int) -> int:
        source, target = self.node(), self.node()
        self.free[start].add(source)
        self.taken[source] = (allowed, target)
        return target

    def closure(self, nodes: Iterable[int]) -> frozenset[int]:
        found, waiting = set(nodes), list(nodes)
        while waiting:
            for reached in self.free[waiting.pop()] - found:
                found.add(reached)
                waiting.append(reached)
        return frozenset(found)


def _determined(graph: _Graph, last: int) -> Automaton:
    states = {graph.closure([0]): 0}
    waiting, moves, accepting = list(states), [], []
    for nodes in waiting:
        accepting.append(last in nodes)
        edges = [edge for node in nodes if (edge := graph.taken[node]) is not None]
        for byte in range(_ASCII):
            reached = graph.closure([target for allowed, target in edges if byte in allowed])
            if reached and reached not in states:
                if len(states) >= _MOST_STATES:
                    raise _TooMuch
                states[reached] = len(states)
                waiting.append(reached)
            moves.append(states[reached] if reached else DEAD)
    return Automaton(tuple(moves), tuple(accepting))


def _bytes_of(operation: str, argument: Any) -> frozenset[int]:
    everything = frozenset(range(_ASCII))
    match operation:
        case "LITERAL":
            return frozenset({argument}) & everything
        case "NOT_LITERAL":
            return everything - {argument}
        case "ANY":
            return everything - {ord("\n")}
        case "IN":
            members = [(str(name), value) for name, value in argument]
            negated = bool(members) and members[0][0] == "NEGATE"
            found = frozenset().union(*(_members(*member) for member in members[negated:]))
            return everything - found if negated else found & everything
        case _:
            raise _TooMuch


def _members(operation: str, argument: Any) -> frozenset[int]:
    match operation:
        case "LITERAL":
            return frozenset({argument})
        case "RANGE":
            return frozenset(range(argument[0], min(argument[1], _ASCII - 1) + 1))
        case "CATEGORY":
            letter = _CATEGORIES.get(str(argument))
            if letter is None:
                raise _TooMuch
            found = re.compile(letter, re.ASCII)
            return frozenset(code for code in range(_ASCII) if found.fullmatch(chr(code)))
        case _:
            raise _TooMuch


_CATEGORIES: Final = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
