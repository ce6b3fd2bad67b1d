"""Beside each file of Forge's tests stands a tree of what it says, and each function of the marketplace has such a file."""

import re
from pathlib import Path

import pytest

from .forge import ROOT, TESTS

TREES = sorted(TESTS.rglob("*.tree"))
FUNCTION_FILES = [path for area in ("marketplace", "permits", "licences", "providers", "sealing") for path in
                  sorted((TESTS / area).glob("*.t.sol"))]  # fmt: skip


def sentences(path: Path) -> list[str]:
    """What the names of the tests in a file say."""
    names = re.findall(r"function (?:test|testFuzz)_(\w+)\(", path.read_text())
    return [" ".join(word.lower() for word in re.findall(r"[A-Z][a-z0-9]*", name)) for name in names]


def leaves(tree: Path) -> list[str]:
    """The ends of a tree's branches."""
    lines = tree.read_text().splitlines()
    depths = [re.match(r"[│├└─ ]*", line).end() for line in lines]  # type: ignore[union-attr]
    return [
        line[depth:] for line, depth, next_ in zip(lines, depths, [*depths[1:], 0], strict=True) if next_ <= depth > 0
    ]


@pytest.mark.parametrize("path", FUNCTION_FILES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_a_tree_says_what_its_tests_say(path: Path) -> None:
    tree = path.with_name(path.name.removesuffix(".t.sol") + ".tree")
    assert sorted(leaves(tree)) == sorted(sentences(path))


@pytest.mark.parametrize("tree", TREES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_a_tree_is_of_a_file(tree: Path) -> None:
    assert tree.with_suffix(".t.sol").exists()
    assert tree.read_text().splitlines()[0] == tree.stem


def test_every_function_of_the_marketplace_has_a_file() -> None:
    functions = re.findall(
        r"^    function (\w+)\(", (ROOT / "contracts" / "IMarketplace.sol").read_text(), re.MULTILINE
    )
    assert len(functions) > 20
    missing = [
        name for name in functions if not (TESTS / "marketplace" / f"{name[0].upper()}{name[1:]}.t.sol").exists()
    ]
    assert not missing
