"""What attackers reached over all fits of a setting, with intervals and beside what its rho allows."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from marketplace.scores.score import quote
from node.evaluation.public_attacks import PublicFigure
from scripts.benchmarks.attacks_bounds import most_true_positives
from scripts.benchmarks.attacks_fits import Fits
from scripts.benchmarks.attacks_population import FINE, OUTLIERS, Bins
from scripts.benchmarks.attacks_views import MEMBERS

FOLDS, BOOTSTRAPS = 8, 1_000
FALSE_POSITIVES = 0.01
RIDGE = 0.3

Scores = NDArray[np.float64]
Members = NDArray[np.bool_]
Measure = Callable[[NDArray[np.intp]], tuple[float, float]]
"""Answers the value and the baseline over the fits at these places, some of them perhaps more than once."""


def figures(fits: Fits) -> list[PublicFigure]:
    """Every attack on one setting."""
    inside = np.array([shadow.inside for shadow in fits.shadows])
    learned = shadow_scores(np.array([seen["queries"] for seen in fits.views], np.float64), inside)
    rare = slice(-OUTLIERS, None)
    apart = np.ones((len(inside), MEMBERS), np.bool_)
    members = np.concatenate([inside, apart, ~apart], axis=1)
    ratio, linked = (np.array([seen[name] for seen in fits.views], np.float64) for name in ("ratio", "linked"))
    found = [
        _figure(fits, "membership, shadow models", TPR, _positives(learned, inside)),
        _figure(fits, "membership, shadow models, outliers", TPR, _positives(learned[:, rare], inside[:, rare])),
        _figure(fits, "membership, DOMIAS", TPR, _positives(ratio, members)),
        _figure(fits, f"attribute inference, {fits.population.secret}", RIGHT, _rates(_guessed(fits), members)),
        _figure(fits, "linkability", LINKED, _rates(linked, members)),
    ]
    for kind in ("univariate", "multivariate"):
        counted = (np.array([seen[f"{kind}_{part}"] for seen in fits.views]) for part in ("isolated", "baseline"))
        found.append(_figure(fits, f"singling out, {kind}", ISOLATED, _means(*counted), len(fits.shadows[0].others)))
    return found


TPR = "members found at 1 % false positives"
RIGHT, LINKED = "members guessed right", "members linked"
ISOLATED = "predicates that isolate a member"


def shadow_scores(queries: Scores, inside: Members) -> Scores:
    """How much each shadow's table looks as if it was made with each target, shape (shadows, targets).

    `queries`: shape (shadows, targets, queries). Each is standardised by target; one linear rule for all targets, by ridge
    regression, is learned from seven eighths of the shadows and applied to the last eighth.
    Source: Stadler et al. 2022; Carlini et al. 2022 (standardising by target).
    """
    scores = np.zeros(inside.shape)
    for fold in range(FOLDS):
        held = np.arange(len(queries)) % FOLDS == fold
        mean, spread = queries[~held].mean(axis=0), queries[~held].std(axis=0)
        scaled = np.clip((queries - mean) / np.maximum(spread, 1e-9), -5, 5) * (spread > 1e-9)
        seen = scaled[~held].reshape(-1, queries.shape[2])
        wanted = np.where(inside[~held], 0.5, -0.5).ravel()
        weights = np.linalg.solve(seen.T @ seen + RIDGE * len(seen) * np.eye(seen.shape[1]), seen.T @ wanted)
        scores[held] = scaled[held] @ weights
    return scores


def true_positives(scores: Scores, members: Members) -> float:
    """The share of members above the least score that at most 1 % of the non-members exceed."""
    outside = np.sort(scores[~members])
    return float((scores[members] > outside[len(outside) - 1 - int(len(outside) * FALSE_POSITIVES)]).mean())


def _positives(scores: Scores, members: Members) -> Measure:
    return lambda places: (true_positives(scores[places], members[places]), FALSE_POSITIVES)


def _rates(hits: Scores, members: Members) -> Measure:
    def measure(places: NDArray[np.intp]) -> tuple[float, float]:
        chosen, among = hits[places], members[places]
        return float(chosen[among].mean()), float(chosen[~among].mean())

    return measure


def _means(values: Scores, baselines: Scores) -> Measure:
    return lambda places: (float(values[places].mean()), float(baselines[places].mean()))


def _guessed(fits: Fits) -> Scores:
    bins, place = Bins(fits.population, FINE), fits.population.schema.names.index(fits.population.secret)
    right = []
    for seen, shadow in zip(fits.views, fits.shadows, strict=True):
        places = np.concatenate([fits.population.targets, shadow.others[:MEMBERS], shadow.controls[:MEMBERS]])
        right.append(seen["guessed"] == bins.cut(fits.population.records.iloc[places])[:, place])
    return np.array(right, np.float64)


def _figure(fits: Fits, attack: str, measure: str, of: Measure, people: int = 1) -> PublicFigure:
    """The figure with its percentile interval over fits, which is that of its distance from the baseline.

    `people`: how many records a baseline sums over.
    """
    count = len(fits.views)
    rng = np.random.default_rng(3)
    value, baseline = of(np.arange(count))
    apart = [one - other for one, other in (of(rng.integers(0, count, count)) for _ in range(BOOTSTRAPS))]
    low, high = (max(0.0, baseline + float(end)) for end in np.quantile(apart, (0.025, 0.975)))
    maximum = None
    if fits.setting.private and fits.setting.rho_micro is not None:
        maximum = min(1.0, people * most_true_positives(fits.setting.rho_micro / 1e6, baseline / people))
    value, low, high, baseline = (
        quote(Fraction(number)) for number in (value, min(low, value), max(high, value), baseline)
    )
    allowed = None if maximum is None else quote(Fraction(maximum))
    records = round(float(np.mean([len(shadow.members) for shadow in fits.shadows])))
    return PublicFigure(
        fits.population.name, fits.setting.name, attack, measure, value, low, high, baseline, allowed,
        count, records, fits.setting.rows or records,
    )  # fmt: skip
