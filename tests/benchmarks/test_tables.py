"""What the benchmarks compute on tables: codes, bounds on rows, distances, the growing records, survival utility."""

from decimal import Decimal
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from marketplace.protocol.schema import Category, Number, Schema
from scripts.benchmarks import growth
from scripts.benchmarks.generate import Judge, codes_of, numbers, within_bound
from scripts.benchmarks.lines import Line
from scripts.benchmarks.survival import CATEGORIES, EVENT, NUMBERS, TIME, utility
from scripts.benchmarks.synthesis import share_of_time, uncut
from scripts.benchmarks.tables import Table, coded

SCHEMA = Schema(
    (
        Number("age", Decimal(0), Decimal(99), Decimal(1), True),
        Category("stage", ("I", "II", "III"), False),
        Number("dose", Decimal(0), Decimal(5), Decimal("0.5"), False),
        Category("sex", ("female", "male"), False),
    ),
    None,
    1,
)


def some(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {column.name: random.integers(-1 if column.missing else 0, column.size, rows) for column in SCHEMA.columns}
    )


def test_the_distance_is_the_mean_over_all_triples_counted_one_by_one() -> None:
    real, made = some(60, 1), some(40, 2)
    edges = {c.name: np.quantile(real[c.name][real[c.name] >= 0], np.arange(1, 16) / 16) for c in SCHEMA.columns}

    def cell(name: str, code: int) -> int:
        if code < 0 or isinstance(SCHEMA.column(name), Category):
            return code
        return sum(code >= edge for edge in set(edges[name]))

    def shares(table: pd.DataFrame, names: tuple[str, ...]) -> dict[tuple[int, ...], float]:
        found: dict[tuple[int, ...], float] = {}
        for row in table.to_dict("records"):
            key = tuple(cell(name, row[name]) for name in names)
            found[key] = found.get(key, 0) + 1 / len(table)
        return found

    distances = []
    for names in combinations(SCHEMA.names, 3):
        one, other = shares(real, names), shares(made, names)
        distances.append(sum(abs(one.get(key, 0) - other.get(key, 0)) for key in one.keys() | other.keys()))
    judge = Judge(SCHEMA, real)
    assert judge.distance(made) == pytest.approx(np.mean(distances))
    assert judge.distance(real) == 0
    assert judge.distance(made, made) == 0


def test_on_a_given_domain_nothing_is_cut() -> None:
    whole = Schema(SCHEMA.columns[1:], None, 1)
    real, made = (some(50, seed)[list(whole.names)] for seed in (1, 2))
    counts = [table.value_counts(normalize=True) for table in (real, made)]
    assert uncut(Table("some", whole, real), made) == pytest.approx(
        float(counts[0].sub(counts[1], fill_value=0).abs().sum())
    )


def test_at_most_the_bound_of_rows_of_a_person_is_kept_and_every_row_may_be() -> None:
    persons = pd.Series(["a"] * 5 + ["b"] + ["c"] * 2)
    kept = [within_bound(persons, 2, seed) for seed in range(40)]
    for one in kept:
        assert [int(one[persons == name].sum()) for name in "abc"] == [2, 1, 2]
    assert np.any(kept, axis=0).all()


def test_cells_become_codes_and_a_changed_data_set_is_an_error_of_the_declaration() -> None:
    column = numbers("dose", "1", "5", "0.5", missing=True)
    assert codes_of(pd.Series([1.0, 2.5, np.nan, 5.0]), column).tolist() == [0, 3, -1, 8]
    with pytest.raises(SystemExit, match="expected dose within what is declared"):
        coded(pd.DataFrame({"dose": [1.0, 6.0]}), (column,))
    with pytest.raises(SystemExit, match="expected declared categories in stage"):
        codes_of(pd.Series(["I", "IV"]), SCHEMA.columns[1])


def test_a_peers_share_of_time_is_judged_and_an_unfinished_peer_is_said_to_be() -> None:
    own, peer = (Line("p", who, "d", (0.1,), processor_s=seconds) for who, seconds in (("ours", 1.0), ("peer", 40.0)))
    share = share_of_time(own, peer)
    assert (share.values, share.target, share.note) == ((0.025,), "at most 0.05: reached", "")
    assert share_of_time(own, Line("p", "peer", "", (), processor_s=4.0)).target == "at most 0.05: missed"
    assert share_of_time(own, Line("p", "peer", "", (), processor_s=4.0)).note == "it was not done by then"


def test_growing_records_go_through_a_vault_and_come_back_as_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    growth.take_in(tmp_path, 400, 5)
    assert '"take_in_mib"' in capsys.readouterr().out
    found = growth.twin(tmp_path, 400, 5)
    assert (found["rows"], found["columns"], found["rows_made"]) == (400, 5, 400)
    assert found["wall_s"] == pytest.approx(found["draw_s"] + found["measure_s"] + found["synthesise_s"], abs=1e-6)
    assert 0 < found["before_mib"] <= found["drawn_mib"] <= found["measured_mib"] <= found["peak_mib"]


def test_a_plot_is_drawn_of_the_cases_that_are_there(tmp_path: Path) -> None:
    lines = [Line(f"growth, {rows:,} x 10", "ours", "MiB", (200.0,), 1.5) for rows in (10_000, 100_000)]
    growth.plot([*lines, Line("growth, 10,000 x 30", "ours", "MiB", ())], tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def followed(rows: int, seed: int, effect: float) -> pd.DataFrame:
    """Coded patients whose hazard follows their age."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame({name: random.integers(0, 50, rows) for name in NUMBERS})
    for name in CATEGORIES:
        table[name] = random.integers(0, 2, rows)
    table[TIME] = np.clip(random.exponential(600 * np.exp(-effect * (table["age"] - 25))), 1, 2_000).astype(int)
    table[EVENT] = (random.random(rows) < 0.8).astype(int)
    return table


def test_survival_learnt_from_related_rows_ranks_the_holdout_and_from_unrelated_ones_does_not() -> None:
    holdout, made = followed(400, 1, 0.05), followed(600, 2, 0.05)
    good, bad = utility(made, holdout), utility(followed(600, 3, 0.0), holdout)
    assert good.concordance > 0.63 > 0.57 > bad.concordance
    assert good.curve_gap < utility(made.assign(**{TIME: made[TIME] // 4}), holdout).curve_gap / 2
    assert utility(holdout.assign(**{EVENT: 0}), holdout).concordance == 0.5
