"""What a reviewer asks of a synthetic table: a good one passes, a shuffled one fails, a copy is caught, peers agree."""

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.statistics import logrank_test

from marketplace.errors import Invalid
from marketplace.protocol.constraints import Order
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import Curve, Workload
from marketplace.scores.cells import Bins
from marketplace.scores.measure import measures
from node.evaluation.disclosure import disclosure
from node.evaluation.exact import copies
from node.evaluation.features import features
from node.evaluation.fidelity import fidelity, manifold, pattern_distance, violations
from node.evaluation.provider import Compared, Evaluation
from node.evaluation.report import Subject
from node.evaluation.review_page import review_page
from node.evaluation.reviewed import Review
from node.evaluation.reviewing import review
from node.evaluation.sample import Sample
from node.evaluation.survival import hazard_ratio, overlap, overlap_of, survival
from node.evaluation.utility import area, utility
from tests.evaluation.tables import SCHEMA, arrow, records, shuffled, specification

FOLLOWED = Schema(
    (
        Number("days", Decimal(0), Decimal(999), Decimal(1), missing=False),
        Category("status", ("alive", "dead"), missing=False),
        Number("age", Decimal(0), Decimal(99), Decimal(1), missing=True),
        Category("stage", ("I", "II", "III"), missing=False),
    ),
    None,
    1,
)
FOLLOWING = Workload((), (Curve("days", "status"),))
SUBJECT = Subject("Hearts", "Ward 7", "ab" * 32, "one row is one person", 900, 2, 900)


def patients(rows: int, seed: int, effect: float = 1.2) -> pd.DataFrame:
    """Records in which age and stage drive the hazard."""
    random = np.random.default_rng(seed)
    stage, age = random.integers(0, 3, rows), random.integers(30, 90, rows)
    event = random.exponential(900 * np.exp(-effect * (stage - 1) - 0.02 * (age - 60)))
    looked = random.uniform(200, 1_000, rows)
    days = np.minimum(np.minimum(event, looked), 999)
    ages = np.where(random.random(rows) < 0.05, -1, age)
    return pd.DataFrame({"days": days, "status": event <= looked, "age": ages, "stage": stage}).astype(np.int32)


def drawn(synthetic: pd.DataFrame) -> Sample:
    return Sample.draw(records(1_000, 1), records(500, 2), synthetic, 7)


def named(found: tuple[Compared, ...]) -> dict[str, Compared]:
    return {each.name: each for each in found}


GOOD, SHUFFLED = drawn(records(1_000, 3)), drawn(shuffled(records(1_000, 3), 4))


def test_a_model_that_learnt_from_good_rows_predicts_as_well_as_one_that_learnt_from_records() -> None:
    for name, found in named(utility(GOOD, SCHEMA, Workload())).items():
        assert name in (
            "stage, logistic regression",
            "stage, random forest",
            "ward, logistic regression",
            "ward, random forest",
        )
        assert found.synthetic.high > found.real.low > 0.6
        assert abs(found.shuffled.value - 0.5) < 0.12
        assert found.synthetic.low < found.synthetic.value < found.synthetic.high


def test_a_model_that_learnt_from_shuffled_rows_predicts_nothing() -> None:
    for found in utility(SHUFFLED, SCHEMA, Workload((("stage",),))):
        assert found.synthetic.value < 0.62 < found.real.value


def test_the_area_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(1)
    truth, chances = random.integers(0, 3, 400).astype(np.int32), random.dirichlet((1, 1, 1), 400)
    theirs = roc_auc_score(truth, chances, multi_class="ovr", average="weighted")
    assert math.isclose(area(truth, {code: chances[:, code] for code in range(3)}), theirs, rel_tol=1e-12)
    assert area(np.zeros(5, np.int32), {}) == 0.5


def test_features_of_two_tables_of_one_schema_are_encoded_alike() -> None:
    one, names = features(records(50, 1), SCHEMA, ("ward",))
    two, again = features(records(50, 2), SCHEMA, ("ward",))
    assert names == again == ("age", "age missing", "stage = II", "stage = III", "stage = IV", "dose")
    assert one.shape == two.shape == (50, 6)
    assert 0 <= one.min() <= one.max() <= 1


# ------------------------------------------------------------------------------------------------------------ survival


def test_survival_on_good_rows_is_like_that_of_the_holdout_and_on_shuffled_ones_is_not() -> None:
    good = Sample.draw(patients(800, 1), patients(500, 2), patients(800, 3), 7)
    concordance, overlaps, distance, ratio = survival(good, FOLLOWED, FOLLOWING)
    assert concordance.synthetic.high > concordance.real.low > 0.6
    assert concordance.shuffled.high < concordance.real.low
    assert overlaps.synthetic.value > 0.5 > overlaps.shuffled.value
    assert distance.synthetic.value < 0.05 < distance.shuffled.value
    assert ratio.synthetic.low < 1 < ratio.synthetic.high
    for found in (concordance, overlaps, distance, ratio):
        for each in (found.synthetic, found.real, found.shuffled):
            assert each.low <= each.value <= each.high and each.low < each.high


def test_a_weaker_effect_shows_in_the_overlap_of_the_intervals() -> None:
    weak = Sample.draw(patients(800, 1), patients(400, 2), patients(800, 3, 0.2), 7)
    assert (
        named(survival(weak, FOLLOWED, FOLLOWING))["days until status: overlap of Cox intervals"].synthetic.value < 0.5
    )


def test_the_interval_of_an_overlap_is_as_wide_as_models_of_records_drawn_again_make_it() -> None:
    def fitted(table: pd.DataFrame) -> CoxPHFitter:
        return CoxPHFitter(penalizer=0.01).fit(table, "days", "status")

    def ends(model: CoxPHFitter) -> pd.DataFrame:
        return pd.DataFrame(model.confidence_intervals_.to_numpy(), model.params_.index, ["low", "high"])

    table = patients(400, 2)
    real, other = fitted(patients(400, 1)), fitted(table)
    again = [
        overlap(ends(real), ends(fitted(table.sample(400, replace=True, random_state=seed)))) for seed in range(60)
    ]
    found = overlap_of(real, other, np.random.default_rng(1))
    assert (
        found == overlap_of(real, other, np.random.default_rng(1)) != overlap_of(real, other, np.random.default_rng(2))
    )
    assert found.value == pytest.approx(overlap(ends(real), ends(other)))
    low, high = np.quantile(again, (0.025, 0.975))
    assert found.high - found.low == pytest.approx(high - low, rel=0.4)


def test_the_log_rank_is_that_of_lifelines_and_its_interval_leaves_out_one_where_that_rejects() -> None:
    for seed, effect in enumerate((1.0, 1.05, 1.15, 1.2, 1.3, 2.0)):
        random = np.random.default_rng(seed)
        first = np.arange(600) < 250
        time = np.ceil(random.exponential(np.where(first, 20 / effect, 20)))
        event = random.random(600) < 0.7
        found = hazard_ratio(time, event, first)
        theirs = logrank_test(time[first], time[~first], event[first], event[~first])
        deviation = (math.log(found.high) - math.log(found.low)) / 2 / 1.96
        assert (math.log(found.value) / deviation) ** 2 == pytest.approx(theirs.test_statistic, rel=1e-9)
        assert (found.low > 1 or found.high < 1) is bool(theirs.p_value < 0.05)
        assert found.low < effect < found.high


def test_curves_that_are_never_at_risk_together_tell_nothing_of_their_hazards() -> None:
    early = np.array([True, True, False, False])
    apart = hazard_ratio(np.array([1.0, 2.0, 5.0, 6.0]), ~early, early)
    assert apart.low == pytest.approx(0.001) and apart.high == pytest.approx(1000)


def test_a_curve_with_too_few_events_is_left_out() -> None:
    rare = patients(300, 1).assign(status=np.int32(0))
    assert survival(Sample.draw(rare, rare, rare, 7), FOLLOWED, FOLLOWING) == ()


def test_intervals_overlap_from_not_at_all_to_wholly() -> None:
    real = pd.DataFrame({"low": [0.0, 0.0], "high": [1.0, 2.0]}, index=["a", "b"])
    assert overlap(real, real) == 1
    assert overlap(real, real + 5) == 0
    assert overlap(real, real.add(0.5)) == pytest.approx((0.5 + 0.75) / 2)


# ------------------------------------------------------------------------------------------------------------ fidelity


def test_good_rows_lie_where_records_do_and_cover_them_as_the_holdout_does() -> None:
    found = named(fidelity(GOOD, SCHEMA))
    assert found.keys() == {"precision", "recall", "density", "coverage", "missing patterns"}
    for name in ("precision", "recall", "coverage"):
        assert found[name].synthetic.high > found[name].real.low
    assert found["coverage"].shuffled.high < found["coverage"].synthetic.low
    assert found["missing patterns"].synthetic.value < 0.05


def test_one_row_repeated_is_precise_and_covers_nothing() -> None:
    found = named(fidelity(drawn(records(1_000, 1).iloc[[0] * 500]), SCHEMA))
    assert found["precision"].synthetic.value == 1
    assert found["coverage"].synthetic.high < 0.2


def test_precision_recall_density_and_coverage_are_those_of_pymdma() -> None:
    from pymdma.general.measures.prdc import Coverage, Density, ImprovedPrecision, ImprovedRecall

    random = np.random.default_rng(1)
    real, other = random.normal(0, 1, (300, 4)), random.normal(0.4, 1.2, (300, 4))

    def between(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.linalg.norm(left[:, None] - right[None], axis=2)

    ours = {
        name: values.mean()
        for name, values in manifold(between(real, real), between(other, other), between(real, other)).items()
    }
    peers = {"precision": ImprovedPrecision, "recall": ImprovedRecall, "density": Density, "coverage": Coverage}
    for name, peer in peers.items():
        value, _ = peer(k=5, n_workers=1).compute(real, other).value
        assert ours[name] == pytest.approx(value, abs=1e-9), name


def test_distances_of_marginals_and_missing_values_are_those_of_sdmetrics() -> None:
    from sdmetrics.column_pairs import ContingencySimilarity
    from sdmetrics.single_column import MissingValueSimilarity, TVComplement

    schema = Schema((Category("stage", tuple("abcd"), False), Category("ward", tuple("abcdefghijkl"), True)), None, 1)
    real, other = records(900, 1)[["stage", "ward"]], shuffled(records(700, 2), 3)[["stage", "ward"]]
    bins = Bins.of(other, schema)
    ours = {m.name: float(m.distance(bins.cut(real), bins.cut(other))) for m in measures(schema, Workload(), b"")}
    words = [table.where(table >= 0, np.nan).astype(object) for table in (real, other)]
    single = [1 - TVComplement.compute(words[0][name].astype(str), words[1][name].astype(str)) for name in real]
    assert ours["l1_1way"] / 2 == pytest.approx(np.mean(single), abs=1e-9)
    pair = 1 - ContingencySimilarity.compute(words[0].astype(str), words[1].astype(str))
    assert ours["l1_2way"] / 2 == pytest.approx(pair, abs=1e-9)
    missing = 1 - MissingValueSimilarity.compute(words[0]["ward"], words[1]["ward"])
    assert ours["missingness"] == pytest.approx(missing, abs=1e-9)


def test_copies_are_those_of_sdmetrics() -> None:
    from sdmetrics.single_table import NewRowSynthesis

    training = records(400, 1)[["stage", "dose"]]
    made = pd.concat([training.iloc[:90], records(310, 3)[["stage", "dose"]]]).reset_index(drop=True)
    metadata = {"columns": {"stage": {"sdtype": "categorical"}, "dose": {"sdtype": "categorical"}}}
    theirs = NewRowSynthesis.compute(training, made, metadata)
    assert copies(training, records(200, 2)[["stage", "dose"]], made).synthetic.value == pytest.approx(1 - theirs)


def test_patterns_of_missing_values_are_compared_jointly() -> None:
    one = pd.DataFrame({"a": [-1, 0, -1, 0], "b": [-1, 0, -1, 0]})
    two = pd.DataFrame({"a": [-1, 0, -1, 0], "b": [0, -1, 0, -1]})
    assert pattern_distance(one, one) == 0
    assert pattern_distance(one, two) == 1


def test_rows_that_break_a_constraint_are_counted() -> None:
    columns = tuple(Number(name, Decimal(0), Decimal(9), Decimal(1), False) for name in ("first", "last"))
    schema = Schema(columns, None, 1, (Order("first", "last"),))
    assert violations(pd.DataFrame({"first": [1, 5, 9], "last": [2, 4, 9]}, dtype=np.int32), schema) == 1


# ---------------------------------------------------------------------------------------------------------- disclosure


def test_a_copy_of_the_records_is_caught_by_every_attack_and_fresh_rows_by_none() -> None:
    copied = {each.name: each for each in disclosure(drawn(records(1_000, 1)), SCHEMA)}
    fresh = {each.name: each for each in disclosure(GOOD, SCHEMA)}
    assert copied.keys() == fresh.keys() == {"singling out", "linkability", "inference of stage", "inference of ward"}
    for name in copied:
        assert copied[name].members.low > copied[name].others.high, name
        assert fresh[name].members.low <= fresh[name].others.high, name
        assert fresh[name].others.low <= fresh[name].members.high, name


def test_too_few_records_are_not_attacked() -> None:
    few = Sample.draw(records(500, 1), records(39, 2), records(500, 3), 7)
    assert disclosure(few, SCHEMA) == ()


# ------------------------------------------------------------------------------------------------------------- review


NARROW, WIDER = (
    Schema(columns, "patient", 2)
    for columns in ((SCHEMA.columns[1], SCHEMA.columns[3]), (SCHEMA.columns[0], *SCHEMA.columns[1::2]))
)


def reviewed(
    synthetic: pd.DataFrame, subgroups: str | None = "stage", seed: int = 7, schema: Schema = NARROW
) -> Evaluation:
    tables = (arrow(table[list(schema.names)]) for table in (records(900, 1), records(600, 2), synthetic))
    return review(*tables, schema, specification(None, 1_000, subgroups), seed)


def test_a_review_is_the_same_for_the_same_seed_and_prints_no_value() -> None:
    found = reviewed(records(600, 3), None)
    assert found == reviewed(records(600, 3), None)
    assert found.utility[0].synthetic != reviewed(records(600, 3), None, 8).utility[0].synthetic
    for part in (found, found.utility[0], found.attacks[0], found.fidelity):
        assert "provider only" in repr(part)
        assert not any(letter.isdigit() for letter in repr(part))
    assert b'"audience":"provider only"' in found.encode()


def test_a_subgroup_that_is_worse_than_the_others_shows() -> None:
    synthetic = records(900, 3)
    synthetic.loc[synthetic["stage"] == 1, "dose"] = 500
    groups = reviewed(synthetic).subgroups
    assert [group.code for group in groups] == [0, 1, 2, 3]
    distances = [group.compared[0] for group in groups]
    assert max(range(4), key=lambda code: distances[code].synthetic.value) == 1
    assert distances[1].synthetic.low > 2 * distances[1].real.high
    for one in distances:
        assert one.name == "distance"
        assert one.synthetic.low <= one.synthetic.value <= one.synthetic.high
        assert one.real.low < one.real.high
    assert distances[0].real.high < distances[0].shuffled.low
    assert [group.rows for group in groups] == records(900, 1)["stage"].value_counts().sort_index().tolist()


def test_a_subgroup_whose_records_were_copied_is_told_apart_and_the_others_are_not() -> None:
    training, synthetic = records(900, 1), records(900, 3)
    copied = training["stage"] == 2
    found = reviewed(pd.concat([synthetic[synthetic["stage"] != 2], training[copied]]), schema=WIDER)
    for group in found.subgroups:
        mine = group.code == 2
        assert (group.attack.auc.low > 0.6) is mine
        assert (group.copies.training.low > group.copies.holdout.high) is mine
        assert [attack.name for attack in group.attacks] == ["singling out", "linkability"]
        assert group.copies.training.value == 1 or not mine
    page = review_page(SUBJECT, WIDER, "stage", Review(found))
    told = [line for line in page.decode().splitlines() if "tells training records apart" in line]
    assert len([line for line in told if "stage = III:" in line]) >= 2
    assert not [line for line in told if "stage = IV:" in line]


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(Invalid, match="40 training records, holdout records and synthetic rows"):
        reviewed(records(39, 3))
