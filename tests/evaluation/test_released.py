import hashlib
import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Refused
from marketplace.protocol.schema import Schema
from marketplace.protocol.specification import Curve, Specification, Workload
from marketplace.scores.cells import Bins
from marketplace.scores.curve import Grid
from marketplace.scores.measure import measures, subgroup_measures
from marketplace.scores.reference import references
from node.evaluation.released import ReleasedScores, evaluate, gap, release
from node.noise.gaussian import discrete_gaussian, rho_micro_of_gaussian
from tests.evaluation.tables import COLUMNS, SCHEMA, arrow, never, noise, records, shuffled, silent, specification

WORKLOAD = Workload((("stage", "ward"), ("dose",)))
CURVES = Workload((), (Curve("dose", "stage", None, "III"), Curve("age", "stage", "ward")))
WISHED = specification(WORKLOAD)
WISHES = specification(CURVES, 1_000, "stage")
DRAWS = 20_000
ERROR_NORMAL = 3.29
ROW = st.tuples(st.integers(-1, 99), st.integers(0, 3), st.integers(-1, 11), st.integers(0, 500))


def scores(
    training: pd.DataFrame,
    synthetic: pd.DataFrame,
    rho_micro: int,
    context: int = 0,
    schema: Schema = SCHEMA,
    wishes: Specification = WISHED,
) -> ReleasedScores:
    return evaluate(
        arrow(training),
        arrow(synthetic),
        schema,
        wishes,
        2_000,
        rho_micro,
        noise(context),
        silent,
        never,
    )


def frame(rows: list[tuple[int, int, int, int]]) -> pd.DataFrame:
    return pd.DataFrame(np.array(rows, np.int32).reshape(-1, 4), columns=list(SCHEMA.names))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(ROW, max_size=12), st.lists(ROW, min_size=1, max_size=4), st.lists(ROW, min_size=1, max_size=9),
    st.integers(1, 40),
)  # fmt: skip
def test_a_person_moves_no_stage_by_more_than_rows_per_person_times_marginals(
    others: list[tuple[int, int, int, int]],
    person: list[tuple[int, int, int, int]],
    synthetic: list[tuple[int, int, int, int]],
    rows: int,
) -> None:
    bins = Bins.of(frame(synthetic), SCHEMA)
    without, with_person, made = (bins.cut(frame(part)) for part in (others, others + person, synthetic))
    for measure in measures(SCHEMA, WORKLOAD, b""):
        moved = abs(gap(measure, with_person, made, rows) - gap(measure, without, made, rows))
        assert moved <= len(person) * len(measure.marginals)


def test_some_person_moves_every_stage_by_its_whole_sensitivity() -> None:
    synthetic = records(400, 1)
    training = frame([(0, 0, 0, 0)] * 50)
    person = frame([(-1, 3, 11, 500)] * SCHEMA.rows_per_person)
    bins = Bins.of(synthetic, SCHEMA)
    made, without, with_person = (bins.cut(t) for t in (synthetic, training, pd.concat([training, person])))
    charged = {charge.name: charge.sensitivity for charge in scores(training, synthetic, 1_000).charges}
    for measure in measures(SCHEMA, WORKLOAD, b""):
        if measure.missing:
            continue
        moved = gap(measure, with_person, made, 1) - gap(measure, without, made, 1)
        assert moved == charged[measure.name]


@pytest.mark.parametrize("bound", [1, 2, 7])
def test_sensitivities_are_those_of_the_declared_bound(bound: int) -> None:
    schema = Schema(COLUMNS, "patient", bound)
    released = scores(records(50, 1), records(50, 2), 5_000, schema=schema)
    assert {charge.name: charge.sensitivity for charge in released.charges} == {
        "rows": bound,
        "l1_1way": 4 * bound,
        "l1_2way": 6 * bound,
        "l1_3way": 4 * bound,
        "missingness": 2 * bound,
        "workload": 2 * bound,
    }


@settings(deadline=None, max_examples=25)
@given(st.integers(21, 10**7))
def test_what_is_spent_is_exactly_what_was_offered(rho_micro: int) -> None:
    released = scores(records(20, 1), records(20, 2), rho_micro)
    assert released.rho_micro == rho_micro
    for charge in released.charges:
        assert rho_micro_of_gaussian(charge.sensitivity**2, charge.sigma2) == charge.rho_micro >= 1


def test_a_rho_that_cannot_pay_for_every_stage_is_refused() -> None:
    with pytest.raises(Refused, match="at least 21 micro-rho for the scores of this order, got 20"):
        scores(records(20, 1), records(20, 2), 20)


def test_being_told_to_stop_releases_nothing() -> None:
    table = arrow(records(20, 1))
    with pytest.raises(Refused, match="told to stop"):
        evaluate(table, table, SCHEMA, specification(), 20, 1_000, noise(), silent, lambda: True)


def test_progress_names_the_stages_and_ends_at_one() -> None:
    seen: list[tuple[str, float]] = []
    table = arrow(records(20, 1))
    evaluate(table, table, SCHEMA, specification(), 20, 1_000, noise(), lambda *step: seen.append(step), never)
    assert seen[0] == ("scoring l1_1way", 0.0)
    assert seen[-1] == ("scored", 1.0)
    assert [share for _, share in seen] == sorted(share for _, share in seen)


def neighbours() -> tuple[int, int, int]:
    """A stage's exact integer without and with one person, and the stage's sensitivity."""
    synthetic = records(400, 1)
    bins = Bins.of(synthetic, SCHEMA)
    training = frame([(0, 0, 0, 0)] * 50)
    person = frame([(-1, 3, 11, 500)] * SCHEMA.rows_per_person)
    measure = measures(SCHEMA, WORKLOAD, b"")[1]
    without, with_person = (
        gap(measure, bins.cut(table), bins.cut(synthetic), 1) for table in (training, pd.concat([training, person]))
    )
    return without, with_person, SCHEMA.rows_per_person * len(measure.marginals)


def costs_no_more(without: np.ndarray, with_person: np.ndarray, claimed_micro: int) -> bool:
    """Whether draws on two neighbours agree with a Gaussian release at the claimed rho. Wrong with probability 1e-3."""
    variance = (without.var(ddof=1) + with_person.var(ddof=1)) / 2
    shift = abs(with_person.mean() - without.mean()) - ERROR_NORMAL * math.sqrt(2 * variance / len(without))
    slack = 1 - ERROR_NORMAL * math.sqrt(1 / (len(without) - 1))
    return bool(1e6 * shift**2 / (2 * variance) * slack <= claimed_micro)


def test_twenty_thousand_draws_accept_the_noise_that_was_paid_for_and_reject_half_of_it() -> None:
    without, with_person, sensitivity = neighbours()
    rho_micro = 30_000
    _, charge = release([without], sensitivity, "l1_2way", rho_micro, noise())
    first, second = (discrete_gaussian(noise(context).stage("power"), charge.sigma2, DRAWS) for context in (1, 2))
    assert costs_no_more(without + first, with_person + second, rho_micro)
    for sigma2 in (charge.sigma2 / 4, charge.sigma2 / 2):
        first, second = (discrete_gaussian(noise(context).stage("power"), sigma2, DRAWS) for context in (1, 2))
        assert not costs_no_more(without + first, with_person + second, rho_micro)


def test_a_release_is_one_draw_of_its_own_stage_at_the_variance_that_it_charges() -> None:
    for context in range(200):
        (noisy,), charge = release([1_000], 12, "l1_2way", 300, noise(context))
        drawn = discrete_gaussian(noise(context).stage("evaluate/l1_2way"), charge.sigma2, 1)[0]
        assert noisy - 1_000 == drawn
        assert charge.sigma2 == Fraction(12**2 * 1_000_000, 2 * 300)


@pytest.mark.slow
def test_twenty_thousand_releases_accept_the_noise_that_was_paid_for_and_reject_half_of_it() -> None:
    without, with_person, sensitivity = neighbours()

    def draws(exact: int, spent_micro: int, offset: int) -> np.ndarray:
        found = (
            release([exact], sensitivity, "l1_2way", spent_micro, noise(offset + index))[0][0] for index in range(DRAWS)
        )
        return np.array(list(found))

    for spent_micro, honest in ((30_000, True), (120_000, False)):
        pair = draws(without, spent_micro, 0), draws(with_person, spent_micro, DRAWS)
        assert costs_no_more(*pair, 30_000) is honest


def test_the_interval_holds_the_exact_score_at_least_nineteen_times_in_twenty() -> None:
    training, synthetic = records(600, 1), shuffled(records(500, 2), 3)
    bins = Bins.of(synthetic, SCHEMA)
    seed = hashlib.sha256(specification(WORKLOAD).encode()).digest()
    exact = [measure.distance(bins.cut(training), bins.cut(synthetic)) for measure in measures(SCHEMA, WORKLOAD, seed)]
    inside = [
        Fraction(score.interval[0]) <= value <= Fraction(score.interval[1])
        for context in range(150)
        for score, value in zip(scores(training, synthetic, 60_000, context).scores, exact, strict=True)
    ]
    assert np.mean(inside) >= 0.95


def test_noise_moves_a_score_by_about_what_sigma_says() -> None:
    training, synthetic = records(3_000, 1), shuffled(records(3_000, 2), 3)
    runs = [scores(training, synthetic, 20_000, context) for context in range(60)]
    values = np.array([[float(score.value) for score in run.scores] for run in runs])
    sigmas = np.array([float(score.sigma) for score in runs[0].scores])
    assert (values.std(axis=0)[1:3] < sigmas[1:3]).all()
    assert (values.std(axis=0)[1:3] > sigmas[1:3] / 4).all()


def test_floor_and_ceiling_are_the_public_ones() -> None:
    synthetic = records(400, 2)
    released = scores(records(500, 1), synthetic, 5_000)
    seed = hashlib.sha256(specification(WORKLOAD).encode()).digest()
    public = references(synthetic, SCHEMA, WORKLOAD, seed, 2_000)
    assert [(score.name, score.floor, score.ceiling) for score in released.scores] == [
        (reference.name, reference.floor, reference.ceiling) for reference in public
    ]


def test_a_copy_scores_near_nothing_and_a_shuffle_no_better_than_the_floor_of_the_copy() -> None:
    training = records(4_000, 1)
    copy, shuffle = (scores(training, table, 5_000_000).scores for table in (training, shuffled(training, 2)))
    for alike, broken in zip(copy, shuffle, strict=True):
        assert float(alike.value) < 0.002
        if broken.name in ("l1_2way", "l1_3way"):
            assert math.isclose(float(broken.value), float(alike.floor), rel_tol=0.05)


@pytest.mark.parametrize("rows", [0, 1])
def test_an_almost_empty_training_table_still_gives_scores_in_range(rows: int) -> None:
    for context in range(5):
        released = scores(records(5, 1).iloc[:rows], records(40, 2), 50, context)
        assert released.rows_noisy >= 1
        assert all(0 <= float(score.value) <= score.largest for score in released.scores)


def test_the_same_key_and_order_give_the_same_scores_and_another_key_does_not() -> None:
    training, synthetic = records(100, 1), records(100, 2)
    first, again, other = (scores(training, synthetic, 1_000, context) for context in (1, 1, 2))
    assert first == again != other


# ------------------------------------------------------------------------------------------------ subgroups and curves


@settings(deadline=None, max_examples=200)
@given(
    st.lists(ROW, max_size=12), st.lists(ROW, min_size=1, max_size=7), st.lists(ROW, min_size=1, max_size=9),
    st.integers(1, 40),
)  # fmt: skip
def test_a_person_moves_all_subgroups_together_by_no_more_than_its_rows_times_marginals(
    others: list[tuple[int, int, int, int]],
    person: list[tuple[int, int, int, int]],
    synthetic: list[tuple[int, int, int, int]],
    rows: int,
) -> None:
    bins = Bins.of(frame(synthetic), SCHEMA)
    without, with_person, made = (bins.cut(frame(part)) for part in (others, others + person, synthetic))
    groups = subgroup_measures(made, "stage")
    sizes = [group.view(with_person).rows - group.view(without).rows for group in groups]
    moved = [gap(group, with_person, made, rows) - gap(group, without, made, rows) for group in groups]
    assert math.hypot(*sizes) <= len(person)
    assert math.hypot(*moved) <= len(person) * 3


def test_some_person_moves_the_subgroups_by_their_whole_sensitivity() -> None:
    synthetic, training = records(400, 1), frame([(-1, 3, 11, 500)] * 50)
    person = frame([(-1, 3, 11, 500)] * SCHEMA.rows_per_person)
    bins = Bins.of(synthetic, SCHEMA)
    made, without, with_person = (bins.cut(t) for t in (synthetic, training, pd.concat([training, person])))
    charged = {charge.name: charge for charge in scores(training, synthetic, 5_000, wishes=WISHES).charges}
    last = subgroup_measures(made, "stage")[-1]
    assert gap(last, with_person, made, 1) - gap(last, without, made, 1) == charged["subgroups"].sensitivity == 6
    assert charged["subgroup_rows"].sensitivity == last.view(with_person).rows - last.view(without).rows == 2


@pytest.mark.parametrize("bound", [1, 2, 7])
def test_sensitivities_of_subgroups_and_curves_are_those_of_the_declared_bound(bound: int) -> None:
    schema = Schema(COLUMNS, "patient", bound)
    released = scores(records(50, 1), records(50, 2), 9_000, schema=schema, wishes=WISHES)
    assert {charge.name: charge.sensitivity for charge in released.charges[-4:]} == {
        "subgroup_rows": bound,
        "subgroups": 3 * bound,
        "curve_0": bound,
        "curve_1": bound,
    }


@settings(deadline=None, max_examples=15)
@given(st.integers(39, 10**7))
def test_what_subgroups_and_curves_cost_is_within_what_was_offered_and_all_of_it_is_spent(rho_micro: int) -> None:
    released = scores(records(20, 1), records(20, 2), rho_micro, wishes=WISHES)
    assert released.rho_micro == rho_micro
    for charge in released.charges:
        assert rho_micro_of_gaussian(charge.sensitivity**2, charge.sigma2) == charge.rho_micro >= 1


def test_a_column_of_subgroups_that_is_empty_in_the_result_costs_what_was_offered() -> None:
    empty = records(40, 2).assign(ward=np.int32(-1))
    released = scores(records(20, 1), empty, 5_000, wishes=specification(None, 1_000, "ward"))
    assert released.rho_micro == 5_000
    assert not any(score.name.startswith("subgroup") for score in released.scores)


def test_the_interval_of_a_subgroup_holds_its_exact_score_and_a_gap_shows() -> None:
    training, synthetic = records(1_500, 1), records(1_500, 2)
    worse = synthetic.copy()
    worse.loc[worse["stage"] == 1, "dose"] = 500
    bins = Bins.of(worse, SCHEMA)
    groups = subgroup_measures(bins.cut(worse), "stage")
    exact = {group.name: group.distance(bins.cut(training), bins.cut(worse)) for group in groups}
    inside = []
    for context in range(40):
        released = scores(training, worse, 400_000, context, wishes=specification(None, 1_000, "stage"))
        found = {score.name: score for score in released.scores if score.name in exact}
        assert found.keys() == exact.keys() == {f"subgroup_{code}" for code in range(4)}
        assert max(found, key=lambda name: float(found[name].value)) == "subgroup_1"
        inside += [
            Fraction(found[name].interval[0]) <= value <= Fraction(found[name].interval[1])
            for name, value in exact.items()
        ]
    assert np.mean(inside) >= 0.95


def test_curves_are_released_once_and_both_score_and_line_follow_from_them() -> None:
    training, synthetic = records(3_000, 1), records(3_000, 2)
    released = scores(training, synthetic, 5_000, wishes=WISHES)
    seed = hashlib.sha256(WISHES.encode()).digest()
    charges = {charge.name: charge for charge in released.charges}
    for index, (curve, noisy) in enumerate(zip(CURVES.curves, released.curves, strict=True)):
        grid = Grid.of(curve, SCHEMA)
        judged = noisy.judged(index, grid, synthetic, seed, 2_000)
        assert judged.score == released.scores[index - 2]
        assert noisy.sigma2 == charges[f"curve_{index}"].sigma2
        exact = grid.count(training).ravel()
        drawn = discrete_gaussian(noise().stage(f"evaluate/curve_{index}"), noisy.sigma2, len(exact))
        assert (np.array(noisy.counts) - exact == drawn).all()


def test_twenty_thousand_draws_of_a_curve_accept_the_noise_that_was_paid_for_and_reject_half_of_it() -> None:
    grid, person = Grid.of(CURVES.curves[0], SCHEMA), frame([(3, 2, 1, 250)] * SCHEMA.rows_per_person)
    training = frame([(0, 0, 0, 0)] * 50)
    without, with_person = (grid.count(t).ravel() for t in (training, pd.concat([training, person])))
    _, charge = release(without.tolist(), SCHEMA.rows_per_person, "curve_0", 30_000, noise())
    (moved,) = np.flatnonzero(with_person - without)
    for sigma2, honest in ((charge.sigma2, True), (charge.sigma2 / 2, False)):
        first, second = (discrete_gaussian(noise(context).stage("power"), sigma2, DRAWS) for context in (1, 2))
        assert costs_no_more(without[moved] + first, with_person[moved] + second, 30_000) is honest


@pytest.mark.parametrize("name", ["subgroup_rows", "subgroups", "curve_0"])
def test_every_number_of_a_stage_has_a_draw_of_its_own(name: str) -> None:
    noisy, charge = release([0] * 50, 3, name, 20, noise())
    assert noisy == discrete_gaussian(noise().stage(f"evaluate/{name}"), charge.sigma2, 50).tolist()
    assert len(set(noisy)) > 40
