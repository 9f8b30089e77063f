"""Fills the tables of docs/bench.md from the answers in docs/bench: ``python -m services.bench.page``."""

import json
import re
from pathlib import Path
from typing import Any, Final

from services.bench.show import shown

_ROOT: Final = Path(__file__).parents[2]
_PLACE: Final = re.compile(r"(<!-- bench: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_NOT_YET: Final = "Not measured yet."


def filled(page: str, answers: dict[str, dict[str, Any]]) -> str:
    """The page with each place ``<!-- bench: NAME -->`` filled up to its ``<!-- end -->``."""

    def place(found: re.Match[str]) -> str:
        answer = answers.get(found[2])
        text = _NOT_YET if answer is None else shown(answer).strip()
        return f"{found[1]}{text}\n{found[3]}"

    return _PLACE.sub(place, page)


def answers_in(folder: Path) -> dict[str, dict[str, Any]]:
    """The answers that are kept, by the bench that gave them."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return {answer["bench"]: answer for answer in found}


def main(root: Path = _ROOT) -> None:
    """Rewrite the page."""
    page = root / "docs" / "bench.md"
    text = filled(page.read_text(encoding="utf-8"), answers_in(root / "docs" / "bench"))
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
