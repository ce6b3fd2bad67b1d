"""The fit behind predictions: signs that are kept, tables that are left out, ends that cover what they say."""

import json
from pathlib import Path

import numpy as np
import pytest

from node.synthesis.expectation import OF_RECORDS, SIGNS
from node.synthesis.prediction import FORMAT, odds
from scripts.benchmarks import prediction
from scripts.benchmarks.prediction import Sample, document, facts_of, judged, left_out, reaches, ridge, sample
from scripts.benchmarks.public import public_table
from scripts.benchmarks.rehearsal import Rehearsal, Setting, run

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
    return Sample(terms, score, floor, floor, names)


def test_a_fit_finds_the_coefficients_and_keeps_their_signs() -> None:
    one = made(10, 40, 0.01)
    assert np.allclose(ridge(one.terms, one.score), TRUTH, atol=0.02)
    found = ridge(one.terms, -one.score)
    for sign, coefficient in zip(SIGNS[1:], found[1:], strict=True):
        assert sign == 0 or sign * coefficient >= -1e-9


def test_a_table_is_predicted_by_the_others_alone() -> None:
    one = made(4, 30, 0.1)
    before = left_out(one.terms, one.score, one.tables)
    out = one.tables == "table 2"
    spoiled = np.where(out, one.score + 1_000, one.score)
    assert np.array_equal(left_out(one.terms, spoiled, one.tables)[out], before[out])
    assert not np.allclose(left_out(one.terms, spoiled, one.tables)[~out], before[~out])


def test_ends_cover_the_share_that_they_are_named_after() -> None:
    figures = judged("l1_3way", made(20, 50, 0.3))
    assert abs(figures.coverage[0] - 0.8) < 0.05
    assert abs(figures.coverage[1] - 0.95) < 0.03
    assert reaches(np.arange(1, 101.0)) == (81.0, 96.0)
    assert figures.floor_error is not None
    assert judged("l1_1way", one_way(made(4, 30, 0.1))).floor_error is None


def one_way(one: Sample) -> Sample:
    """As of a score that a shuffle does not change."""
    return Sample(one.terms, one.score, np.full(len(one.score), odds(0.0, 1.0)), one.ceiling, one.tables)


def test_runs_become_a_file_that_keeps_the_fits_of_other_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "prediction.json"
    out.write_text(json.dumps({"format": FORMAT, "generators": {"older/1": {"kept": True}}}))
    monkeypatch.setattr(prediction, "OUT", out)
    runs = []
    for name, rows in (("lung", 150), ("veteran", 120), ("lung", 200)):
        columns = public_table(name, NOWHERE).schema.names[:3]
        setting = Setting(name, columns, rows, rows, 1.0, (columns[:2],), len(runs))
        runs.append(Rehearsal(setting, **run(setting, public_table(name, NOWHERE))))
    names = ("l1_1way", "l1_2way", "l1_3way", "workload")
    samples = {name: sample(runs, name, NOWHERE) for name in names}
    written = document(runs, samples, [judged(name, one) for name, one in samples.items()], NOWHERE)
    fits = written["generators"]
    assert isinstance(fits, dict)
    assert set(fits) == {"older/1", prediction.NAME}
    assert set(fits[prediction.NAME]["models"]) == set(names)
    assert fits[prediction.NAME]["rows"] == [120, 200]
    assert facts_of(runs[0], NOWHERE).rows == 150
