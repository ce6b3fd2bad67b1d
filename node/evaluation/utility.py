"""Whether a model that learnt from synthetic rows predicts real ones: train on synthetic, test on the holdout."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from marketplace.protocol.schema import MAIN, Category, Schema
from marketplace.protocol.specification import Workload
from marketplace.scores.codes import MISSING
from node.evaluation.attack import auc
from node.evaluation.features import features
from node.evaluation.intervals import of_draws
from node.evaluation.provider import Compared
from node.evaluation.sample import Sample

MOST_TARGETS, MOST_CLASSES, FEWEST_IN_CLASS = 3, 12, 10
BOOTSTRAPS = 100
MODELS: dict[str, Callable[[int], ClassifierMixin]] = {
    "logistic regression": lambda _: LogisticRegression(max_iter=1_000),
    "random forest": lambda seed: RandomForestClassifier(50, min_samples_leaf=5, random_state=seed, n_jobs=1),
}

Codes = npt.NDArray[np.int32]
Chances = dict[int, npt.NDArray[np.float64]]


def utility(sample: Sample, schema: Schema, workload: Workload) -> tuple[Compared, ...]:
    """For each target and model the area under the ROC curve on the holdout; 0.5 is chance, 1 is perfect.

    `synthetic`: learnt from the synthetic table; `real`: from the training records, the ceiling; `shuffled`: from the
    synthetic table with every column shuffled, the floor. Several classes: the mean of each against the others, by their
    share of the holdout. Intervals are of 100 bootstraps of the holdout.
    """
    found = []
    for target in targets(sample, schema, workload):
        truth = sample.holdout[target].to_numpy()
        there = sample.holdout[truth != MISSING]
        for name, model in MODELS.items():
            values = [
                _predicted(model(sample.seed), table, there, schema, target)
                for table in (sample.synthetic, sample.training, sample.shuffled)
            ]
            rows = there[target].to_numpy()
            draws = [
                sample.generator(f"{target}/{place}").integers(0, len(rows), len(rows)) for place in range(BOOTSTRAPS)
            ]
            estimates = [
                of_draws(area(rows, each), [area(rows[drawn], _rows(each, drawn)) for drawn in draws])
                for each in values
            ]
            found.append(Compared(f"{target}, {name}", *estimates))
    return tuple(found)


def targets(sample: Sample, schema: Schema, workload: Workload) -> tuple[str, ...]:
    """What is predicted: up to three categories of at most 12 values, those of the workload first, of which training
    records, holdout and synthetic table each have two values ten times."""
    wanted = [name for marginal in workload.of_table(MAIN, schema).all_marginals for name in marginal]
    columns = [column for column in schema.columns if isinstance(column, Category) and column.size <= MOST_CLASSES]
    names = sorted((column.name for column in columns), key=lambda name: name not in wanted)
    tables = (sample.training, sample.holdout, sample.synthetic)
    return tuple(name for name in names if all(_is_varied(table[name]) for table in tables))[:MOST_TARGETS]


def area(truth: Codes, chances: Chances) -> float:
    """The area under the ROC curve, each class against the others by its share of `truth`; one half without two classes."""
    total = weight = 0.0
    for code, count in zip(*np.unique(truth, return_counts=True), strict=True):
        if count < len(truth):
            chance = chances.get(int(code), np.zeros(len(truth)))
            total += count * auc(chance[truth == code], chance[truth != code])
            weight += count
    return total / weight if weight else 0.5


def _is_varied(codes: pd.Series) -> bool:
    counts = codes[codes != MISSING].value_counts()
    return len(counts) > 1 and int(counts.iloc[1]) >= FEWEST_IN_CLASS


def _predicted(
    model: ClassifierMixin, table: pd.DataFrame, holdout: pd.DataFrame, schema: Schema, target: str
) -> Chances:
    there = table[table[target] != MISSING]
    learnt, _ = features(there, schema, (target,))
    asked, _ = features(holdout, schema, (target,))
    model.fit(learnt, there[target].to_numpy())
    chances = model.predict_proba(asked)
    return {int(code): chances[:, place] for place, code in enumerate(model.classes_)}


def _rows(chances: Chances, rows: npt.NDArray[np.int64]) -> Chances:
    return {code: chance[rows] for code, chance in chances.items()}
