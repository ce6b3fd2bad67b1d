"""Forge's tests of the contracts: one file for each function. Forge runs all of them at once."""

import pytest

from .forge import FILES, Outcome, run


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return run("--fuzz-seed", "1")


@pytest.mark.parametrize("file", FILES)
def test_every_test_of_a_file_passes(outcomes: list[Outcome], file: str) -> None:
    here = [outcome for outcome in outcomes if outcome.file == file]
    assert here
    assert not [f"{outcome.name}: {outcome.problem}" for outcome in here if outcome.problem]


@pytest.mark.slow
def test_long_campaigns_with_new_seeds_pass() -> None:
    assert not [f"{outcome.name}: {outcome.problem}" for outcome in run(profile="long") if outcome.problem]
