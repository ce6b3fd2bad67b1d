"""The committed artifact is what the sources give, and what that gives is small enough."""

import json
from pathlib import Path

import pytest

from scripts.compiling import artifact, compiler, sources

KEPT = json.loads(artifact.PATH.read_text())


def test_the_artifact_is_what_the_sources_give() -> None:
    assert artifact.build() == artifact.PATH.read_text()


def test_the_source_hash_is_that_of_the_sources_named() -> None:
    found = sources.collect([f"contracts/{name}.sol" for name in KEPT["contracts"]])
    assert list(found) == KEPT["sources"]["paths"]
    assert sources.digest(found) == KEPT["sources"]["sha256"]


def test_the_hash_sees_a_name_and_a_text_apart() -> None:
    hashes = {sources.digest(value) for value in ({"a": "b"}, {"ab": ""}, {"a": "bcd"}, {"a": "b", "c": "d"})}
    assert len(hashes) == 4


def test_the_hash_does_not_depend_on_the_order_given() -> None:
    assert sources.digest({"a": "b", "c": "d"}) == sources.digest({"c": "d", "a": "b"})


@pytest.mark.parametrize("name", KEPT["contracts"])
def test_the_runtime_code_leaves_room_below_the_limit(name: str) -> None:
    assert KEPT["contracts"][name]["runtime_bytes"] <= 22 * 1024


def test_the_creation_code_fits_where_the_ledger_allows_it() -> None:
    assert len(KEPT["contracts"]["Marketplace"]["bytecode"]) // 2 - 1 <= 49_152


def test_the_compiler_is_the_pinned_one() -> None:
    assert KEPT["compiler"]["version"] == compiler.version()
    assert KEPT["compiler"]["settings"] == compiler.SETTINGS


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((sources.CONTRACTS / "package-lock.json").read_text())
    assert all("resolved" not in package for package in lock["packages"].values())


def test_a_source_that_is_not_there_is_missed_by_name() -> None:
    with pytest.raises(FileNotFoundError, match=r"Nowhere\.sol"):
        sources.collect(["contracts/Nowhere.sol"])


def test_the_compiler_says_what_is_wrong() -> None:
    from solcx.exceptions import SolcError

    with pytest.raises(SolcError, match="ParserError"):
        compiler.compile_sources({"a.sol": "contract {"}, {"a.sol"})


def test_no_file_of_the_contracts_is_long() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in Path(sources.CONTRACTS).glob("*.sol")}
    assert max(lengths.values()) <= 500
