"""What is wrong with one place of a file that people write; saying so loads nothing that reads YAML."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DefinitionError:
    """One thing to correct in a definition file; ``line`` counts from 1."""

    file: str
    line: int
    field: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """``file:line: field: problem; remedy``, as an editor can follow it."""
        where = f"{self.field}: " if self.field else ""
        return f"{self.file}:{self.line}: {where}{self.problem}; {self.remedy}"
