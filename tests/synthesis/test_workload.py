"""What a specification's workload buys: at the same rho, what it names comes out closer to the records."""

from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import SEALING_KEY_BYTES, Curve, Specification, Workload
from node.synthesis.marginals import PrivateMarginals
from tests.synthesis.examples import ignore, never, stream, table_of

RHO_MICRO, ROWS, KEYS = 30_000, 4_000, 3
SCHEMA = Schema(
    (
        Number("days", Decimal(0), Decimal(15), Decimal(1), False),
        Category("died", ("no", "yes"), False),
        Category("arm", ("a", "b", "c"), False),
        *(Number(f"test {i}", Decimal(0), Decimal(9), Decimal(1), False) for i in range(6)),
    ),
    None,
    1,
)


def records() -> NDArray[np.int64]:
    """Six tests that hang together closely; days, death and arm hang together a little, and with no test."""
    rng = np.random.default_rng(5)
    arm = rng.integers(0, 3, ROWS)
    days = np.clip(rng.exponential(4 + 2 * arm), 0, 15).astype(np.int64)
    died = (rng.random(ROWS) < 0.3 + 0.4 * (days < 5)).astype(np.int64)
    hidden = rng.integers(0, 10, ROWS)
    tests = [np.clip(hidden + rng.integers(-1, 2, ROWS), 0, 9) for _ in range(6)]
    return np.stack([days, died, arm, *tests], axis=1)


REAL = records()


def distance(places: tuple[int, ...], workload: Workload) -> float:
    """The mean over keys of the L1 distance of the normalised marginal of these columns from that of the records."""
    sizes = tuple(SCHEMA.columns[place].size for place in places)

    def shares(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        cells = np.ravel_multi_index([rows[:, place] for place in places], sizes)
        return np.bincount(cells, minlength=int(np.prod(sizes))) / len(rows)

    found = []
    wishes = Specification(bytes(32), ROWS, workload, 60, bytes(SEALING_KEY_BYTES), bytes(32))
    table = table_of(SCHEMA, [tuple(row) for row in REAL.tolist()])
    for key in range(KEYS):
        measured = PrivateMarginals().measure(table, SCHEMA, wishes, RHO_MICRO, stream(key), ignore, never)
        twin = PrivateMarginals().synthesise(measured, SCHEMA, ROWS, bytes([key]) * 32, ignore, never)
        made = np.stack([column.to_numpy() for column in twin.columns], axis=1).astype(np.int64)
        found.append(np.abs(shares(made) - shares(REAL)).sum())
    return float(np.mean(found))


@pytest.mark.parametrize(
    ("places", "workload"),
    [((0, 2), Workload((("days", "arm"),))), ((0, 1, 2), Workload((), (Curve("days", "died", "arm"),)))],
    ids=["a pair", "a survival curve"],
)
def test_what_the_workload_names_is_closer_at_the_same_rho(places: tuple[int, ...], workload: Workload) -> None:
    assert distance(places, workload) < 0.8 * distance(places, Workload())
