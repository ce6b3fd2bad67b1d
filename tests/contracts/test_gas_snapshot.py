"""The committed gas figures are those that the committed contracts have."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from scripts.benchmarks import snapshot
from scripts.benchmarks.gas import Report, measure, rows


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    yield measure()


def test_the_committed_figures_are_those_of_the_committed_contracts(report: Report) -> None:
    assert snapshot.differences(rows(report)) == [], "run `scripts/bench gas --write` and look at what has changed"


def test_the_committed_file_is_what_would_be_written(report: Report) -> None:
    assert snapshot.PATH.read_text() == snapshot.text(rows(report))


def test_every_figure_has_its_conditions() -> None:
    kept = json.loads(snapshot.PATH.read_text())
    assert kept["format"] == snapshot.FORMAT
    assert set(kept["conditions"]) == {"all", *snapshot.COLUMNS}
    for step, entry in kept["steps"].items():
        assert entry["conditions"] == snapshot.STEPS[step]
        assert set(entry) - {"conditions", "ceiling"}, step


def test_a_step_without_conditions_is_not_written() -> None:
    with pytest.raises(LookupError, match="expected the conditions of juggle"):
        snapshot.text({"juggle": (1, None, None, None, None)})


def test_one_unit_of_gas_more_is_a_difference(report: Report) -> None:
    dearer = replace(report, repeat={**report.repeat, "settle": report.repeat["settle"] + 1})
    found = snapshot.differences(rows(dearer))
    assert len(found) == 1
    assert found[0].startswith("settle, repeat: ")


def test_a_step_that_is_gone_or_new_is_a_difference(report: Report) -> None:
    changed = {("rest" if step == "stake" else step): figures for step, figures in rows(report).items()}
    assert {sentence.split(",")[0] for sentence in snapshot.differences(changed)} == {"stake", "rest"}


def test_two_runs_measure_the_same(report: Report) -> None:
    assert rows(measure(others=2)) == rows(measure(others=2))
