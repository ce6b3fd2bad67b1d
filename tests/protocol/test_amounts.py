import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Invalid
from marketplace.protocol.amounts import euro_text, euro_units


@pytest.mark.parametrize(
    ("units", "text"),
    [
        (1_234_500_000, "EUR 1,234.50 (test)"),
        (0, "EUR 0.00 (test)"),
        (1, "EUR 0.000001 (test)"),
        (10_000, "EUR 0.01 (test)"),
        (-2_500_000, "EUR -2.50 (test)"),
        (10**30 + 1, "EUR 1,000,000,000,000,000,000,000,000.000001 (test)"),
    ],
)
def test_an_amount_in_words(units: int, text: str) -> None:
    assert euro_text(units) == text


@given(st.integers(0, 2**127 - 1))
def test_an_amount_survives_being_written_and_read(units: int) -> None:
    assert euro_units(euro_text(units).removeprefix("EUR ").removesuffix(" (test)")) == units


@pytest.mark.parametrize(
    ("text", "units"),
    [("1234.50", 1_234_500_000), (" 1,234.5 ", 1_234_500_000), ("0", 0), ("0.000001", 1), ("007", 7_000_000)],
)
def test_an_amount_is_read(text: str, units: int) -> None:
    assert euro_units(text) == units


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-1",
        "1.0000001",
        "1e999999",
        "1e3",
        "NaN",
        "sNaN",
        "Infinity",
        "1_000",
        "1.",
        ".",
        "٣",
        "1 000",
        "9" * 40,
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="expected an amount of 0 or more"):
        euro_units(text)


def test_an_amount_beyond_what_a_token_counts_is_refused() -> None:
    with pytest.raises(Invalid, match="an amount that a token can count"):
        euro_units("9" * 33)
