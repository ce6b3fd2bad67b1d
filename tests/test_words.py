"""One word for one thing: what the glossary forbids appears in no public name and in no text that people see."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = (
    "seller", "vendor", "purchaser", "consumer", "customer", "listing", "escrow", "royalty", "royalties",
    "privacy loss", "epsilon budget", "fake data", "data owner",
)  # fmt: skip
PATTERN = re.compile("|".join(rf"\b{word.replace(' ', '[ _]')}s?\b" for word in FORBIDDEN), re.IGNORECASE)


def python_texts(path: Path) -> Iterator[str]:
    for piece in ast.walk(ast.parse(path.read_text())):
        if isinstance(piece, ast.Constant) and isinstance(piece.value, str):
            yield piece.value
        elif isinstance(piece, ast.FunctionDef | ast.ClassDef):
            yield re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", piece.name)


PYTHON = [path for package in ("marketplace", "node") for path in sorted((ROOT / package).rglob("*.py"))]
SOLIDITY = sorted((ROOT / "contracts").glob("*.sol"))
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if page.name != "glossary.md"]


@pytest.mark.parametrize("path", PYTHON, ids=str)
def test_python_speaks_the_glossary(path: Path) -> None:
    assert not [text for text in python_texts(path) if PATTERN.search(text)]


@pytest.mark.parametrize("path", [*SOLIDITY, *PAGES], ids=str)
def test_contracts_and_pages_speak_the_glossary(path: Path) -> None:
    assert not PATTERN.findall(path.read_text())


def test_every_forbidden_word_stands_in_the_glossary() -> None:
    table = (ROOT / "docs" / "glossary.md").read_text().split("## Words we do not use")[1]
    missing = [word for word in FORBIDDEN if word not in table and word != "royalties"]
    assert not missing


def test_the_check_finds_a_forbidden_word() -> None:
    assert PATTERN.search("the seller ships it")
    assert PATTERN.search("held in Escrow")
    assert not PATTERN.search("the provider delivers it")
