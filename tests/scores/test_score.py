from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.scores.score import Score, quote, quote_up

SCORE = Score("l1_3way", "0.120000", "0.010000", "0.343000", "0.064000")


def test_a_quote_has_six_decimals_and_halves_go_to_even() -> None:
    assert quote(Fraction(1, 3)) == "0.333333"
    assert quote(Fraction(1, 2_000_000)) == "0.000000"
    assert quote(Fraction(3, 2_000_000)) == "0.000002"
    assert quote(Fraction(2)) == "2.000000"
    assert quote_up(Fraction(1, 10**9)) == "0.000001"


@given(st.fractions(0, 2))
def test_a_quote_is_within_half_a_millionth(value: Fraction) -> None:
    assert abs(Fraction(quote(value)) - value) <= Fraction(1, 2_000_000)
    assert 0 <= Fraction(quote_up(value)) - value < Fraction(1, 1_000_000)


def test_a_score_is_read_back_from_its_document() -> None:
    assert Score.of_document(SCORE.document()) == SCORE
    assert canonical.encode({"format": "agora/test/1", "score": SCORE.document()})


def test_an_interval_stays_within_what_a_score_can_be() -> None:
    assert SCORE.interval == ("0.097585", "0.142415")
    assert Score("l1_1way", "1.990000", "0.100000", "0.000000", "0.000000").interval[1] == "2.000000"
    assert Score("missingness", "0.010000", "2.000000", "0.000000", "0.000000").interval == ("0.000000", "1.000000")


@pytest.mark.parametrize("value", ["0.12", "-0.120000", "0.1200000", "nan", "", "1e-3", "٠.120000"])
def test_a_value_that_is_no_quote_is_invalid(value: str) -> None:
    with pytest.raises(Invalid):
        Score("l1_3way", value, "0.010000", "0.343000", "0.064000")


@pytest.mark.parametrize("name", ["", "L1", "a b", "<b>", "x" * 61])
def test_a_name_of_other_characters_is_invalid(name: str) -> None:
    with pytest.raises(Invalid):
        Score(name, "0.120000", "0.010000", "0.343000", "0.064000")


@pytest.mark.parametrize(
    "change", [{"value": "2"}, {"value": 2}, {"more": "0.000000"}, {"sigma": None}], ids=lambda change: str(change)
)
def test_a_document_with_other_parts_is_corrupt(change: dict[str, object]) -> None:
    with pytest.raises(Corrupt):
        Score.of_document(SCORE.document() | change)


def test_a_document_with_a_part_missing_is_corrupt() -> None:
    with pytest.raises(Corrupt):
        Score.of_document({"name": "l1_3way"})
