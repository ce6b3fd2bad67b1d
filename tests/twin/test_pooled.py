"""What the twin of pooled records asks for, what it costs, and what rows come of it."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.protocol.analysis_statistic import Opened
from marketplace.protocol.constraints import Condition, Order
from marketplace.protocol.schema import Number, Schema, Timeline
from marketplace.protocol.specification import Curve, Workload
from node.mpc.local import answer_here
from node.mpc.noise import add
from node.synthesis.generator import Stopped
from node.synthesis.structure import components
from node.twin import counting
from node.twin.counting import count
from node.twin.pooled import NAME, PooledTwin
from node.twin.summed import SummedHistogram
from tests.synthesis.examples import FEW, ROW, WIDE, bounded, ignore, never, rows_of, specification, table_of
from tests.twin.examples import (
    FEW_ROWS,
    PARTIES,
    RHO_MICRO,
    WIDE_ROWS,
    dealt,
    distance,
    keys,
    opened_by,
    twin_of,
)

OPENED = opened_by(twin_of(WIDE), WIDE, dealt(WIDE, WIDE_ROWS), keys(0))
WIDE_ROW = st.tuples(st.integers(-1, 2), st.integers(0, 400), st.integers(0, 10), st.integers(0, 39))


@pytest.mark.parametrize(("schema", "rounds"), [(WIDE, 5), (FEW, 3)])
def test_how_many_rounds_there_are_follows_from_the_declaration_alone(schema: Schema, rounds: int) -> None:
    twin = twin_of(schema)
    assert twin.rounds(schema) == rounds
    for rows in (rows_of(schema, 40), rows_of(schema, 900, 5), [tuple(0 for _ in schema.columns)] * 30):
        assert len(opened_by(twin, schema, dealt(schema, rows), keys(1))) == rounds


@settings(max_examples=12, deadline=None)
@given(st.integers(3_000, 10**6), st.integers(1, 3), st.integers(3, 6), st.integers(0, 9), st.booleans())
def test_all_rounds_together_never_cost_more_than_the_rho_nor_much_less(
    rho_micro: int, bound: int, parties: int, number: int, named: bool
) -> None:
    schema = bounded(WIDE, bound)
    asked = specification(*((("age", "visits"), ("stage", "clinic")) if named else ()))
    twin = twin_of(schema, rho_micro, parties, asked)
    twin.check(schema)
    opened = opened_by(twin, schema, dealt(schema, WIDE_ROWS[:60], parties), keys(number, parties))
    measured = twin.measured(schema, opened)
    spent, scored = [stage.rho_micro for stage in measured.stages], scores_of(twin, schema, opened)
    for parts, micro in ((spent, twin.generate_micro), (scored, twin.evaluate_micro)):
        assert micro - 2 * len(parts) <= sum(parts) <= micro
    assert sum(spent) + sum(scored) <= rho_micro
    assert [stage.cost_micro() for stage in measured.stages] == spent


def scores_of(twin: PooledTwin, schema: Schema, opened: Opened) -> list[int]:
    """What the statistics of the last round cost."""
    return [share.rho_micro for share in twin.shares(schema, opened[:-1])]


def test_every_sum_that_is_opened_is_a_stage_that_is_charged() -> None:
    twin = twin_of(WIDE)
    measured = twin.measured(WIDE, OPENED)
    assert [stage.stage for stage in measured.stages] == [name for sums in OPENED[:-1] for name in sums]
    assert [one.name for one in twin.scoring(WIDE, OPENED).statistics] == list(OPENED[-1])
    shares = [share for number in range(len(OPENED) - 1) for share in twin.shares(WIDE, OPENED[:number])]
    assert [stage.rho_micro for stage in measured.stages] == [share.rho_micro for share in shares]
    assert measured.generator == NAME and not measured.choices


def test_every_sum_is_the_counts_of_all_records_and_every_partys_noise() -> None:
    """To the last row: no count is left without its noise, no noise is cut, scaled or used again."""
    assert sums_are_counts_and_noise(OPENED)


def sums_are_counts_and_noise(opened: Opened) -> bool:
    """Whether what was opened of `WIDE_ROWS` under keys 0 is the counts of all rows and each party's own noise."""
    twin, noise, whole, fine = twin_of(WIDE), keys(0), table_of(WIDE, WIDE_ROWS), True
    for number, sums in enumerate(opened):
        exact, shares = count(twin, WIDE, whole, opened[:number]), twin.shares(WIDE, opened[:number])
        nothing = {name: np.zeros_like(counts) for name, counts in exact.items()}
        drawn = [add(nothing, shares, stream, number) for stream in noise]
        for name, found in sums.items():
            fine = fine and np.array_equal(np.array(found), exact[name] + sum(one[name] for one in drawn))
    return fine


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(WIDE_ROW, max_size=2), min_size=3, max_size=3))
def test_a_person_at_every_member_moves_no_sum_beyond_its_sensitivity(person: list[list[ROW]]) -> None:
    assert moves_within_sensitivity(person, OPENED)


def moves_within_sensitivity(person: list[list[ROW]], opened: Opened) -> bool:
    """Whether somebody with these rows at each member moves every statistic by no more than it is charged for."""
    twin, fine = twin_of(WIDE), True
    for number in range(len(opened)):
        shares = {share.name: share.sensitivity_squared for share in twin.shares(WIDE, opened[:number])}
        moved: dict[str, np.ndarray] = {}
        for rows in person:
            for name, counts in count(twin, WIDE, table_of(WIDE, rows), opened[:number]).items():
                moved[name] = moved.get(name, 0) + counts
        fine = fine and all(int((one**2).sum()) <= shares[name] for name, one in moved.items())
    return fine


def test_people_with_rows_alike_at_every_member_reach_the_sensitivity_of_every_round() -> None:
    twin = twin_of(WIDE)
    for number in range(len(OPENED)):
        reached = set()
        for row in [(0, age, 0, 0) for age in range(0, 401, 20)]:
            counts = count(twin, WIDE, table_of(WIDE, [row] * WIDE.rows_per_person), OPENED[:number])
            for share in twin.shares(WIDE, OPENED[:number]):
                if int(((PARTIES * counts[share.name]) ** 2).sum()) == share.sensitivity_squared:
                    reached.add(share.name)
        assert reached == set(OPENED[number])


def test_a_person_at_one_member_alone_costs_less_noise_where_the_offer_says_so() -> None:
    everywhere = twin_of(WIDE)
    once = replace(everywhere, rows_in_pool=WIDE.rows_per_person)
    for one, other in zip(once.shares(WIDE), everywhere.shares(WIDE), strict=True):
        assert other.sigma2 == PARTIES**2 * one.sigma2 and other.rho_micro == one.rho_micro


def test_what_is_asked_follows_from_schema_wishes_and_sums_alone_and_differs_by_them() -> None:
    twin = twin_of(WIDE)
    again = [twin_of(WIDE).asked(WIDE, OPENED[:number]) for number in range(len(OPENED) + 1)]
    assert again == [twin.asked(WIDE, OPENED[:number]) for number in range(len(OPENED) + 1)]
    assert again[-1] == () and all(again[:-1])
    named = twin_of(WIDE, asked=specification(("stage", "clinic", "visits")))
    for number in (3, 4):
        one, other = (opened_by(each, WIDE, dealt(WIDE, WIDE_ROWS)) for each in (twin, named))
        assert named.asked(WIDE, other[:number]) != twin.asked(WIDE, one[:number])


def test_the_workload_is_measured_and_all_columns_are_connected() -> None:
    asked = specification(("visits", "stage"))
    measured = twin_of(WIDE, asked=asked).measured(
        WIDE, opened_by(twin_of(WIDE, asked=asked), WIDE, dealt(WIDE, WIDE_ROWS))
    )
    marginals = [one.columns for one in measured.histograms if one.stage.startswith("marginal/")]
    assert ("stage", "visits") in marginals
    places = [tuple(WIDE.names.index(name) for name in marginal) for marginal in marginals]
    assert len(components(len(WIDE.columns), places)) == 1


@pytest.mark.parametrize(("schema", "rows", "pair"), [(WIDE, WIDE_ROWS, (1, 3)), (FEW, FEW_ROWS, (1, 2))])
def test_rows_have_the_relations_of_the_pooled_records(schema: Schema, rows: list[ROW], pair: tuple[int, int]) -> None:
    rows = rows * 10
    twin, tables = twin_of(schema, 10**8), dealt(schema, rows)
    made = twin.table(schema, opened_by(twin, schema, tables, keys(2)), ignore, never)
    shuffled = table_of(
        schema, list(zip(*(np.roll(column, 7 * at) for at, column in enumerate(zip(*rows, strict=True))), strict=True))
    )
    assert made.num_rows == 900 and made.column_names == list(schema.names)
    assert distance(schema, rows, made, pair) < distance(schema, rows, shuffled, pair) / 3


def test_the_same_sums_make_the_same_rows_and_other_sums_others() -> None:
    twin = twin_of(WIDE)
    one = twin.table(WIDE, OPENED, ignore, never)
    assert one.equals(twin.table(WIDE, OPENED, ignore, never))
    assert not one.equals(twin.table(WIDE, opened_by(twin, WIDE, dealt(WIDE, WIDE_ROWS), keys(3)), ignore, never))


def test_rows_keep_constraints_and_conditions() -> None:
    schema = replace(WIDE, constraints=(Order("visits", "age"),))
    asked = replace(specification(rows=200), only=(Condition("stage", present=True),))
    kept = [row for row in WIDE_ROWS if row[2] <= row[1] / 2]
    twin = twin_of(schema, asked=asked)
    twin.check(schema)
    made = twin.table(schema, opened_by(twin, schema, dealt(schema, kept), keys(4)), ignore, never)
    assert made.column("stage").null_count == 0
    assert all(
        2 * visits <= age
        for visits, age in zip(made.column("visits").to_pylist(), made.column("age").to_pylist(), strict=True)
    )


def test_a_pool_in_which_a_member_has_no_row_has_a_twin() -> None:
    twin = twin_of(FEW)
    tables = [*dealt(FEW, FEW_ROWS, 2), table_of(FEW, [])]
    assert twin.table(FEW, opened_by(twin, FEW, tables, keys(5)), ignore, never).num_rows == 900


def test_real_parties_sum_it_and_make_the_same_rows(tmp_path: Path) -> None:
    twin, tables = twin_of(FEW), dealt(FEW, FEW_ROWS)
    counts = [
        lambda opened, table=table, noise=noise: add(
            count(twin, FEW, table, opened), twin.shares(FEW, opened), noise, len(opened)
        )
        for table, noise in zip(tables, keys(6), strict=True)
    ]
    answers = answer_here(twin, FEW, bytes(32), counts, tmp_path)
    assert list(answers[0].opened) == list(opened_by(twin, FEW, tables, keys(6)))
    assert all(one.opened == answers[0].opened for one in answers)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda opened: opened[:-1], "rounds"),
        (lambda opened: (*opened, opened[0]), "rounds"),
        (lambda opened: (opened[1], *opened[1:]), "sums of cells"),
        (lambda opened: ({**opened[0], "cells/0/0": (1,)}, *opened[1:]), "sums of cells/0/0"),
        (lambda opened: (*opened[:-2], {}, opened[-1]), "sums of marginal/0"),
    ],
)
def test_sums_of_something_else_are_corrupt(spoil, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Corrupt, match=says):
        twin_of(WIDE).measured(WIDE, spoil(OPENED))


@pytest.mark.parametrize("schema", [WIDE, FEW])
def test_the_least_rho_that_is_let_in_pays_for_every_round_and_less_is_refused(schema: Schema) -> None:
    enough = 1
    while refused(schema, enough):
        enough += 1
    twin = twin_of(schema, enough)
    assert len(opened_by(twin, schema, dealt(schema, rows_of(schema, 60)), keys(7))) == twin.rounds(schema)
    assert enough > 20


def refused(schema: Schema, rho_micro: int) -> bool:
    try:
        twin_of(schema, rho_micro).check(schema)
    except Refused:
        return True
    return False


def test_two_parties_are_refused() -> None:
    with pytest.raises(Refused, match="3 to 16 parties"):
        twin_of(WIDE, parties=2).check(WIDE)


@pytest.mark.parametrize(
    ("schema", "asked", "says"),
    [
        (WIDE, replace(specification(), generator="neural"), "private-marginals"),
        (WIDE, replace(specification(), subgroups="age"), "group by"),
        (WIDE, replace(specification(), workload=Workload((), (Curve("stage", "age"),))), "time"),
        (replace(WIDE, timeline=Timeline("visits", False)), specification(), "hang together"),
        (
            replace(WIDE, constraints=(Order("visits", "age"),)),
            replace(specification(), only=(Condition("visits", lower=Decimal(10)), Condition("age", upper=Decimal(9)))),
            "keep together",
        ),
    ],
)
def test_wishes_that_cannot_be_met_are_invalid_before_any_record(schema, asked, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Invalid, match=says):
        twin_of(schema, asked=asked).check(schema)


def test_one_column_has_a_twin() -> None:
    schema = Schema((Number("x", Decimal(0), Decimal(2_000), Decimal(1), False),), None, 1)
    twin = twin_of(schema)
    rows = [(code % 300,) for code in range(600)]
    made = twin.table(schema, opened_by(twin, schema, dealt(schema, rows), keys(8)), ignore, never)
    assert np.mean(made.column("x").to_numpy() < 320) > 0.9


def test_a_summed_histogram_states_the_noise_of_all_and_the_price_of_the_honest() -> None:
    measured = twin_of(WIDE).measured(WIDE, OPENED)
    for one in measured.histograms:
        assert isinstance(one, SummedHistogram)
        assert one.variance == PARTIES * one.sigma2 and one.honest == PARTIES - 1
        assert (one.sensitivity - 1) ** 2 < one.sensitivity_squared <= one.sensitivity**2
        assert {"parties", "honest", "sensitivity_squared"} <= set(one.document())
    assert sum(one.rho_micro for one in measured.histograms) <= RHO_MICRO


def test_more_rows_than_sums_can_hold_and_a_table_of_another_schema_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(Invalid, match="expected the columns"):
        count(twin_of(WIDE), WIDE, table_of(FEW, FEW_ROWS))
    monkeypatch.setattr(counting, "LARGEST_PARTY_ROWS", len(FEW_ROWS) - 1)
    with pytest.raises(Refused, match="rows at a party"):
        count(twin_of(FEW), FEW, table_of(FEW, FEW_ROWS))


def test_a_node_that_is_told_to_stop_makes_no_rows() -> None:
    with pytest.raises(Stopped):
        twin_of(WIDE).table(WIDE, OPENED, ignore, lambda: True)


def test_nothing_is_counted_when_all_is_known() -> None:
    twin = twin_of(WIDE)
    assert count(twin, WIDE, table_of(WIDE, WIDE_ROWS), OPENED) == {} and twin.shares(WIDE, OPENED) == ()
