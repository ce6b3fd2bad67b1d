import io
from dataclasses import replace

from PIL import Image

from marketplace.protocol.specification import Curve, Workload
from node.evaluation.curve_picture import draw_curves
from node.evaluation.released import evaluate
from node.evaluation.words import order_words, score_words
from tests.evaluation.tables import SCHEMA, arrow, never, noise, records, silent, specification

CURVES = Workload((), (Curve("dose", "stage", None, "III"), Curve("age", "stage", "ward")))
WISHES = specification(CURVES, 1_000, "stage")


def test_a_panel_for_each_curve_and_group_that_can_be_read_and_the_same_bytes_again() -> None:
    synthetic = arrow(records(3_000, 2))
    released = evaluate(arrow(records(3_000, 1)), synthetic, SCHEMA, WISHES, 3_000, 50_000, noise(), silent, never)
    drawn = draw_curves(synthetic, SCHEMA, WISHES, released.curves, 3_000)
    assert drawn is not None
    assert drawn == draw_curves(synthetic, SCHEMA, WISHES, released.curves, 3_000)
    assert Image.open(io.BytesIO(drawn)).width == 1430
    other = replace(released.curves[0], counts=tuple(count + 40 for count in released.curves[0].counts))
    assert drawn != draw_curves(synthetic, SCHEMA, WISHES, (other, released.curves[1]), 3_000)


def test_curves_that_noise_hides_are_not_drawn() -> None:
    synthetic = arrow(records(50, 2))
    released = evaluate(arrow(records(50, 1)), synthetic, SCHEMA, WISHES, 50, 40, noise(), silent, never)
    assert draw_curves(synthetic, SCHEMA, WISHES, released.curves, 50) is None
    assert draw_curves(synthetic, SCHEMA, specification(), (), 50) is None


def test_scores_of_an_order_have_words_of_their_own() -> None:
    found = order_words(SCHEMA, WISHES)
    assert score_words("curve_0", found)[0] == "dose until stage = III"
    assert score_words("curve_1", found)[0] == "age until stage, by ward"
    assert score_words("subgroup_2", found)[0] == "stage = III"
    assert score_words("l1_3way_1000_of_161700", found)[1].endswith(
        "(1000 of 161700 sets, chosen by the specification's hash)"
    )
    assert score_words("l1_2way", found)[0] == "Pairs of columns"
