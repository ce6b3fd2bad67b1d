"""The fit behind predictions: signs that are kept, tables that are left out, ends that cover what they say."""

import json
import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from marketplace.protocol.constraints import Condition
from marketplace.protocol.specification import Curve
from node.synthesis.expectation import OF_RECORDS, SIGNS
from node.synthesis.prediction import FORMAT, NARROWED, PLAIN, odds, read_fits
from scripts.benchmarks import prediction
from scripts.benchmarks.peers import kept
from scripts.benchmarks.prediction import (
    Sample,
    document,
    judged,
    left_out,
    rehearsed,
    ridge,
    sample,
)
from scripts.benchmarks.prediction_ends import held, quantile, reaches
from scripts.benchmarks.public import public_table
from scripts.benchmarks.rehearsal import Rehearsal, run
from scripts.benchmarks.rehearsal_settings import Setting, facts_of, met, settings

NOWHERE = Path("no such folder")
TRUTH = np.array([0.3 * sign for sign in SIGNS])
TRUTH[0] = -1.0


def made(tables: int, each: int, noise: float) -> Sample:
    """Runs whose logits are `TRUTH` times their terms, with noise."""
    rng = np.random.default_rng(7)
    terms = rng.normal(size=(tables * each, len(SIGNS)))
    terms[:, 0] = 1.0
    score = terms @ TRUTH + rng.normal(0, noise, len(terms))
    floor = terms[:, :OF_RECORDS] @ TRUTH[:OF_RECORDS]
    names = np.repeat([f"table {number}" for number in range(tables)], each)
    return Sample(terms, score, floor, floor, names, np.zeros(len(names), np.bool_))


def test_a_fit_finds_the_coefficients_and_keeps_their_signs() -> None:
    one = made(10, 40, 0.01)
    assert np.allclose(ridge(one.terms, one.score), TRUTH, atol=0.02)
    found = ridge(one.terms, -one.score)
    for sign, coefficient in zip(SIGNS[1:], found[1:], strict=True):
        assert sign == 0 or sign * coefficient >= -1e-9


def test_a_table_is_predicted_by_the_others_alone() -> None:
    one = made(4, 30, 0.1)
    before = left_out(one, one.score)
    out = one.tables == "table 2"
    spoiled = np.where(out, one.score + 1_000, one.score)
    assert np.array_equal(left_out(one, spoiled)[out], before[out])
    assert not np.allclose(left_out(one, spoiled)[~out], before[~out])


def test_runs_with_conditions_and_unreadable_ones_teach_nothing_and_are_predicted() -> None:
    one = made(4, 30, 0.1)
    narrowed, lost = np.arange(len(one.score)) % 5 == 0, np.arange(len(one.score)) % 7 == 0
    score = np.where(lost, odds(1.0, 1.0), one.score)
    other = replace(one, score=np.where(narrowed, 50.0, score), narrowed=narrowed)
    assert np.array_equal(other.learned, ~narrowed & ~lost)
    assert np.array_equal(
        left_out(other, other.score), left_out(replace(other, score=np.where(narrowed, -50.0, score)), score)
    )


@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_ends_cover_at_least_the_share_that_they_are_named_after_though_tables_differ(shift: float) -> None:
    covered = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        tables = np.repeat(np.arange(320), 20)
        residuals = rng.normal(0, 0.3, len(tables)) + shift * rng.normal(size=320)[tables]
        seen = tables < 20
        ends = reaches(residuals[seen], tables[seen].astype(str))
        covered.append([np.mean(np.abs(residuals[~seen]) <= end) for end in ends])
    likely, wide = np.mean(covered, axis=0)
    assert 0.79 <= likely <= 0.9
    assert 0.94 <= wide <= 0.999


def test_each_table_weighs_alike_in_a_quantile_and_in_what_it_holds() -> None:
    tables = np.array(["a"] * 90 + ["b"] * 9)
    residuals = np.array([0.1] * 90 + [-0.5] * 9)
    assert quantile(residuals, tables, 0.5) == 0.1
    assert quantile(residuals, tables, 0.51) == 0.5
    assert held(residuals, tables, [0.1, 0.1]) == 0.5
    assert held(residuals, tables, [0.05, 0.5]) == 0.5
    assert quantile(np.arange(1, 101.0), np.repeat(["a", "b"], 50), 0.8) == 80.0


def test_a_term_that_never_moved_says_nothing_where_it_does() -> None:
    one = made(10, 40, 0.01)
    one.terms[:, 3] = 0.25
    assert ridge(one.terms, one.score)[3] == 0


def test_coverage_is_that_of_tables_left_out() -> None:
    (figures,) = judged("l1_3way", made(20, 50, 0.3))
    assert (figures.kind, figures.runs) == (PLAIN, 1_000)
    assert 0.8 <= figures.coverage[0] < 0.86
    assert figures.coverage[1] >= 0.95
    assert figures.floor_error is not None
    (alone,) = judged("l1_1way", one_way(made(8, 30, 0.1)))
    assert alone.floor_error is None


def test_ends_of_runs_on_few_tables_are_not_given() -> None:
    one = made(20, 50, 0.1)
    seven = np.isin(one.tables, [f"table {number}" for number in range(7)])
    assert [each.kind for each in judged("l1_3way", replace(one, narrowed=seven))] == [PLAIN]


def test_orders_with_conditions_have_ends_of_their_own() -> None:
    one = made(20, 50, 0.1)
    narrowed = np.arange(len(one.score)) % 2 == 0
    rough = np.where(narrowed, one.score + np.random.default_rng(1).normal(0, 2, len(narrowed)), one.score)
    plain, conditioned = judged("l1_3way", replace(one, score=rough, narrowed=narrowed))
    assert (plain.kind, conditioned.kind) == (PLAIN, NARROWED)
    assert conditioned.error > 2 * plain.error
    assert min(plain.coverage[0], conditioned.coverage[0]) >= 0.78


def one_way(one: Sample) -> Sample:
    """As of a score that a shuffle does not change."""
    return replace(one, floor=np.full(len(one.score), odds(0.0, 1.0)))


def test_runs_become_a_file_that_keeps_the_fits_of_other_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "prediction.json"
    out.write_text(json.dumps({"format": FORMAT, "generators": {"older/1": {"kept": True}}}))
    monkeypatch.setattr(prediction, "OUT", out)
    monkeypatch.setattr(prediction, "LEAST_TABLES", 2)
    runs = []
    curve, men = (Curve("time", "status"),), (Condition("sex", lower=Decimal(1), upper=Decimal(1)),)
    for name, rows, curves, only in (
        ("lung", 150, (), ()),
        ("veteran", 120, (), ()),
        ("lung", 200, (), ()),
        ("lung", 200, curve, men),
        ("veteran", 120, curve, ()),
        ("veteran", 120, (), (Condition("time", lower=Decimal(20)),)),
    ):
        columns = tuple(public_table(name, NOWHERE).schema.names[:5])
        setting = Setting(name, columns, rows, rows, 10.0, (columns[:2],), len(runs), only, curves)
        runs.append(Rehearsal(setting, **run(setting, public_table(name, NOWHERE))))
    names = ("l1_1way", "l1_2way", "l1_3way", "workload")
    samples = {name: sample(runs, name, NOWHERE) for name in names}
    written = document(runs, samples, [each for name, one in samples.items() for each in judged(name, one)], NOWHERE)
    fits = written["generators"]
    assert isinstance(fits, dict)
    assert set(fits) == {"older/1", prediction.NAME}
    assert set(fits[prediction.NAME]["models"]) == set(names)
    assert fits[prediction.NAME]["rows"] == [120, 200]
    whole = public_table("lung", NOWHERE).schema
    assert facts_of(runs[0].setting, whole).rows == 150
    assert (facts_of(runs[3].setting, whole).rows, facts_of(runs[3].setting, whole).narrowed) == (100, True)
    assert set(runs[4].scores) >= {"l1_1way", "workload", "curve_0"}
    del fits["older/1"]
    model = read_fits(json.dumps(written))[prediction.NAME].models["l1_1way"]
    assert set(model.reach) == set(model.coverage) == {PLAIN, NARROWED}


# ------------------------------------------------------------------------------------------------------------- settings


def test_settings_are_the_same_every_time_and_a_plain_one_is_kept_under_what_it_always_was() -> None:
    wanted = list(settings_of_lung())
    assert wanted == list(settings_of_lung())
    assert wanted[0].task.keys() == {"table", "columns", "rows", "asked", "epsilon", "workload", "seed"}
    assert len({json.dumps(one.task, sort_keys=True) for one in wanted}) == len(wanted)


def test_conditions_leave_records_and_a_curve_has_its_columns() -> None:
    plain, conditioned, followed = settings_of_lung()
    records, whole = conditioned.drawn(public_table("lung", NOWHERE)), public_table("lung", NOWHERE).schema
    assert not plain.only and not plain.curves and conditioned.only and not followed.only
    assert 40 <= len(met(conditioned.only, conditioned.schema(whole), records)) < len(records)
    assert followed.curves[0].time in followed.columns and followed.curves[0].event in followed.columns
    followed.specification.check(followed.schema(whole))


def settings_of_lung() -> list[Setting]:
    """One plain run, one with conditions and one with a curve."""
    found = list(settings(1, 1, 1, NOWHERE, ("lung",)))
    assert len(found) == 3
    return found


def test_where_no_time_is_left_what_is_kept_stays_and_the_program_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "KEPT", tmp_path)
    monkeypatch.setattr(prediction, "settings", lambda *_: settings_of_lung())
    with pytest.raises(SystemExit, match="expected 3 runs, no time is left after 0; start again"):
        rehearsed(1, NOWHERE, 0.0)
    assert len(rehearsed(1, NOWHERE, math.inf)) == 3
    assert len(rehearsed(1, NOWHERE, 0.0)) == 3
