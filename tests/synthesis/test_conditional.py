"""Columns drawn given others have exactly the model's conditional distribution."""

from itertools import product

import numpy as np
import pytest

from node.synthesis import conditional
from node.synthesis.conditional import Conditional
from tests.noise.goodness import fits
from tests.synthesis.examples import stream

SIZES = (2, 3, 3, 2, 4)
GIVEN, TARGETS = (0, 1), (2, 3, 4)
ROWS = 30_000


def model() -> Conditional:
    """A model whose targets hang on what is given and, in a ring, on each other."""
    drawn = np.random.default_rng(7)
    sets = [(2,), (3,), (4,), (0, 2), (1, 4), (2, 3), (3, 4), (2, 4), (1, 0, 3)]
    return Conditional(SIZES, TARGETS, tuple((one, drawn.normal(size=[SIZES[c] for c in one])) for one in sets))


def weights(of: Conditional, given: tuple[int, ...]) -> dict[int, float]:
    found = {}
    for targets in product(*(range(SIZES[target]) for target in TARGETS)):
        row = (*given, *targets)
        logs = sum(float(table[tuple(row[column] for column in columns)]) for columns, table in of.logs)
        found[int(np.ravel_multi_index(targets, [SIZES[target] for target in TARGETS]))] = float(np.exp(logs))
    return found


@pytest.mark.parametrize("at_once", [4_000_000, 500])
def test_targets_have_the_distribution_that_the_model_gives_them(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditional, "NUMBERS_AT_ONCE", at_once)
    whole, rows = model(), ROWS if at_once > 500 else 2_000
    given = {place: np.arange(rows, dtype=np.int16) // (place + 1) % SIZES[place] for place in GIVEN}
    drawn = whole.draw(given, rows, stream(3).stage("drawn"))
    cell = np.ravel_multi_index([drawn[target].astype(int) for target in TARGETS], [SIZES[t] for t in TARGETS])
    for values in product(*(range(SIZES[place]) for place in GIVEN)):
        those = np.all([given[place] == value for place, value in zip(GIVEN, values, strict=True)], axis=0)
        assert those.sum() > rows // 20
        assert fits(cell[those], weights(whole, values))


def test_a_target_that_nothing_is_said_of_but_itself_is_drawn_alone() -> None:
    alone = Conditional((2, 2), (1,), (((1,), np.array([0.0, np.log(3.0)])),))
    drawn = alone.draw({0: np.zeros(ROWS, np.int16)}, ROWS, stream().stage("drawn"))
    assert fits(drawn[1].astype(np.int64), {0: 1.0, 1: 3.0})
