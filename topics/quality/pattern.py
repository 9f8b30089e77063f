"""The safe subset of regular expressions that quality rules may use, refused at definition with the reason.

Allowed: literals, escapes, `\\d \\w \\s`, classes, groups, alternatives inside groups, `? * + {m,n}`. The
cost of a pattern bounds how many ways a text can be tried, so no text makes a match run away.
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_TEXT: Final = 1_000  # code points; longer text is not tried
MAX_COST: Final = (MAX_TEXT + 1) ** 2  # two unbounded repetitions

_QUANTIFIER: Final = re.compile(r"[*+?]|\{([0-9]{1,4})(,([0-9]{0,4}))?\}")
_ESCAPES: Final = frozenset("dDwWsS")
_CLASS: Final = re.compile(r"\[\^?\]?(?:[^\]\\\[]|\\[^A-Za-z0-9]|\\[dDwWsS])*\]")

# Python reserves these inside classes and warns of them.
_SET_OPERATION: Final = re.compile(r"--|&&|\|\||~~")


class UnsafePatternError(ValueError):
    """The pattern is outside the safe subset: rewrite it as the message says."""


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile an anchored pattern of the safe subset; match it with `fullmatch`, ASCII classes.

    Raises:
        UnsafePatternError: it is not anchored, not of the subset, or could take too long on some text.
    """
    if not (pattern.startswith("^") and pattern.endswith("$")) or len(pattern) < 2:
        raise UnsafePatternError("anchor the pattern: begin it with ^ and end it with $")
    reader = _Reader(pattern[1:-1])
    cost = reader.alternatives(top=True)
    if cost > MAX_COST:
        raise UnsafePatternError(
            "too many variable repetitions follow each other: give them small upper bounds"
        )
    try:
        return re.compile(pattern, re.ASCII)
    except (re.error, OverflowError) as error:
        raise UnsafePatternError(f"not a regular expression: {error}") from error


@dataclass(slots=True)
class _Reader:
    """Reads a pattern once from left to right and adds up its cost."""

    text: str
    at: int = 0
    depth: int = 0

    def alternatives(self, *, top: bool) -> int:
        """Read alternatives to the end of the group (or text) and return the sum of their costs."""
        cost = self.sequence()
        while self.at < len(self.text) and self.text[self.at] == "|":
            if top:
                raise UnsafePatternError("put alternatives into a group: ^(?:a|b)$")
            self.at += 1
            cost += self.sequence()
        if top and self.at < len(self.text):
            raise UnsafePatternError("a ) without its (")
        return cost

    def sequence(self) -> int:
        """Read atoms with their repetitions and return the product of their costs."""
        cost = 1
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            cost *= self.repeated(self.atom())
        return cost

    def repeated(self, cost: int) -> int:
        """Read the repetition after an atom of this cost, if any."""
        match = _QUANTIFIER.match(self.text, self.at)
        if match is None:
            return cost
        self.at = match.end()
        if self.at < len(self.text) and self.text[self.at] in "*+?{":
            raise UnsafePatternError(
                "lazy, possessive or doubled repetition is not allowed: use one of ? * + {m,n}"
            )
        low, high = _bounds(match)
        if low > high or high > MAX_TEXT:
            raise UnsafePatternError(f"repeat at most {MAX_TEXT} times, and the least before the most")
        if high > 1 and cost > 1:
            raise UnsafePatternError("a repeated group may not contain repetition or alternatives: unfold it")
        return cost + 1 if high == 1 else high - low + 1

    def atom(self) -> int:
        """Read one literal, escape, class or group and return its cost."""
        character = self.text[self.at]
        if character == "(":
            return self.group()
        if character == "[":
            match = _CLASS.match(self.text, self.at)
            if match is None or _SET_OPERATION.search(match[0]):
                raise UnsafePatternError("a class is not closed, or holds [ -- && || ~~ or an unknown escape")
            self.at = match.end()
            return 1
        if character == "\\":
            return self.escape()
        if character in "^$*+?{":
            raise UnsafePatternError(
                f"{character} may not stand at place {self.at + 2}: escape it or take it out"
            )
        self.at += 1
        return 1

    def escape(self) -> int:
        """Read an escaped character; references and assertions are not of the subset."""
        escaped = self.text[self.at + 1 : self.at + 2]
        if not escaped or (escaped.isalnum() and escaped not in _ESCAPES):
            raise UnsafePatternError(
                "only \\d \\w \\s (and their opposites) and escaped punctuation are allowed"
            )
        self.at += 2
        return 1

    def group(self) -> int:
        """Read a plain or non-capturing group."""
        self.at += 3 if self.text.startswith("(?:", self.at) else 1
        if self.text.startswith("?", self.at):
            raise UnsafePatternError(
                "only plain groups and (?:…) are allowed: no look-around, names or flags"
            )
        self.depth += 1
        if self.depth > 20:
            raise UnsafePatternError("groups are nested more than 20 deep")
        cost = self.alternatives(top=False)
        if not self.text.startswith(")", self.at):
            raise UnsafePatternError("a ( is not closed")
        self.at += 1
        self.depth -= 1
        return cost


def _bounds(match: re.Match[str]) -> tuple[int, int]:
    sign = match[0]
    if sign in ("?", "*", "+"):
        return (1 if sign == "+" else 0), (1 if sign == "?" else MAX_TEXT)
    low = int(match[1])
    if match[2] is None:
        return low, low
    return low, int(match[3]) if match[3] else MAX_TEXT
