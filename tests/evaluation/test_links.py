"""Scores of how rows hang together: what they are of a copy, of a shuffle, and of persons drawn again."""

import json
import math

import numpy as np

from node.evaluation.links import NAMES, encode_links, evaluate_links, link_scores, resampled, shuffled
from node.nesting import flat_tables, rows_of, strands_of
from tests.synthesis.linked import nested, some_persons
from tests.vault.linked import CLINIC, LIVER

LIVERS, CLINICS = nested(LIVER, some_persons(LIVER, 300)), nested(CLINIC, some_persons(CLINIC, 300))


def test_a_copy_is_at_no_distance() -> None:
    for table, schema in ((LIVERS, LIVER), (CLINICS, CLINIC)):
        for scores in link_scores(table, table, schema):
            assert [getattr(scores, name) for name in NAMES] == [0.0] * len(NAMES)


def test_a_shuffle_keeps_columns_numbers_of_rows_and_order_in_time_and_breaks_what_follows() -> None:
    other = shuffled(CLINICS, CLINIC, np.random.default_rng(1))
    (mine,), (theirs,) = (flat_tables(table, CLINIC) for table in (CLINICS, other))
    for name in ("day", "bilirubin", "edema"):
        assert sorted(mine.column(name).fill_null(-1).to_pylist()) == sorted(
            theirs.column(name).fill_null(-1).to_pylist()
        )
    (strand,) = strands_of(CLINIC)
    rows = rows_of(other, strand)
    same = np.diff(np.repeat(np.arange(len(rows.counts)), rows.counts)) == 0
    assert (np.diff(rows.codes[:, 0])[same] >= 0).all()
    (scores,) = link_scores(CLINICS, other, CLINIC)
    assert scores.cardinality == 0 and scores.correlation > 0.3 and scores.following > 0.2


def test_persons_drawn_again_are_near() -> None:
    (scores,) = link_scores(LIVERS, resampled(LIVERS, np.random.default_rng(1)), LIVER)
    assert scores.correlation < 0.05 and scores.cardinality < 0.1


def test_where_nothing_follows_there_is_nothing_to_compare() -> None:
    alone = nested(LIVER, [((0, 1), (((5, 0, 3),),))] * 5)
    (scores,) = link_scores(alone, alone, LIVER)
    assert math.isnan(scores.gap) and scores.cardinality == 0


def test_without_records_there_are_no_scores() -> None:
    assert evaluate_links(nested(LIVER, []), LIVERS, LIVER, 7) == ()


def test_the_scores_are_for_the_provider_alone_and_stand_between_floor_and_ceiling() -> None:
    (found,) = evaluate_links(LIVERS, resampled(LIVERS, np.random.default_rng(2)), LIVER, 7)
    assert "0." not in repr(found) and "provider only" in repr(found)
    place = NAMES.index("following")
    assert found.ceiling[place].high < found.floor[place].low
    kept = json.loads(encode_links([found], 7))
    assert kept["audience"] == "provider only" and kept["strands"][0]["table"] == "labs"
    assert set(kept["strands"][0]) == {"table", *NAMES}
    assert encode_links(evaluate_links(LIVERS, LIVERS, LIVER, 7), 7) == encode_links(
        evaluate_links(LIVERS, LIVERS, LIVER, 7), 7
    )
