"""Which runs of the generator on public tables are made to learn how its quality is foretold: the same every time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from marketplace.protocol.constraints import Condition
from marketplace.protocol.rho import delta_of, largest_delta_atto, largest_rho_micro
from marketplace.protocol.schema import Category, Column, Schema
from marketplace.protocol.specification import MOST_GROUPS, SEALING_KEY_BYTES, Curve, Specification, Workload
from marketplace.scores.constraints import meet
from node.spending import spending_of
from node.synthesis.expectation import Facts
from scripts.benchmarks.public import NAMES, public_table
from scripts.benchmarks.tables import Table

LEAST_ROWS, MOST_ROWS, LEAST_MET = 150, 40_000, 40
EPSILONS, LEAST_EPSILON = (0.1, 10.0), 0.2
ALL_COLUMNS, OTHER_ROWS, WITH_WORKLOAD, GROUPED, TWO_CONDITIONS = 0.35, 0.3, 0.5, 0.5, 0.3
TRIES = 50
FOLLOWED = {
    "prostate": ("survTime", "status"),
    "flchain": ("futime", "death"),
    "lung": ("time", "status"),
    "support2": ("d.time", "death"),
    "veteran": ("time", "status"),
    "rotterdam": ("rtime", "recur"),
    "nwtco": ("edrel", "rel"),
    "colon": ("time", "status"),
    "pbc": ("time", "status"),
    "mgus2": ("futime", "death"),
    "nafld1": ("futime", "status"),
    "gbsg": ("rfstime", "status"),
}
"""Tables of people who are followed: the time and the event."""


@dataclass(frozen=True)
class Setting:
    """One run: `table` cut to `columns` and `rows` records, of which `asked` synthetic rows that meet `only` are made."""

    table: str
    columns: tuple[str, ...]
    rows: int
    asked: int
    epsilon: float
    workload: tuple[tuple[str, ...], ...]
    seed: int
    only: tuple[Condition, ...] = ()
    curves: tuple[Curve, ...] = ()

    @property
    def rho_micro(self) -> int:
        """The rho of the order."""
        return largest_rho_micro(self.epsilon, delta_of(largest_delta_atto(self.rows)))

    def schema(self, whole: Schema) -> Schema:
        """What is declared about these columns; one row is one person."""
        return Schema(tuple(whole.column(name) for name in self.columns), None, 1)

    @property
    def wanted(self) -> Workload:
        """The run's workload."""
        return Workload(self.workload, self.curves)

    @property
    def specification(self) -> Specification:
        """The wishes of the run's order."""
        nonce = self.seed.to_bytes(32, "big")
        return Specification(bytes(32), self.asked, self.wanted, 60, bytes(SEALING_KEY_BYTES), nonce, only=self.only)

    @property
    def task(self) -> dict[str, Any]:
        """All that defines the run, as a value for JSON; conditions and curves where there are some."""
        plain = asdict(replace(self, only=(), curves=()))
        del plain["only"], plain["curves"]
        further = {
            "only": [condition.document() for condition in self.only],
            "curves": [asdict(curve) for curve in self.curves],
        }
        return {**plain, **{name: value for name, value in further.items() if value}}

    def drawn(self, table: Table) -> pd.DataFrame:
        """The run's records, whether they meet its conditions or not."""
        order = np.random.default_rng(self.seed).permutation(len(table.real))
        real = table.real.iloc[order[: self.rows]][list(self.columns)]
        return real.astype(np.int32).reset_index(drop=True)


def settings(
    per_table: int, conditioned: int, followed: int, folder: Path, names: Sequence[str] = NAMES
) -> Iterator[Setting]:
    """So many plain runs of each table, so many with conditions, and so many with a curve of which something can be read of
    each table of people who are followed; tables by turns."""
    for turn in range(per_table):
        for place, name in enumerate(names):
            yield _plain(table_of(name, folder), turn, np.random.default_rng((turn, place)))
    for turn in range(conditioned):
        for place, name in enumerate(names):
            rng, table = np.random.default_rng((turn, place, 1)), table_of(name, folder)
            setting = _plain(table, turn, rng)
            if name in FOLLOWED and rng.random() < GROUPED:
                setting = _with_curve(setting, table, rng)
            yield from _conditioned(setting, table, rng)
    for name in (name for name in names if name in FOLLOWED):
        yield from islice(_readable(table_of(name, folder)), followed)


def facts_of(setting: Setting, whole: Schema) -> Facts:
    """What a node would know of the run's order."""
    rho_micro = spending_of(setting.rho_micro).generate_micro
    return Facts.of(setting.schema(whole), setting.rows, setting.specification, rho_micro)


def met(only: Sequence[Condition], schema: Schema, frame: pd.DataFrame) -> pd.DataFrame:
    """The records of a coded frame that meet all conditions."""
    for condition in only:
        frame = frame[meet(condition, schema, frame[condition.column].to_numpy())]
    return frame.reset_index(drop=True)


@cache
def table_of(name: str, folder: Path) -> Table:
    """The whole table."""
    return public_table(name, folder)


def _plain(table: Table, turn: int, rng: np.random.Generator) -> Setting:
    names, most = table.schema.names, min(MOST_ROWS, len(table.real))
    count = len(names) if rng.random() < ALL_COLUMNS else int(rng.integers(2, len(names) + 1))
    columns = tuple(names[place] for place in sorted(rng.permutation(len(names))[:count]))
    rows = int(np.exp(rng.uniform(np.log(min(LEAST_ROWS, most)), np.log(most))))
    asked = int(rows * rng.choice((0.3, 3.0))) if rng.random() < OTHER_ROWS else rows
    epsilon = float(np.round(np.exp(rng.uniform(*np.log(EPSILONS))), 3))
    workload = []
    if rng.random() < WITH_WORKLOAD and count >= 3:
        for _ in range(int(rng.integers(1, 5))):
            width = int(rng.integers(2, 4))
            workload.append(tuple(columns[place] for place in sorted(rng.permutation(count)[:width])))
    return Setting(table.name, columns, rows, asked, epsilon, tuple(dict.fromkeys(workload)), turn)


def _with_curve(setting: Setting, table: Table, rng: np.random.Generator) -> Setting:
    """The setting with its table's curve, every other time by a category, and an epsilon that pays for its score."""
    time, event = FOLLOWED[table.name]
    groups = [
        column.name
        for column in table.schema.columns
        if isinstance(column, Category) and column.size <= MOST_GROUPS and column.name != event
    ]
    by = groups[int(rng.integers(len(groups)))] if groups and rng.random() < GROUPED else None
    needed = {*setting.columns, time, event} | ({by} if by else set())
    columns = tuple(name for name in table.schema.names if name in needed)
    epsilon = max(setting.epsilon, LEAST_EPSILON)
    return replace(setting, columns=columns, epsilon=epsilon, curves=(Curve(time, event, by),))


def _readable(table: Table) -> Iterator[Setting]:
    """Settings with the table's curve, large and private enough for something of it to be read."""
    place = list(FOLLOWED).index(table.name)
    for turn in range(TRIES):
        rng = np.random.default_rng((turn, place, 2))
        setting = _with_curve(_plain(table, turn, rng), table, rng)
        if facts_of(setting, table.schema).is_readable(setting.curves[0]):
            yield setting


def _conditioned(setting: Setting, table: Table, rng: np.random.Generator) -> Iterator[Setting]:
    """The setting with one condition or two that leave 40 of its records; none where none are found."""
    schema, records = setting.schema(table.schema), setting.drawn(table)
    for _ in range(TRIES):
        count = 1 + int(rng.random() < TWO_CONDITIONS)
        names = [setting.columns[place] for place in rng.permutation(len(setting.columns))[:count]]
        only = tuple(_condition(schema.column(name), records, rng) for name in names)
        if LEAST_MET <= len(met(only, schema, records)) < len(records):
            yield replace(setting, only=only)
            return


def _condition(column: Column, records: pd.DataFrame, rng: np.random.Generator) -> Condition:
    """Some of a category's values, or a number at least or at most as large as a record's."""
    if isinstance(column, Category):
        size = int(rng.integers(1, max(2, column.size)))
        return Condition(
            column.name, values=tuple(column.values[place] for place in sorted(rng.permutation(column.size)[:size]))
        )
    codes = records[column.name].to_numpy()
    end: Mapping[str, Decimal] = {
        str(rng.choice(("lower", "upper"))): column.lower + int(max(0, rng.choice(codes))) * column.step
    }
    return Condition(column.name, **end)
