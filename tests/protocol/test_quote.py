"""A request for a quote, and the answer."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol.identity import Address
from marketplace.protocol.quote import (
    Expectation,
    ExpectedScore,
    Quote,
    QuoteRequest,
    Refusal,
    SignedQuoteRequest,
    decimal_of,
)
from marketplace.protocol.states import DeclineReason
from tests.protocol.examples import SPECIFICATION

REQUEST = QuoteRequest(Address("0x" + "12" * 20), SPECIFICATION, 1_000)
SCORE = ExpectedScore("l1_3way", "0.2000", ("0.1500", "0.2500"), ("0.1000", "0.3000"), "0.4000", "0.0500")
ALONE = replace(SCORE, name="l1_1way", floor=None)
EXPECTATION = Expectation("private-marginals/2", 20, 400, (ALONE, SCORE), "l1_3way", False, None, False, 3)
QUOTE = Quote(b"s" * 32, 250_000_000, 28_936, 6 * 10**12, "1.0000", None, EXPECTATION)
NO = replace(QUOTE, refusal=Refusal(DeclineReason.RULES, "not here"), expectation=None, epsilon=None, unknown="no runs")


def spelled(document: dict[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(st.integers(0, 2**53 - 1), st.binary(max_size=2_048))
def test_a_request_survives_being_sent(until_s: int, signature: bytes) -> None:
    request = replace(REQUEST, until_s=until_s)
    assert SignedQuoteRequest.decode(request.encode(signature)) == SignedQuoteRequest(request, signature)


@pytest.mark.parametrize("part", ["buyer", "specification", "until_s", "signature"])
@pytest.mark.parametrize("value", [None, True, -5, 1.5, "xy", [], {}, "AA" * 32, "{}"])
def test_a_part_of_another_kind_makes_a_request_invalid(part: str, value: object) -> None:
    document = json.loads(REQUEST.encode(b"s" * 65))
    with pytest.raises(Invalid):
        SignedQuoteRequest.decode(spelled(document | {part: value}))
    del document[part]
    with pytest.raises(Invalid):
        SignedQuoteRequest.decode(spelled(document))


def test_a_request_with_more_parts_or_a_long_signature_or_of_another_format_is_invalid() -> None:
    document = json.loads(REQUEST.encode(b"s"))
    for changes in ({"more": 1}, {"format": "agora/quote-request/2"}, {"signature": "00" * 2_049}):
        with pytest.raises(Invalid):
            SignedQuoteRequest.decode(spelled(document | changes))


@pytest.mark.parametrize("quote", [QUOTE, NO, replace(QUOTE, expectation=replace(EXPECTATION, rows_needed=900))])
def test_an_answer_survives_being_sent(quote: Quote) -> None:
    assert Quote.decode(quote.encode()) == quote


@pytest.mark.parametrize(
    "part", ["specification", "price_units", "rho_micro", "epsilon", "refusal", "expectation", "unknown"]
)
@pytest.mark.parametrize("value", [True, 1.5, "x", [1], {"code": "rules"}, -1])
def test_a_part_of_another_kind_makes_an_answer_corrupt(part: str, value: object) -> None:
    document = json.loads(QUOTE.encode())
    with pytest.raises(Corrupt):
        Quote.decode(spelled(document | {part: value}))


def test_an_answer_either_expects_something_or_says_why_not() -> None:
    for wrong in (replace(QUOTE, unknown="no runs"), replace(NO, unknown=None)):
        with pytest.raises(Corrupt):
            Quote.decode(wrong.encode())


@pytest.mark.parametrize(
    ("part", "value"),
    [("scores", [1]), ("scores", [{}]), ("seconds", "3"), ("below_floor", 0), ("rows_needed", "many"), ("decisive", 1)],
)
def test_an_expectation_of_other_parts_is_corrupt(part: str, value: object) -> None:
    document = json.loads(QUOTE.encode())
    with pytest.raises(Corrupt):
        Quote.decode(spelled(document | {"expectation": document["expectation"] | {part: value}}))


def test_a_score_is_no_number_beyond_its_digits() -> None:
    document = json.loads(QUOTE.encode())
    for value in ("0.1", "1e3", "-0.1000", "NaN"):
        document["expectation"]["scores"][1]["value"] = value
        with pytest.raises(Corrupt):
            Quote.decode(spelled(document))
    assert decimal_of(1.23456) == "1.2346"
