"""What survival analysis learns from a synthetic table, judged on real records that no generator saw."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.exceptions import ConvergenceError
from lifelines.utils import concordance_index

TIME, EVENT = "d.time", "death"
PENALTY = 0.05
GRID = 40
NUMBERS = ("age", "num.co", "scoma", "meanbp", "wblc", "hrt", "temp", "crea", "sod", "diabetes", "dementia")
CATEGORIES = ("sex", "dzgroup", "ca")


@dataclass(frozen=True)
class Utility:
    """`concordance`: of a Cox model fitted to the table, on the holdout; 0.5, which ranks nobody, where none can be fitted.
    `curve_gap`: mean |S - S| of Kaplan-Meier curves."""

    concordance: float
    curve_gap: float


def utility(table: pd.DataFrame, holdout: pd.DataFrame) -> Utility:
    """Train on `table`, test on the real `holdout`; both as codes, -1 for missing."""
    train, test = (_features(side, table) for side in (table, holdout))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = CoxPHFitter(penalizer=PENALTY).fit(train, TIME, EVENT)
            risk = model.predict_partial_hazard(test)
        concordance = float(concordance_index(test[TIME], -risk, test[EVENT]))
    except ConvergenceError:
        concordance = 0.5
    grid = np.linspace(0, float(holdout[TIME].max()), GRID)
    curves = [
        KaplanMeierFitter().fit(side[TIME], side[EVENT]).survival_function_at_times(grid).to_numpy()
        for side in (table, holdout)
    ]
    return Utility(concordance, float(np.abs(curves[0] - curves[1]).mean()))


def _features(table: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Numbers with the median of `like` for missing ones, in its standard deviations; a flag for each category."""
    columns = {TIME: np.maximum(table[TIME], 0.5), EVENT: table[EVENT]}
    for name in NUMBERS:
        present = like[name][like[name] >= 0]
        middle, spread = (float(present.median()), float(present.std())) if len(present) > 1 else (0.0, 0.0)
        columns[name] = (table[name].where(table[name] >= 0, middle) - middle) / (spread or 1.0)
    for name in CATEGORIES:
        for code in sorted(set(like[name]))[1:]:
            columns[f"{name} {code}"] = (table[name] == code).astype(float)
    return pd.DataFrame(columns)
