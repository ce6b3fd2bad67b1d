"""What synthetic rows tell about records that the generator saw, beside what they tell about those that it did not.

Each attack is made on as many holdout records as training records. What reaches as far on both is knowledge about the
population; only what reaches further on training records is disclosure about persons. No model is fitted, so these are
weak attacks: that they fail proves nothing.
Source of the idea: Giomi et al. 2023 (anonymeter), Houssiau et al. 2022; the attacks here are simpler.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketplace.protocol.schema import Category, Schema
from marketplace.scores.cells import Bins
from node.evaluation.intervals import of_share
from node.evaluation.places import Floats, Places, distances
from node.evaluation.provider import Attacked
from node.evaluation.sample import Sample

MOST_RECORDS = 500
MOST_CROWD = 5_000
NEIGHBOURS = 5
PREDICATE_COLUMNS = 4
FEWEST_RECORDS = 40

Found = npt.NDArray[np.bool_]


def disclosure(sample: Sample, schema: Schema) -> tuple[Attacked, ...]:
    """Singling out, linkability and the inference of each category, with Wilson's intervals.

    At most 500 records of each kind. None where fewer than 40 records are held out, or the schema has one column.
    """
    size = min(MOST_RECORDS, len(sample.holdout), len(sample.training))
    if size < FEWEST_RECORDS or len(schema.columns) < 2:
        return ()
    members, others = (
        table.iloc[sample.generator(what).permutation(len(table))[:size]]
        for what, table in (("members", sample.training), ("others", sample.holdout))
    )
    crowd = sample.synthetic.iloc[:MOST_CROWD]
    found = [_compared("singling out", *(singled_out(crowd, each, schema, sample) for each in (members, others)))]
    places = Places(crowd, schema)
    here, pair = places.of(crowd), (places.of(members), places.of(others))
    halves = sample.generator("halves").permutation(len(schema.columns))
    found.append(_compared("linkability", *(linked(each, here, halves) for each in pair)))
    for index, column in enumerate(schema.columns):
        if isinstance(column, Category):
            guesses = (
                guessed(each, here, index, crowd[column.name].to_numpy()) == table[column.name].to_numpy()
                for each, table in zip(pair, (members, others), strict=True)
            )
            found.append(_compared(f"inference of {column.name}", *guesses))
    return tuple(found)


def singled_out(crowd: pd.DataFrame, records: pd.DataFrame, schema: Schema, sample: Sample) -> Found:
    """For up to 500 predicates whether each is true of exactly one of `records`.

    A predicate is the cells of up to four random columns of a synthetic row, numbers in 16 bins, that no other synthetic
    row shares.
    """
    bins = Bins.of(crowd, schema)
    made, real, generator = bins.cut(crowd), bins.cut(records), sample.generator("predicates")
    found = []
    for _ in range(20 * MOST_RECORDS):
        width = min(PREDICATE_COLUMNS, len(schema.columns))
        columns = tuple(schema.names[place] for place in sorted(generator.permutation(len(schema.columns))[:width]))
        row = int(generator.integers(made.rows))
        if (made.keys(columns) == made.keys(columns)[row]).sum() == 1:
            found.append(int((real.keys(columns) == made.keys(columns)[row]).sum()) == 1)
        if len(found) == MOST_RECORDS:
            break
    return np.array(found or [False])


def linked(records: Floats, crowd: Floats, order: npt.NDArray[np.int64]) -> Found:
    """Whether one synthetic row is among the five nearest to a record by one half of the columns and by the other.

    `order`: of the columns, which are halved in it.
    """
    half = len(order) // 2
    near = [
        np.argpartition(distances(records[part], crowd[part]), min(NEIGHBOURS, crowd.shape[1]) - 1, axis=1)[
            :, :NEIGHBOURS
        ]
        for part in (order[:half], order[half:])
    ]
    return np.array([bool(set(one) & set(two)) for one, two in zip(near[0].tolist(), near[1].tolist(), strict=True)])


def guessed(records: Floats, crowd: Floats, index: int, values: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """What the synthetic row nearest by all columns but `index` has there. `values`: the crowd's codes of that column."""
    kept = [place for place in range(len(records)) if place != index]
    found: npt.NDArray[np.int32] = values[distances(records[kept], crowd[kept]).argmin(axis=1)]
    return found


def _compared(name: str, members: Found, others: Found) -> Attacked:
    return Attacked(name, of_share(members), of_share(others), len(members))
