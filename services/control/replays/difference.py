"""The difference that a what-if came to, as a file that spreadsheets open; pure."""

from collections.abc import Iterable, Mapping
from csv import DictWriter
from io import StringIO
from typing import Any, Final

HEAD: Final = ("subject", "item", "recorded", "otherwise", "records")
"""Grant or source of the gate, item or ``*``, what became of it then and otherwise, how many records."""
_BYTE_ORDER_MARK: Final = "\ufeff"


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows as CSV (RFC 4180), with the mark by which spreadsheets know UTF-8."""
    file = StringIO(newline="")
    file.write(_BYTE_ORDER_MARK)
    written = DictWriter(file, HEAD)
    written.writeheader()
    written.writerows(rows)
    return file.getvalue()
