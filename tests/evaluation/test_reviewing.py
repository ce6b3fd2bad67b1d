"""What a reviewer asks of a synthetic table: a good one passes, a shuffled one fails, a copy is caught, peers agree."""

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from marketplace.errors import Invalid
from marketplace.protocol.constraints import Order
from marketplace.protocol.schema import Category, Number, Schema
from marketplace.protocol.specification import Curve, Workload
from marketplace.scores.cells import Bins
from marketplace.scores.measure import measures
from node.evaluation.disclosure import disclosure
from node.evaluation.features import features
from node.evaluation.fidelity import fidelity, manifold, pattern_distance, violations
from node.evaluation.provider import Compared, Evaluation
from node.evaluation.reviewing import review
from node.evaluation.sample import Sample
from node.evaluation.survival import overlap, survival
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
    concordance, overlaps, distance, logrank = survival(good, FOLLOWED, FOLLOWING)
    assert concordance.synthetic.high > concordance.real.low > 0.6
    assert concordance.shuffled.high < concordance.real.low
    assert overlaps.synthetic.value > 0.5 > overlaps.shuffled.value
    assert distance.synthetic.value < 0.05 < distance.shuffled.value
    assert logrank.synthetic.value < 6.7


def test_a_weaker_effect_shows_in_the_overlap_of_the_intervals() -> None:
    weak = Sample.draw(patients(1_500, 1), patients(800, 2), patients(1_500, 3, 0.2), 7)
    assert (
        named(survival(weak, FOLLOWED, FOLLOWING))["days until status: overlap of Cox intervals"].synthetic.value < 0.5
    )


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


NARROW = Schema((SCHEMA.columns[1], SCHEMA.columns[3]), "patient", 2)


def reviewed(synthetic: pd.DataFrame, subgroups: str | None = "stage", seed: int = 7) -> Evaluation:
    tables = (arrow(table[["stage", "dose"]]) for table in (records(900, 1), records(600, 2), synthetic))
    return review(*tables, NARROW, specification(None, 1_000, subgroups), seed)


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
    assert max(groups, key=lambda group: group.distance).code == 1
    assert groups[1].distance > 2 * groups[1].real
    assert [group.rows for group in groups] == records(900, 1)["stage"].value_counts().sort_index().tolist()


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(Invalid, match="40 training records, holdout records and synthetic rows"):
        reviewed(records(39, 3))
