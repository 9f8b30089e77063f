"""Files that the documents link to or name exist, and so do the headings that links point at."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
#: Folders of the checkout: a name in backticks that begins with one is a file or folder of ours.
FOLDERS = (
    ".ci",
    "connect-configs",
    "consumers",
    "docs",
    "producers",
    "schemas",
    "services",
    "tests",
    "topics",
)
#: Names of files that stand in a folder of definitions, not in the root.
DEFINITIONS = {path.name for path in (ROOT / "topics" / "definitions").rglob("*.yaml")}
_LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"`((?:" + "|".join(re.escape(folder) for folder in FOLDERS) + r")/[\w./*-]*)`")
_ROOT_FILE = re.compile(r"`((?:Makefile|[\w.-]+\.(?:md|toml|ya?ml|lock)))`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(document: Path) -> str:
    return _FENCE.sub("", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    """What a renderer makes of the headings: lower case, without punctuation, blanks as hyphens."""
    found = _HEADING.findall(prose(document))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


def links() -> Iterator[tuple[Path, str]]:
    for document in DOCUMENTS:
        for target in _LINK.findall(prose(document)):
            if not re.match(r"[a-z]+:", target):
                yield document, target


def named_files() -> Iterator[tuple[Path, str]]:
    for document in DOCUMENTS:
        for name in _NAMED.findall(prose(document)):
            yield document, name


def case(document: Path, target: str) -> object:
    return pytest.param(document, target, id=f"{document.relative_to(ROOT)}: {target}")


@pytest.mark.parametrize(("document", "target"), [case(*found) for found in links()])
def test_a_link_leads_to_a_file_and_its_heading(document: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    linked = (document.parent / path).resolve() if path else document
    assert linked.is_relative_to(ROOT), f"{target} leads out of the checkout"
    assert linked.exists(), f"{target} does not exist"
    if anchor:
        assert anchor in anchors(linked), f"{linked.name} has no heading {anchor}"


@pytest.mark.parametrize(("document", "name"), [case(*found) for found in named_files()])
def test_a_file_that_is_named_exists(document: Path, name: str) -> None:
    assert list(ROOT.glob(name)) if "*" in name else (ROOT / name).exists(), f"{document.name} names {name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_a_file_in_the_root_that_is_named_exists_there_or_beside_the_document(document: Path) -> None:
    names = _ROOT_FILE.findall(prose(document))
    beside = {path.name for folder in (ROOT, document.parent) for path in folder.iterdir()}
    assert [name for name in names if name not in beside | DEFINITIONS] == []


def test_every_document_is_reached_from_the_index() -> None:
    reached = {
        (document.parent / target.partition("#")[0]).resolve()
        for document, target in links()
        if document in {ROOT / "README.md", ROOT / "docs" / "README.md"}
    }
    of_users = {path for path in DOCUMENTS if path.is_relative_to(ROOT / "docs")} - {
        ROOT / "docs" / "README.md"
    }
    assert {path for path in of_users - reached if path.parent.name != "adr"} == set()


def test_the_picture_reads_in_light_and_dark() -> None:
    picture = (ROOT / "docs" / "flow.svg").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in picture
    assert "<title" in picture
    assert "<desc" in picture


def test_links_and_names_were_found() -> None:
    assert len(list(links())) > 30
    assert len(list(named_files())) > 60
