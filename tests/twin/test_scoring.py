"""What the scores of a pooled twin are counted on, and that they tell a right table from a wrong one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from marketplace.errors import Corrupt
from marketplace.protocol.constraints import Condition
from marketplace.protocol.specification import Curve, Workload
from marketplace.scores.groups import Grouping
from node.evaluation.codes import frame_of
from node.twin.counting import count
from node.twin.rounds import LEAST_MICRO
from node.twin.scoring import least_micro
from tests.synthesis.examples import FEW, WIDE, ignore, never, rows_of, specification, table_of
from tests.twin.examples import WIDE_ROWS, dealt, keys, opened_by, twin_of

MANY = rows_of(WIDE, 6_000)
LOUD_MICRO = 3_000_000
WISHES = replace(
    specification(rows=2_000),
    workload=Workload((("stage", "age"),), (Curve("age", "stage", None, "II"),)),
    subgroups="stage",
)


@pytest.fixture(scope="module")
def opened():  # type: ignore[no-untyped-def]
    return opened_by(twin_of(WIDE, LOUD_MICRO, asked=WISHES), WIDE, dealt(WIDE, MANY), keys(0))


def test_groups_are_told_from_the_columns_and_are_the_more_the_less_noise_there_is(opened) -> None:  # type: ignore[no-untyped-def]
    scoring = twin_of(WIDE, LOUD_MICRO, asked=WISHES).scoring(WIDE, opened)
    quiet = twin_of(WIDE, 10**9, asked=WISHES)
    finer = quiet.scoring(WIDE, opened_by(quiet, WIDE, dealt(WIDE, MANY), keys(0)))
    for one, other in zip(scoring.groupings, finer.groupings, strict=True):
        assert Grouping.decode(one.encode(), WIDE) == one
        assert sum(one.shape(WIDE.names)) <= sum(other.shape(WIDE.names))
    assert sum(scoring.groupings[2].shape(WIDE.names)) < sum(finer.groupings[2].shape(WIDE.names))
    sizes = [sum(one.shape(WIDE.names)) for one in finer.groupings]
    assert sizes == sorted(sizes, reverse=True)


def test_what_is_counted_for_scores_does_not_follow_from_what_was_opened_after_the_columns(opened) -> None:  # type: ignore[no-untyped-def]
    twin = twin_of(WIDE, LOUD_MICRO, asked=WISHES)
    last = {name: tuple(2 * count for count in sums) for name, sums in opened[3].items()}
    assert twin.scoring(WIDE, (*opened[:3], last, opened[4])) == twin.scoring(WIDE, opened)


def test_every_statistic_of_the_scores_is_paid_for(opened) -> None:  # type: ignore[no-untyped-def]
    twin = twin_of(WIDE, LOUD_MICRO, asked=WISHES)
    shares = twin.shares(WIDE, opened[:-1])
    assert [share.name for share in shares] == list(opened[-1])
    assert sum(share.rho_micro for share in shares) <= twin.evaluate_micro == LOUD_MICRO // 10
    made = frame_of(table_of(WIDE, WIDE_ROWS), WIDE)
    (curve,) = twin.scored(WIDE, opened, made).curves
    assert (curve.counts, curve.sigma2) == (opened[-1]["curve_0"], 3 * shares[-1].sigma2)  # every party's noise
    assert least_micro(WIDE, WISHES) == LEAST_MICRO * len(shares)


def test_rows_of_the_sums_score_better_than_their_shuffle_and_than_rows_of_others(opened) -> None:  # type: ignore[no-untyped-def]
    twin = twin_of(WIDE, LOUD_MICRO, asked=WISHES)
    made = frame_of(twin.table(WIDE, opened, ignore, never), WIDE)
    random = np.random.default_rng(1)
    shuffled = pd.DataFrame({name: random.permutation(made[name].to_numpy()) for name in made})
    others = made.assign(age=np.int32(400), visits=np.int32(0))
    right, mixed, wrong = (
        {one.name: one for one in twin.scored(WIDE, opened, each).scores} for each in (made, shuffled, others)
    )
    for name in ("l1_2way", "l1_3way", "workload"):
        assert float(right[name].interval[1]) < float(mixed[name].interval[0])
        assert float(right[name].interval[1]) < float(right[name].floor)
        assert float(mixed[name].value) < float(wrong[name].interval[0])
    assert float(right["l1_1way"].interval[1]) < float(wrong["l1_1way"].interval[0])


def test_only_records_that_meet_the_orders_conditions_are_scored() -> None:
    asked = replace(specification(rows=200), only=(Condition("arm", values=("a",)),))
    twin, tables = twin_of(FEW, asked=asked), dealt(FEW, rows_of(FEW, 300))
    opened = opened_by(twin, FEW, tables)
    met = sum(row[2] == 0 for row in rows_of(FEW, 300))
    assert opened[-1]["rows"] == (met,) and 0 < met < 300
    assert sum(opened[0]["cells/2/0"]) == 300


def test_who_has_no_record_counts_nothing_for_scores() -> None:
    twin = twin_of(WIDE)
    opened = opened_by(twin, WIDE, dealt(WIDE, WIDE_ROWS))
    counted = count(twin, WIDE, table_of(WIDE, []), opened[:-1])
    assert all(not counts.any() for counts in counted.values())


def test_sums_of_another_round_are_corrupt(opened) -> None:  # type: ignore[no-untyped-def]
    twin = twin_of(WIDE, LOUD_MICRO, asked=WISHES)
    made = frame_of(table_of(WIDE, WIDE_ROWS), WIDE)
    with pytest.raises(Corrupt, match="sums that scores are computed from"):
        twin.scored(WIDE, (*opened[:-1], opened[-2]), made)
