"""Survival on synthetic rows beside real ones: a Cox model's ranking and coefficients, Kaplan-Meier curves, log-rank."""

import math
import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError
from lifelines.utils import concordance_index

from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Curve, Workload
from marketplace.scores.codes import MISSING
from marketplace.scores.curve import Grid, exact_distance
from node.evaluation.features import features
from node.evaluation.intervals import NORMAL_95, of_draws
from node.evaluation.provider import Compared, Estimate
from node.evaluation.sample import Sample

BOOTSTRAPS = 100
PENALTY = 0.01
MOST_COVARIATES = 20
FEWEST_EVENTS = 10
LARGEST_LOG = math.log(1000)

Floats = npt.NDArray[np.float64]
Found = npt.NDArray[np.bool_]


def survival(sample: Sample, schema: Schema, workload: Workload) -> tuple[Compared, ...]:
    """For each time and event of the workload's curves, as far as events and rows suffice:

    - the concordance (C-index) on the holdout of a Cox model of all other columns, learnt from each table;
    - how far its coefficients' 95 % intervals overlap those of the training records, 0 to 1, the mean over coefficients
      (Karr et al. 2006); the ceiling is the holdout's model, whose interval is drawn with the others;
    - the Kaplan-Meier distance from the training records;
    - the log-rank test beside the training records, as their hazard ratio.

    Intervals are of 100 draws: of the holdout's rows for concordance, of the compared table's rows for the distance, of
    the compared model's coefficients, by their normal approximation, for the overlap. The ratio has Peto's.
    """
    found: list[Compared] = []
    for curve in dict.fromkeys(Curve(each.time, each.event, None, each.occurred) for each in workload.curves):
        tables = [_followed(table, curve, schema) for table in _tables(sample)]
        if all(len(table) and int(_events(table, curve, schema).sum()) >= FEWEST_EVENTS for table in tables):
            found += _compared(sample, tables, curve, schema)
    return tuple(found)


def overlap(real: pd.DataFrame, other: pd.DataFrame) -> float:
    """The mean over coefficients of how far two 95 % intervals overlap, 0 (apart) to 1 (the same).

    Both frames have the coefficients as rows and the intervals' ends as columns `low` and `high`. Source: Karr et al. 2006.
    """
    both = real.join(other, lsuffix="_real", rsuffix="_other", how="inner")
    shared = both[["high_real", "high_other"]].min(axis=1) - both[["low_real", "low_other"]].max(axis=1)
    parts = shared / (both["high_real"] - both["low_real"]) + shared / (both["high_other"] - both["low_other"])
    return float((parts / 2).clip(lower=0).mean()) if len(both) else 0.0


def hazard_ratio(time: Floats, event: Found, first: Found) -> Estimate:
    """How much greater the hazard of the `first` rows is than that of the others, with its 95 % interval.

    That interval leaves out 1 exactly where the log-rank test's statistic, (O - E)^2 / V, exceeds 3.84: where the two differ
    at 5 %. A row for each of the arguments. All is cut to 1/1000 and 1000, which is what is known where no time has both at
    risk.
    Source: Yusuf, Peto et al. 1985: exp((O - E) / V +- 1.96 / sqrt(V)), V hypergeometric.
    """
    excess = variance = 0.0
    for moment in np.unique(time[event]):
        risk, now = time >= moment, event & (time == moment)
        size, mine, events = int(risk.sum()), int((risk & first).sum()), int(now.sum())
        excess += int((now & first).sum()) - events * mine / size
        if size > 1:
            variance += events * mine * (size - mine) * (size - events) / (size * size * (size - 1))
    centre, reach = (excess / variance, NORMAL_95 / math.sqrt(variance)) if variance else (0.0, LARGEST_LOG)
    return Estimate(*np.exp(np.clip([centre, centre - reach, centre + reach], -LARGEST_LOG, LARGEST_LOG)).tolist())


def _tables(sample: Sample) -> tuple[pd.DataFrame, ...]:
    return sample.synthetic, sample.training, sample.shuffled, sample.holdout


def _compared(sample: Sample, tables: list[pd.DataFrame], curve: Curve, schema: Schema) -> list[Compared]:
    synthetic, training, shuffled, holdout = tables
    what, grid = (
        f"{curve.time} until {curve.event}",
        Grid.of(curve, schema),
    )
    fitted = [_fit(table, curve, schema) for table in tables]
    found = []
    if all(model is not None for model in fitted):
        learnt = [model for model in fitted if model is not None]
        found.append(
            Compared(
                f"{what}: concordance of a Cox model on the holdout",
                *(_concordance(model, sample, holdout, curve, schema) for model in learnt[:3]),
            )
        )
        overlaps = (
            overlap_of(learnt[1], learnt[place], sample.generator(f"{what}/overlap/{place}")) for place in (0, 3, 2)
        )
        found.append(Compared(f"{what}: overlap of Cox intervals", *overlaps))
    pairs = (synthetic, holdout, shuffled)
    drawn = [
        [
            table.iloc[sample.generator(f"{what}/{place}").integers(0, len(table), len(table))]
            for place in range(BOOTSTRAPS)
        ]
        for table in pairs
    ]
    distances = [
        of_draws(exact_distance(grid, table, training), [exact_distance(grid, each, training) for each in some])
        for table, some in zip(pairs, drawn, strict=True)
    ]
    found.append(Compared(f"{what}: Kaplan-Meier distance", *distances))
    ratios = (_ratio(table, training, curve, schema) for table in pairs)
    return [*found, Compared(f"{what}: log-rank, hazard ratio (1 is the same)", *ratios)]


def _followed(table: pd.DataFrame, curve: Curve, schema: Schema) -> pd.DataFrame:
    return table[(table[curve.time] != MISSING) & (table[curve.event] != MISSING)].reset_index(drop=True)


def _events(table: pd.DataFrame, curve: Curve, schema: Schema) -> pd.Series:
    return table[curve.event] == Grid.of(curve, schema).occurred


def _design(table: pd.DataFrame, curve: Curve, schema: Schema) -> pd.DataFrame:
    values, names = features(table, schema, (curve.time, curve.event))
    return pd.DataFrame(values[:, :MOST_COVARIATES], columns=list(names[:MOST_COVARIATES]))


def _fit(table: pd.DataFrame, curve: Curve, schema: Schema) -> CoxPHFitter | None:
    design = _design(table, curve, schema)
    varied = design.loc[:, design.std() > 0]
    frame = varied.assign(__time__=table[curve.time] + 1, __event__=_events(table, curve, schema))
    if varied.empty:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return CoxPHFitter(penalizer=PENALTY).fit(frame, "__time__", "__event__")
        except ConvergenceError:
            return None


def overlap_of(real: CoxPHFitter, other: CoxPHFitter, generator: np.random.Generator) -> Estimate:
    """The `overlap` of two models' intervals; its own is of 100 draws of the other's coefficients, and holds the value."""
    theirs, mine = _intervals(real), _intervals(other)
    drawn = generator.multivariate_normal(np.zeros(len(mine)), other.variance_matrix_.to_numpy(), BOOTSTRAPS)
    found = of_draws(overlap(theirs, mine), [overlap(theirs, mine.add(moved, axis=0)) for moved in drawn])
    return Estimate(found.value, min(found.low, found.value), max(found.high, found.value))


def _intervals(model: CoxPHFitter) -> pd.DataFrame:
    ends = model.confidence_intervals_
    return pd.DataFrame({"low": ends.iloc[:, 0], "high": ends.iloc[:, 1]})


def _concordance(model: CoxPHFitter, sample: Sample, holdout: pd.DataFrame, curve: Curve, schema: Schema) -> Estimate:
    design = _design(holdout, curve, schema)[list(model.params_.index)]
    risk = design.to_numpy() @ model.params_.to_numpy()
    time, event = holdout[curve.time].to_numpy(), _events(holdout, curve, schema).to_numpy()
    generator, drawn = sample.generator("concordance"), []
    for _ in range(BOOTSTRAPS):
        rows = generator.integers(0, len(risk), len(risk))
        if event[rows].any():
            drawn.append(float(concordance_index(time[rows], -risk[rows], event[rows])))
    return of_draws(float(concordance_index(time, -risk, event)), drawn)


def _ratio(table: pd.DataFrame, training: pd.DataFrame, curve: Curve, schema: Schema) -> Estimate:
    both = pd.concat([table, training])
    first = np.arange(len(both)) < len(table)
    return hazard_ratio(both[curve.time].to_numpy(np.float64), _events(both, curve, schema).to_numpy(), first)
