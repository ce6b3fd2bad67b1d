"""What an attacker computes from one synthetic table, knowing a reference, the targets and how the table was made.

Everything here sees the synthetic table and public knowledge alone; who was a member is used only to keep the score.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations, islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scripts.benchmarks.attacks_population import Bins, Codes, Population, Shadow

COARSE, FINE = 16, 64
MEMBERS = 150
TRIPLES = 100
NEAREST = 5
PREDICATES = 500
WIDTH = 0.05
MISMATCH = 3.0

Floats = NDArray[np.float32]
View = dict[str, NDArray[np.generic]]


def view(population: Population, shadow: Shadow, synthetic: pd.DataFrame, seed: int) -> View:
    """The outcome of every attack on one table, as arrays by name.

    `queries` (targets, queries): shares of synthetic rows that agree with a target in some columns. For DOMIAS, guessed
    secrets and links: the targets, then 150 members, then 150 controls: `ratio`, `guessed` and `linked`. For singling
    out, by kind of predicate: `_isolated`, the share of predicates that isolate a member, and `_baseline`, how many
    controls each would isolate among the members on average.
    """
    rng = np.random.default_rng(seed)
    chosen = np.concatenate([population.targets, shadow.others[:MEMBERS], shadow.controls[:MEMBERS]])
    records = population.records
    near = Nearness(population, records.iloc[chosen], synthetic)
    known = Nearness(population, records.iloc[chosen], records.iloc[population.reference])
    training = records.iloc[shadow.members]
    found: View = {
        "queries": queries(population, records.iloc[population.targets], synthetic),
        "ratio": near.density() - known.density(),
        "guessed": near.guesses(population.schema.names.index(population.secret)),
        "linked": near.links(),
    }
    same_size, controls = synthetic.iloc[: len(training)], records.iloc[shadow.controls]
    for kind, few in (("univariate", True), ("multivariate", False)):
        isolated, baseline = singled_out(population, same_size, training, controls, few, rng)
        found |= {f"{kind}_isolated": np.array(isolated), f"{kind}_baseline": np.array(baseline)}
    return found


def queries(population: Population, targets: pd.DataFrame, synthetic: pd.DataFrame) -> Floats:
    """Shares of synthetic rows that agree with each target in one, two, three or all columns, shape (targets, queries).

    Of numbers: in the same of 16 cells; on top, the same value, and values at least as high or as low.
    Source: Houssiau et al. 2022 (TAPAS); Meeus et al. 2023 (random subsets of columns).
    """
    bins = Bins(population, COARSE)
    here, there = bins.cut(targets), bins.cut(synthetic)
    exact_here, exact_there = targets.to_numpy(), synthetic.to_numpy()
    width = here.shape[1]
    triples = list(combinations(range(width), 3))
    order = np.random.default_rng(2).permutation(len(triples))[:TRIPLES]
    found = []
    for one, exact in zip(here, exact_here, strict=True):
        agrees = (there == one).astype(np.float32)
        pairs = agrees.T @ agrees / len(agrees)
        threes = [(agrees[:, triples[i][0]] * agrees[:, triples[i][1]]) @ agrees[:, triples[i][2]] for i in order]
        found.append(
            np.concatenate(
                [
                    pairs[np.triu_indices(width)],
                    np.array(threes) / len(agrees),
                    [np.prod(agrees, axis=1).mean(), agrees.sum(axis=1).max()],
                    (exact_there == exact).mean(axis=0),
                    (exact_there >= exact).mean(axis=0),
                ]
            )
        )
    return np.array(found, np.float32)


class Nearness:
    """How near `rows` are to `records`, by column: the logarithm of a kernel, shape (records, rows) each.

    Numbers: minus the distance of their cells among 64, as shares, by `WIDTH`; categories and missing: 0 or `-MISMATCH`.
    """

    def __init__(self, population: Population, records: pd.DataFrame, rows: pd.DataFrame) -> None:
        bins = Bins(population, FINE)
        here, self._there = bins.cut(records), bins.cut(rows)
        self._columns = []
        for place, (size, ordered) in enumerate(zip(bins.sizes, bins.ordered, strict=True)):
            kernel = np.full((size, size), -MISMATCH)
            np.fill_diagonal(kernel, 0.0)
            if ordered:
                apart = np.abs(np.subtract.outer(np.arange(size - 1), np.arange(size - 1))) / max(1, size - 2)
                kernel[:-1, :-1] = np.maximum(-apart / WIDTH, -MISMATCH)
            self._columns.append(kernel.astype(np.float32)[here[:, place]][:, self._there[:, place]])
        self._total = np.sum(self._columns, axis=0)

    def density(self) -> Floats:
        """The logarithm of the kernel estimate of the rows' density at each record. Source: van Breugel et al. 2023."""
        return np.asarray(np.log(np.exp(self._total).mean(axis=1) + 1e-12), np.float32)

    def guesses(self, secret: int) -> Codes:
        """The value of column `secret` that the rows near a record in all other columns have, by the kernel's weight."""
        weights = np.exp(self._total - self._columns[secret])
        cells = self._there[:, secret]
        votes = np.stack([weights[:, cells == cell].sum(axis=1) for cell in range(cells.max() + 1)], axis=1)
        return np.asarray(votes.argmax(axis=1), np.int64)

    def links(self) -> NDArray[np.bool_]:
        """Whether a row is among the 5 nearest to a record both by its first half of columns and by its second.

        Ties are broken by the rows' order. Source of the idea: Giomi et al. 2023.
        """
        half = len(self._columns) // 2
        sides = [self._columns[:half], self._columns[half:]]
        near = [np.argsort(-np.sum(side, axis=0), axis=1, kind="stable")[:, :NEAREST] for side in sides]
        return np.asarray([bool(set(one) & set(other)) for one, other in zip(*near, strict=True)])


Predicate = Mapping[str, tuple[str, int]]
"""What is asked of some columns: a sign, and a code."""

Table = dict[str, Codes]


def singled_out(
    population: Population,
    synthetic: pd.DataFrame,
    training: pd.DataFrame,
    controls: pd.DataFrame,
    univariate: bool,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """The share of predicates true of exactly one training record, which is no target; and its baseline.

    `training`: first as many records as there are `controls`, then the targets among them. Predicates are those true of
    exactly one synthetic row. `univariate`: a value of one column, or everything beyond one. Else: of a random row its
    values in a random half of the columns, numbers as "at least" above the median and "at most" below. Baseline: the
    mean number of controls for which a predicate is true while it is of no training record.
    Source of the idea: Cohen and Nissim 2020; Giomi et al. 2023.
    """
    made, members, others = (
        {str(name): frame[name].to_numpy() for name in frame} for frame in (synthetic, training, controls)
    )
    makers = _extremes(made, rng) if univariate else _conjunctions(population, made, rng)
    isolated, baseline = [0.0], [0.0]
    for predicate in islice(makers, PREDICATES):
        caught = _true_of(predicate, members)
        isolated.append(caught.sum() == caught[: len(controls)].sum() == 1)
        baseline.append(0.0 if caught.any() else float(_true_of(predicate, others).sum()))
    return float(np.mean(isolated[1:] or [0.0])), float(np.mean(baseline[1:] or [0.0]))


def _extremes(made: Table, rng: np.random.Generator) -> Iterator[Predicate]:
    found: list[Predicate] = []
    for name, codes in made.items():
        values, counts = np.unique(codes[codes >= 0], return_counts=True)
        found += [{name: ("==", int(value))} for value in values[counts == 1]]
        found += [{name: (sign, int(values[end]))} for sign, end in ((">=", -1), ("<=", 0)) if counts[end] == 1]
    return (found[place] for place in rng.permutation(len(found)))


def _conjunctions(population: Population, made: Table, rng: np.random.Generator) -> Iterator[Predicate]:
    names = list(population.schema.names)
    ordered = dict(zip(names, Bins(population, COARSE).ordered, strict=True))
    middles = {name: float(np.median(codes)) for name, codes in made.items()}
    for _ in range(4 * PREDICATES):
        row = int(rng.integers(len(made[names[0]])))
        predicate = {}
        for name in rng.permutation(names)[: max(2, len(names) // 2)].tolist():
            code = int(made[name][row])
            sign = "==" if code < 0 or not ordered[name] else ">=" if code >= middles[name] else "<="
            predicate[name] = (sign, code)
        if _true_of(predicate, made).sum() == 1:
            yield predicate


def _true_of(predicate: Predicate, table: Table) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.ones(len(next(iter(table.values()))), np.bool_)
    for name, (sign, code) in predicate.items():
        codes = table[name]
        found &= codes == code if sign == "==" else codes >= code if sign == ">=" else (codes <= code) & (codes >= 0)
    return found
