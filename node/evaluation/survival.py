"""Survival on synthetic rows beside real ones: a Cox model's ranking and coefficients, Kaplan-Meier curves, log-rank."""

import warnings

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import concordance_index

from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Curve, Workload
from marketplace.scores.codes import MISSING
from marketplace.scores.curve import Grid, exact_distance
from node.evaluation.features import features
from node.evaluation.intervals import of_draws
from node.evaluation.provider import Compared, Estimate
from node.evaluation.sample import Sample

BOOTSTRAPS = 100
PENALTY = 0.01
MOST_COVARIATES = 20
FEWEST_EVENTS = 10


def survival(sample: Sample, schema: Schema, workload: Workload) -> tuple[Compared, ...]:
    """For each time and event of the workload's curves, as far as events and rows suffice:

    - the concordance (C-index) on the holdout of a Cox model of all other columns, learnt from each table;
    - how far its coefficients' 95 % intervals overlap those of the training records, 0 to 1, the mean over coefficients
      (Karr et al. 2006); the ceiling is the holdout's model, whose interval is drawn with the others;
    - the Kaplan-Meier distance from the training records, and the log-rank test's statistic beside them.

    Intervals are of 100 bootstraps: of the holdout for concordance, of the compared table for the rest.
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
        intervals = [_intervals(model) for model in learnt]
        overlaps = [overlap(intervals[1], each) for each in (intervals[0], intervals[3], intervals[2])]
        found.append(Compared(f"{what}: overlap of Cox intervals", *(Estimate(each, each, each) for each in overlaps)))
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
    statistics = (_logrank(table, training, curve, schema) for table in pairs)
    return [
        *found,
        Compared(f"{what}: log-rank statistic (3.84 at 5 %)", *(Estimate(each, each, each) for each in statistics)),
    ]


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


def _logrank(table: pd.DataFrame, training: pd.DataFrame, curve: Curve, schema: Schema) -> float:
    both = pd.concat([table, training])
    groups = np.repeat([0, 1], [len(table), len(training)])
    return float(multivariate_logrank_test(both[curve.time], groups, _events(both, curve, schema)).test_statistic)
