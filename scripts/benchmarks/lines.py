"""One line of the table that compares generators, and how the table is written."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import t

HEADS = ("data", "who", "measure", "value", "seeds", "processor s", "wall s", "target", "note")


@dataclass(frozen=True)
class Line:
    """`values`: one for each seed. `processor_s`, `wall_s`: the mean of one run. `target`: what was hoped for, and
    whether it was reached; `note`: why it was not, or under which conditions the line stands.

    `kept`: whether all of it is from an earlier time.
    """

    part: str
    who: str
    measure: str
    values: tuple[float, ...]
    processor_s: float = 0.0
    wall_s: float = 0.0
    kept: bool = False
    target: str = ""
    note: str = ""

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))

    @property
    def reach(self) -> float:
        """Half the width of the 95 % interval by Student's t over the seeds; 0 for one seed."""
        count = len(self.values)
        if count < 2:
            return 0.0
        return float(t.ppf(0.975, count - 1)) * float(np.std(self.values, ddof=1)) / math.sqrt(count)

    @property
    def shown(self) -> str:
        if not self.values:
            return "–"
        return f"{self.mean:.3f} ± {self.reach:.3f}" if len(self.values) > 1 else f"{self.mean:.3f}"

    def row(self) -> str:
        """The line as a row of a Markdown table."""
        mark = "*" if self.kept else ""
        times = [f"{seconds:.1f}{mark}" if seconds else "–" for seconds in (self.processor_s, self.wall_s)]
        seeds = str(len(self.values)) if self.values else "–"
        cells = (self.part, self.who, self.measure, self.shown, seeds, *times, self.target, self.note)
        return "| " + " | ".join(cells) + " |"

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "reach": self.reach}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Line":
        """The line that `document` gave."""
        own = {name: value for name, value in document.items() if name != "reach"}
        return cls(**{**own, "values": tuple(document["values"])})


def as_table(lines: list[Line]) -> str:
    """The lines as a Markdown table."""
    return (
        "\n".join(["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS), *(line.row() for line in lines)]) + "\n"
    )


def verdict(mean: float, goals: tuple[float, ...]) -> str:
    """What stands under `target` for a figure that should be at most each of the goals."""
    return "; ".join(f"at most {goal:.3g}: {'reached' if mean <= goal else 'missed'}" for goal in goals)
