"""Whether the portal says everything in both languages: what templates and code say, against the texts.

``python -m tests.support.translations`` ends with 1 where an entry is missing, empty, fuzzy or says something
that nobody asks for; ``--write`` brings the files in line first, with empty entries for what is new.
"""

import argparse
import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).parents[2]
PORTAL: Final = ROOT / "services" / "portal"
LOCALES: Final = ("zh_CN", "en")
SOURCE: Final = "en"
"""Its texts are what templates and code say."""
_KEYWORDS: Final[dict[str, Any]] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "speak": (2,),
    "say": None,
}
_PLACE: Final = re.compile(r"%\((\w+)\)")
_SENTENCE: Final = re.compile(r"([A-Za-z]+ ){5}")
Id = str | tuple[str, str]


def said() -> frozenset[Id]:
    """Every text that the portal says."""
    found: set[Id] = set()
    for path in sorted(PORTAL.rglob("*")):
        method = {".py": "python", ".html": "jinja2.ext:babel_extract"}.get(path.suffix)
        if method is not None:
            found |= set(_of_file(path, method))
    return frozenset(found)


def problems(wanted: frozenset[Id]) -> Iterator[str]:
    """Yield everything that is wrong with the texts of the languages."""
    for locale in LOCALES:
        catalogue = _read(locale)
        known = {_id(message): message for message in catalogue if message.id}
        for missing in sorted(map(str, wanted - set(known))):
            yield f"{locale}: {missing} is missing"
        for unused in sorted(map(str, set(known) - wanted)):
            yield f"{locale}: {unused} is said nowhere"
        for id_, message in known.items():
            yield from (f"{locale}: {id_} {what}" for what in _wrong(message, locale))


def write(wanted: frozenset[Id]) -> None:
    """Bring the files in line: what is new stands there empty, what nobody says is gone."""
    for locale in LOCALES:
        before = {_id(message): message for message in _read(locale) if message.id}
        after = Catalog(locale=locale, project="govbus", fuzzy=False)
        for id_ in sorted(wanted, key=lambda each: each if isinstance(each, str) else each[0]):
            after.add(id_, before[id_].string if id_ in before else _first(id_, locale))
        _write(locale, after)


def _of_file(path: Path, method: str) -> Iterator[Id]:
    options = {
        "silent": "false",
        "extensions": "jinja2.ext.do",
        "trimmed": "false",
        "newstyle_gettext": "true",
        "trim_blocks": "true",
        "lstrip_blocks": "true",
    }
    with path.open("rb") as source:
        for _line, message, _comments, _context in extract(method, source, _KEYWORDS, (), options):
            if isinstance(message, str):
                yield message
            elif message[1] is None:
                yield message[0]
            else:
                yield message[0], message[1]


def _wrong(message: Message, locale: str) -> Iterator[str]:
    strings = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    if message.fuzzy:
        yield "is fuzzy"
    if not strings or not all(strings):
        yield "has no translation"
        return
    places = set(_PLACE.findall(ids[-1]))
    if any(set(_PLACE.findall(each)) - places for each in strings):
        yield "names a place that the text does not have"
    if not places <= {place for each in strings for place in _PLACE.findall(each)}:
        yield "leaves a place of the text out"
    if locale == SOURCE and strings != ids:
        yield "is not what the text says"
    if locale != SOURCE and any(map(_SENTENCE.search, strings)):
        yield "holds a sentence in English"


def _id(message: Message) -> Id:
    return message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


def _first(id_: Id, locale: str) -> Id:
    if locale == SOURCE:
        return id_
    return "" if isinstance(id_, str) else ("", "")


def _path(locale: str) -> Path:
    return PORTAL / "locale" / locale / "LC_MESSAGES" / "govbus.po"


def _read(locale: str) -> Catalog:
    with _path(locale).open("rb") as source:
        return read_po(source, locale=locale, domain="govbus", abort_invalid=True)


def _write(locale: str, catalogue: Catalog) -> None:
    """Without dates and programs in the head: the same texts make the same file."""
    written = io.BytesIO()
    write_po(written, catalogue, width=110, no_location=True, omit_header=True)
    head = _path(locale).read_text(encoding="utf-8").partition("\n\n")[0]
    _path(locale).write_text(f"{head.rstrip()}\n\n{written.getvalue().decode().strip()}\n", encoding="utf-8")


def main(arguments: Iterable[str] | None = None) -> int:
    """Check, after writing if that is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.translations", description=__doc__)
    parser.add_argument("--write", action="store_true", help="bring the files in line first")
    wanted = said()
    if parser.parse_args(None if arguments is None else list(arguments)).write:
        write(wanted)
    found = list(problems(wanted))
    for each in found:
        sys.stdout.write(f"{each}\n")
    sys.stdout.write(f"{len(wanted)} texts in {len(LOCALES)} languages, {len(found)} problems\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
