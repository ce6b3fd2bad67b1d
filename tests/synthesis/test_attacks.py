"""The attacks of `scripts/bench attacks` find what a copy betrays and nothing in a table that no member was in."""

from dataclasses import replace
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from marketplace.protocol.specification import DEFAULT_GENERATOR
from node.evaluation.public_attacks import FILE, PublicAttacks, PublicFigure, decode
from node.synthesis.generators import GENERATORS
from scripts.benchmarks import attacks_draws
from scripts.benchmarks.attacks import as_table, weakened
from scripts.benchmarks.attacks_draws import draws_of, note, noted
from scripts.benchmarks.attacks_figures import figures
from scripts.benchmarks.attacks_fits import (
    COPIES,
    EXACT,
    PRIVATE,
    WITHOUT_NOISE,
    Fits,
    code_of,
    meaning_of,
    settings_of,
    version_of,
)
from scripts.benchmarks.attacks_population import OTHERS, Shadow, population
from scripts.benchmarks.attacks_views import view
from tests.synthesis.examples import FEW, measured, rows_of

COUNT = 8
PEOPLE = population("flchain", Path())
SHADOWS = PEOPLE.shadows(COUNT)


def attacked(places: list[np.ndarray]) -> dict[str, PublicFigure]:
    """The figures where the tables that are seen hold the records at these places."""
    tables: list[pd.DataFrame] = [PEOPLE.records.iloc[found] for found in places]
    views = [view(PEOPLE, *one, number) for number, one in enumerate(zip(SHADOWS, tables, strict=True))]
    return {one.attack: one for one in figures(Fits(PEOPLE, COPIES, SHADOWS, views))}


@pytest.fixture(scope="module")
def copied() -> dict[str, PublicFigure]:
    return attacked([shadow.members for shadow in SHADOWS])


@pytest.fixture(scope="module")
def strange() -> dict[str, PublicFigure]:
    rng = np.random.default_rng(0)
    strangers = [np.setdiff1d(PEOPLE.pool, np.concatenate([one.members, one.controls])) for one in SHADOWS]
    return attacked([rng.permutation(found)[:1_000] for found in strangers])


def test_each_target_is_in_half_of_the_tables_and_nobody_known_to_the_attacker_is() -> None:
    inside = np.array([shadow.inside for shadow in SHADOWS])
    assert (inside.sum(axis=0) == COUNT // 2).all()
    for shadow in SHADOWS:
        assert set(PEOPLE.targets[shadow.inside]) == set(shadow.members) & set(PEOPLE.targets)
        outside = np.concatenate([PEOPLE.reference, shadow.controls])
        assert not set(outside) & set(shadow.members) and len(shadow.members) == OTHERS + shadow.inside.sum()


def test_every_attack_finds_what_a_copy_betrays(copied: dict[str, PublicFigure]) -> None:
    """So that what they do not find in a private table says something."""
    for figure in copied.values():
        assert Fraction(figure.low) > Fraction(figure.baseline) and figure.maximum is None
        assert Fraction(figure.value) > Fraction(figure.baseline) + Fraction(1, 10)


def test_the_table_has_a_row_for_each_setting_and_a_cell_for_each_attack(copied: dict[str, PublicFigure]) -> None:
    promised = [replace(one, setting="epsilon 1", maximum="0.500000") for one in copied.values()]
    heads, rule, *rows = as_table([*copied.values(), *promised]).splitlines()
    assert len(rows) == 2 and {line.count("|") for line in (heads, rule, *rows)} == {10}
    first = next(iter(promised))
    assert rows[1].startswith(f"| epsilon 1 | flchain | {float(first.value):.3f}".replace(" 0.", " ."))
    assert rows[1].count("≤ .500") == 7 and "≤" not in rows[0]


def test_no_attack_finds_anything_in_a_table_of_strangers(strange: dict[str, PublicFigure]) -> None:
    for figure in strange.values():
        assert Fraction(figure.value) < Fraction(figure.baseline) + Fraction(5, 100)


def test_shipped_figures_are_those_that_the_attacks_give(copied: dict[str, PublicFigure]) -> None:
    wanted = {(one.attack.split(", ")[0], one.measure) for one in copied.values()}
    for version in decode(files("node.evaluation").joinpath(FILE).read_bytes()):
        for dataset in {one.dataset for one in version.figures}:
            for setting in {one.setting for one in version.figures if one.dataset == dataset}:
                found = [one for one in version.figures if (one.dataset, one.setting) == (dataset, setting)]
                assert {(one.attack.split(", ")[0], one.measure) for one in found} == wanted
                assert len(found) == len(copied) and setting in {
                    known.name for known in (*PRIVATE, WITHOUT_NOISE, EXACT, COPIES)
                }
                assert min(one.fits for one in found) >= 64


@pytest.mark.parametrize(
    "version", decode(files("node.evaluation").joinpath(FILE).read_bytes()), ids=lambda one: one.generator
)
def test_shipped_figures_are_of_code_that_means_or_measures_the_same_as_what_runs(version: PublicAttacks) -> None:
    """Else make them anew: `scripts/bench attacks --generator NAME --ship`, or raise the generator's version."""
    (name,) = {name for name in GENERATORS if version_of(name) == version.generator}
    draws = noted().get(version.generator)
    assert version.code == code_of(name) or (draws is not None and draws == draws_of(name))


def test_less_noise_measures_otherwise_and_other_words_for_the_same_do_not() -> None:
    before = draws_of(DEFAULT_GENERATOR)
    assert before == draws_of(DEFAULT_GENERATOR)
    with weakened(2):
        assert draws_of(DEFAULT_GENERATOR) != before
    assert draws_of("sdv-copula") is None


def test_what_is_measured_is_noted_for_each_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attacks_draws, "FILE", tmp_path / "attacked.json")
    monkeypatch.setattr(attacks_draws, "draws_of", lambda name: f"draws of {name}")
    note(DEFAULT_GENERATOR)
    note("neural")
    assert noted() == {version_of(name): f"draws of {name}" for name in (DEFAULT_GENERATOR, "neural")}


def test_a_shadow_is_the_same_on_every_start() -> None:
    again: list[Shadow] = population("flchain", Path()).shadows(COUNT)
    assert all(np.array_equal(one.members, other.members) for one, other in zip(SHADOWS, again, strict=True))


def test_figures_are_entered_under_the_version_that_measurements_state_and_a_hash_of_what_the_code_means(
    tmp_path: Path,
) -> None:
    assert version_of(DEFAULT_GENERATOR) == measured(FEW, rows_of(FEW, 20)).generator
    hashes = []
    for number, text in enumerate(('"""One."""\nx = 1  # a\n', '"""Other."""\nx = 1\n', "x = 2\n")):
        path = tmp_path / str(number) / "same.py"
        path.parent.mkdir()
        path.write_text(text)
        hashes.append(meaning_of([path]))
    assert hashes[0] == hashes[1] != hashes[2] and len(code_of(DEFAULT_GENERATOR)) == len(hashes[0]) == 24


def test_what_is_attacked_of_a_generator_comes_with_controls() -> None:
    for name, entry in GENERATORS.items():
        settings = settings_of(name)
        assert COPIES in settings and any(setting.private for setting in settings) != entry.exact
