import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Invalid, Refused
from marketplace.protocol.schema import Category, Schema
from marketplace.protocol.specification import Workload
from node.synthesis.budget import budget_of, divided, marginals_of
from node.synthesis.marginals import PrivateMarginals
from tests.synthesis.examples import FEW, RHO_MICRO, WIDE, specification

HUGE = Schema(tuple(Category(name, tuple(map(str, range(1000))), missing=False) for name in "abc"), None, 1)


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=40), st.integers(0, 10**7))
def test_parts_sum_to_the_whole_and_none_is_empty(weights: list[float], extra: int) -> None:
    parts = divided(len(weights) + extra, weights)
    assert sum(parts) == len(weights) + extra and min(parts) >= 1


def test_parts_follow_their_weights() -> None:
    assert divided(1_003, [1.0, 3.0, 6.0]) == (101, 301, 601)


def test_less_than_one_for_each_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 3"):
        divided(2, [1.0, 1.0, 1.0])


def test_a_budget_spends_all_it_has() -> None:
    for schema in (WIDE, FEW):
        budget = budget_of(schema, Workload(), RHO_MICRO)
        cells, choices = sum(map(sum, budget.cells_micro)), sum(budget.tree_micro) + budget.extra_choices_micro
        assert cells + choices + budget.forest_micro + budget.extras_micro == RHO_MICRO


def test_few_columns_are_measured_together_and_many_are_chosen() -> None:
    few, wide = budget_of(FEW, Workload(), RHO_MICRO), budget_of(WIDE, Workload(), RHO_MICRO)
    assert few.is_joint and not few.tree_micro and not few.most_extras
    assert not wide.is_joint and len(wide.tree_micro) == 3 and wide.most_extras == 8


@pytest.mark.parametrize(
    ("sizes", "is_joint"),
    [((2,) * 6, True), ((2,) * 7, False), ((20, 20, 50), True), ((20, 20, 51), False), ((200,), True)],
)
def test_whether_marginals_are_chosen_follows_from_the_schema_alone(sizes: tuple[int, ...], is_joint: bool) -> None:
    columns = tuple(
        Category(f"c{place}", tuple(map(str, range(size))), missing=False) for place, size in enumerate(sizes)
    )
    for rho_micro in (RHO_MICRO, 100 * RHO_MICRO):
        budget = budget_of(Schema(columns, None, 1), Workload(), rho_micro)
        assert budget.is_joint == is_joint
        assert (not budget.tree_micro and not budget.most_extras) == is_joint


def test_a_workload_that_connects_columns_saves_choices() -> None:
    workload = Workload((("age", "stage"), ("stage", "age", "clinic"), ("visits",)))
    assert marginals_of(WIDE, workload) == ((0, 1), (0, 1, 3))
    assert len(budget_of(WIDE, workload, RHO_MICRO).tree_micro) == 1


def test_columns_of_the_workload_get_twice_the_share_of_alike_columns() -> None:
    alike = Schema(tuple(Category(name, ("x", "y"), missing=False) for name in "abcdefgh"), None, 1)
    shares = [sum(levels) for levels in budget_of(alike, Workload((("c",),)), RHO_MICRO).cells_micro]
    assert shares[2] == pytest.approx(2 * shares[0], rel=0.01) and shares[1] == pytest.approx(shares[0], abs=1)


@pytest.mark.parametrize("rho_micro", [-1, 0, 1, 99])
def test_a_rho_that_cannot_pay_is_refused_with_the_least_that_can(rho_micro: int) -> None:
    with pytest.raises(Refused, match=f"at least 100 millionths.*got {rho_micro}"):
        PrivateMarginals().check(WIDE, specification(), rho_micro)


def test_the_least_rho_is_accepted() -> None:
    PrivateMarginals().check(WIDE, specification(), 100)
    assert budget_of(WIDE, specification().workload, 100).rho_micro == 100


@pytest.mark.parametrize("count", [7, 30, 100])
def test_the_least_rho_pays_for_every_stage_of_any_schema(count: int) -> None:
    schema = Schema(tuple(Category(f"c{i}", ("x", "y"), missing=False) for i in range(count)), None, 1)
    with pytest.raises(Refused, match="millionths") as refused:
        budget_of(schema, Workload(), 1)
    least = int(str(refused.value).split("at least ")[1].split()[0])
    budget = budget_of(schema, Workload(), least)
    assert min(budget.tree_micro) >= 1 and budget.extra_choices_micro >= 1 and budget.most_extras >= 1
    assert budget.forest_micro >= count - 1 and budget.extras_micro >= budget.most_extras


def test_a_workload_of_unknown_columns_is_invalid() -> None:
    with pytest.raises(Invalid, match="expected one of the columns"):
        PrivateMarginals().check(WIDE, specification(("age", "height")), RHO_MICRO)


def test_a_workload_that_no_model_can_hold_is_invalid() -> None:
    with pytest.raises(Invalid, match="one model can hold"):
        PrivateMarginals().check(HUGE, specification(("a", "b", "c")), RHO_MICRO)
    PrivateMarginals().check(HUGE, specification(("a", "b"), ("b", "c")), RHO_MICRO)
