"""Exact scores of a result against the real records, for the provider alone."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from marketplace.errors import Invalid
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Workload
from marketplace.scores.cells import Bins, Cells
from marketplace.scores.measure import Measure, measures
from marketplace.scores.reference import shuffle
from node.evaluation.attack import SMALLEST_HOLDOUT, attack
from node.evaluation.codes import frame_of
from node.evaluation.intervals import of_repeats, of_share
from node.evaluation.provider import Copies, ExactScore, ProviderScores
from node.evaluation.sample import resampled

REPEATS = 8


def evaluate_exactly(
    training_table: pa.Table,
    holdout_table: pa.Table,
    synthetic: pa.Table,
    schema: Schema,
    workload: Workload,
    seed: int,
) -> ProviderScores:
    """Everything exact that the provider may know about `synthetic`. All tables are coded; the result is deterministic.

    Rows are resampled, not persons, so intervals are narrow where a person has many rows. Floor and ceiling: mean of
    eight repeats with Student's interval. `seed` >= 0.
    Raises `Invalid` if the training table or the result is empty, or the holdout has too few records for the attack.
    """
    training, holdout, made = (frame_of(table, schema) for table in (training_table, holdout_table, synthetic))
    if not len(training) or not len(made) or len(holdout) < SMALLEST_HOLDOUT:
        raise Invalid(
            f"expected training records, a result, and a holdout of {SMALLEST_HOLDOUT} records; hold out more"
        )
    bins = Bins.of(training, schema)
    tables = (bins.cut(training), bins.cut(holdout), bins.cut(made))
    public_seed = seed.to_bytes(32, "big")
    wanted = measures(schema, workload, public_seed)
    return ProviderScores(
        len(training),
        len(holdout),
        _scores(wanted, *tables, public_seed),
        copies(training, holdout, made),
        attack(training, holdout, made, schema, seed),
        seed,
    )


def _scores(
    wanted: tuple[Measure, ...], training: Cells, holdout: Cells, made: Cells, seed: bytes
) -> tuple[ExactScore, ...]:
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    shuffles = [shuffle(training, seed, repeat) for repeat in range(REPEATS)]
    drawn = [resampled(training, generator) for _ in range(REPEATS)]
    scores = []
    for measure in wanted:
        own, *others = (float(distance) for distance in measure.distances([made, *shuffles, *drawn], training))
        held, real = (float(distance) for distance in measure.distances([made, training], holdout))
        scores.append(
            ExactScore(measure.name, own, held, real, of_repeats(others[:REPEATS]), of_repeats(others[REPEATS:]))
        )
    return tuple(scores)


def copies(training: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame) -> Copies:
    """How many records stand in the synthetic table word for word, and the other way round, with Wilson's intervals.

    The three are coded frames of one schema, none empty.
    """
    train, held, made = (_words(frame) for frame in (training, holdout, synthetic))
    return Copies(of_share(np.isin(train, made)), of_share(np.isin(held, made)), of_share(np.isin(made, train)))


def _words(frame: pd.DataFrame) -> npt.NDArray[np.void]:
    codes = np.ascontiguousarray(frame.to_numpy(np.int32))
    return codes.view(np.dtype((np.void, codes.dtype.itemsize * codes.shape[1]))).ravel()
