"""What is expected of an order before it is placed: from public facts alone, and as it then comes."""

import ast
import inspect
import math
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from marketplace.errors import Corrupt
from marketplace.protocol.constraints import Condition
from marketplace.protocol.description import round_rows
from marketplace.protocol.rho import delta_of, largest_delta_atto, largest_rho_micro
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import DEFAULT_GENERATOR, Curve, Specification, Workload
from marketplace.scores.curve import CURVE
from node.spending import spending_of
from node.synthesis.expectation import SIGNS, Facts, noise_of, terms_of
from node.synthesis.marginals import NAME
from node.synthesis.prediction import NARROWED, PLAIN, Prediction, fit_of, fits, predict, read_fits
from scripts.benchmarks.public import public_table
from scripts.benchmarks.rehearsal import run
from scripts.benchmarks.rehearsal_settings import Setting
from tests.synthesis.examples import BROAD, FEW, WIDE, specification

ROOT = Path(__file__).parent.parent.parent
NOWHERE = Path("no such folder")
FIT = fits()[NAME]


def predicted(schema: Schema, rows: int, epsilon: float = 1.0, wishes: Specification | None = None) -> Prediction:
    """What is expected of an order at this epsilon."""
    rho_micro = largest_rho_micro(epsilon, delta_of(largest_delta_atto(rows)))
    asked = wishes or specification(rows=rows)
    return predict(schema, rows, asked, spending_of(rho_micro).generate_micro, FIT)


def modules_behind(module: str) -> Iterator[str]:
    """Every module of ours that importing this one imports."""
    seen, waiting = set[str](), [module]
    while waiting:
        name = waiting.pop()
        path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
        if name in seen or not path.exists():
            continue
        seen.add(name)
        yield name
        for statement in ast.walk(ast.parse(path.read_text())):
            if isinstance(statement, ast.ImportFrom) and statement.module:
                waiting += [statement.module, *(f"{statement.module}.{alias.name}" for alias in statement.names)]
            elif isinstance(statement, ast.Import):
                waiting += [alias.name for alias in statement.names]


def test_no_record_is_within_reach_of_a_prediction() -> None:
    behind = set(modules_behind("node.synthesis.prediction"))
    assert "node.synthesis.budget" in behind
    assert not [name for name in behind if name.startswith(("node.vault", "node.workers", "node.evaluation"))]
    assert not behind & {"node.synthesis.records", "node.synthesis.release", "node.synthesis.measuring"}
    assert "node.synthesis.records" in set(modules_behind("node.synthesis.marginals"))


def test_a_prediction_depends_on_public_facts_alone_and_is_the_same_again() -> None:
    assert list(inspect.signature(predict).parameters) == [
        "schema",
        "rows_declared",
        "specification",
        "rho_micro",
        "fit",
    ]
    assert predicted(WIDE, 5_000) == predicted(WIDE, 5_000)


def test_the_version_of_the_generator_that_runs_is_the_one_that_was_fitted() -> None:
    fit = fit_of(DEFAULT_GENERATOR)
    assert fit is FIT
    assert fit.tables >= 9
    assert fit.runs >= 300
    assert fit_of("private") is None


def test_a_fit_of_another_format_is_refused_by_name() -> None:
    with pytest.raises(Corrupt, match="expected a fit of agora/prediction/2, got 'agora/prediction/3'"):
        read_fits('{"format": "agora/prediction/3", "generators": {}}')


def test_ends_held_at_least_what_they_are_named_after_on_tables_that_were_left_out() -> None:
    assert set(FIT.models) == {"l1_1way", "l1_2way", "l1_3way", "missingness", "workload", CURVE}
    for name, model in FIT.models.items():
        assert set(model.reach) == set(model.coverage) == ({PLAIN} if name == CURVE else {PLAIN, NARROWED})
        for kind, (likely, wide) in model.coverage.items():
            assert 0.8 <= likely <= 0.93
            assert 0.95 <= wide <= 1
            assert model.reach[kind][0] < model.reach[kind][1]


@pytest.mark.parametrize("schema", [FEW, WIDE, BROAD])
def test_every_score_has_ends_around_it_and_relations_have_a_floor(schema: Schema) -> None:
    found = predicted(schema, 3_000, wishes=specification(schema.names[:2], schema.names[:1], rows=1_000))
    names = [score.name for score in found.scores]
    assert names == ["l1_1way", "l1_2way", "l1_3way", "missingness", "workload"]
    for score in found.scores:
        largest = 1 if score.name == "missingness" else 2
        assert 0 < score.wide[0] < score.likely[0] < score.value < score.likely[1] < score.wide[1] < largest
        assert 0 < score.ceiling < largest
        assert (score.floor is None) is (score.name in ("l1_1way", "missingness"))
    assert found.decisive is found.scores[-1]
    assert found.seconds > 0


def test_a_curve_has_a_score_of_its_own_and_one_that_noise_would_hide_has_all_values_as_its_ends() -> None:
    asked = replace(
        specification(rows=1_000), workload=Workload((), (Curve("grade", "sex"), Curve("grade", "sex", "arm")))
    )
    many, few = (predicted(FEW, rows, wishes=asked) for rows in (30_000, 300))
    first, second = many.scores[-2:]
    assert (first.name, second.name) == ("curve_0", "curve_1")
    for score in (first, second):
        assert 0 < score.wide[0] < score.likely[0] < score.value < score.likely[1] < score.wide[1] < 1
    hidden = few.scores[-1]
    assert (hidden.value, hidden.likely, hidden.wide, hidden.floor) == (1.0, (0.0, 1.0), (0.0, 1.0), None)
    assert many.decisive is not None and many.decisive.name == "workload"
    object.__setattr__(asked, "only", (Condition("sex", values=("male",)),))
    assert predicted(FEW, 30_000, wishes=asked).scores[-1].wide == (0.0, 1.0)


def test_conditions_have_wider_ends() -> None:
    asked = specification(rows=1_000)
    object.__setattr__(asked, "only", (Condition("sex", values=("male",)),))
    narrowed, whole = predicted(FEW, 10_000, wishes=asked), predicted(FEW, 5_000, wishes=specification(rows=1_000))
    for one, other in zip(narrowed.scores, whole.scores, strict=True):
        assert one.value == other.value
        assert one.likely[0] < other.likely[0] < other.likely[1] < one.likely[1]


def test_columns_that_stand_alone_have_no_floor_to_be_below() -> None:
    alone = predicted(Schema(FEW.columns[:1], None, 1), 10, epsilon=0.1)
    assert [score.name for score in alone.scores] == ["l1_1way"]
    assert alone.decisive is None
    assert not alone.below_floor
    singles = predicted(WIDE, 3_000, wishes=specification(("stage",), rows=100))
    assert singles.decisive is not None
    assert singles.decisive.name == "l1_3way"


@pytest.mark.parametrize("schema", [FEW, WIDE, BROAD])
def test_more_rho_never_makes_a_prediction_worse(schema: Schema) -> None:
    epsilons = (0.2, 0.3, 0.5, 0.8, 1, 1.5, 2, 3, 5, 8, 10)
    for rows in (300, 3_000, 30_000):
        values = [[score.value for score in predicted(schema, rows, epsilon).scores] for epsilon in epsilons]
        for before, after in pairwise(values):
            assert all(one >= other for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("schema", [FEW, WIDE, BROAD])
def test_more_records_never_make_a_prediction_worse(schema: Schema) -> None:
    values = [[score.value for score in predicted(schema, rows).scores] for rows in (100, 300, 1_000, 3_000, 10_000)]
    for before, after in pairwise(values):
        assert all(one >= other for one, other in zip(before, after, strict=True))


def test_a_bound_on_rows_per_person_means_more_noise() -> None:
    bounds = [Schema(WIDE.columns, "patient", bound) for bound in (1, 2, 5)]
    noises = [noise_of(Facts.of(schema, 5_000, specification(rows=5_000), 20_000)) for schema in bounds]
    assert noises[1].singles > noises[0].singles
    assert noises[2].pairs > noises[1].pairs
    assert len(terms_of(Facts(FEW, 100.0, 100, Workload(), 20_000), noises[0], [(0, 1)])) == len(SIGNS)


def test_conditions_leave_the_share_of_the_declared_values_that_meets_them() -> None:
    half = specification(rows=100)
    object.__setattr__(half, "only", (Condition("sex", values=("male",)), Condition("grade", present=True)))
    assert math.isclose(Facts.of(FEW, 1_000, half, 20_000).rows, 1_000 / 2 * 4 / 5)
    narrowed = predicted(FEW, 1_000, wishes=half)
    assert narrowed.scores[0].value > predicted(FEW, 1_000, wishes=specification(rows=100)).scores[0].value


@pytest.mark.parametrize("schema", [FEW, WIDE])
def test_with_as_many_records_as_are_said_to_be_needed_the_floor_is_passed(schema: Schema) -> None:
    few = predicted(schema, 100)
    assert few.below_floor
    assert few.rows_needed is not None
    assert few.rows_needed > 100
    enough = predicted(schema, few.rows_needed, wishes=specification(rows=100))
    assert not enough.below_floor
    assert enough.rows_needed is None


def test_what_lies_beyond_the_runs_of_the_fit_is_marked() -> None:
    assert not predicted(WIDE, 5_000).beyond
    assert predicted(WIDE, 1_000_000).beyond
    assert predicted(WIDE, 20).beyond


# ------------------------------------------------------------------------------------------------- against real records


def settled(name: str, rows: int, **wishes: Any) -> Setting:
    table = public_table(name, NOWHERE)
    return Setting(name, table.schema.names, rows, rows, 1.0, (), 0, **wishes)


@pytest.mark.parametrize(
    ("name", "rows", "below", "wishes"),
    [
        ("lung", 228, True, {}),
        ("lung", 228, True, {"only": (Condition("sex", lower=Decimal(2)),), "curves": (Curve("time", "status"),)}),
        ("prostate", 14_294, False, {}),
        ("prostate", 14_294, False, {"only": (Condition("stage", values=("T2",)),)}),
        ("prostate", 14_294, False, {"curves": (Curve("survTime", "status"), Curve("survTime", "status", "grade"))}),
    ],
)
def test_at_epsilon_one_lung_is_below_the_floor_and_prostate_above_as_predicted(
    name: str, rows: int, below: bool, wishes: dict[str, Any]
) -> None:
    setting, table = settled(name, rows, **wishes), public_table(name, NOWHERE)
    found = predicted(table.schema, round_rows(rows), wishes=setting.specification)
    measured = run(setting, table)
    assert found.below_floor is below
    assert (measured["scores"]["l1_3way"] > measured["floors"]["l1_3way"]) is below
    assert len(found.scores) == len(measured["scores"])
    for score in found.scores:
        assert score.wide[0] <= measured["scores"][score.name] <= score.wide[1], score
    assert (found.rows_needed is not None) is below
