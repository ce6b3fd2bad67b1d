"""`agora quote`: asked over HTTPS of a node that has a ledger and a store, and no records at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.buying.purchase import Wishes
from marketplace.buying.quote import ask_quote
from marketplace.errors import Corrupt
from marketplace.protocol.offer import Offer
from marketplace.protocol.quote import VERB, Quote
from node.admission import Rules
from node.endpoint.exchange import Verb
from node.endpoint.quote import Quotes
from tests.buying.answering import answering_for
from tests.buying.provider import PRICE_UNITS
from tests.certificate.examples import RHO_MICRO
from tests.commands.market import PURSE_UNITS, Buyer
from tests.protocol.examples import DESCRIPTION


@contextmanager
def quoting(buyer: Buyer, folder: Path, change: Verb = bytes) -> Iterator[None]:
    """A node of the market's provider that answers quotes, but for `change`."""
    market, notes = buyer.market, list[str]()
    account = buyer.client().account()
    own, chain, store = market.provider.signer.address, market.ledger, market.store
    quotes = Quotes(own, lambda: account, chain, store, Rules(), lambda _: False, lambda: 0.0, notes.append)
    with answering_for(folder / "node", market.provider, lambda body: change(quotes.answer(body)), VERB):
        yield
    assert notes == []


@contextmanager
def few_records(buyer: Buyer) -> Iterator[Offer]:
    """An offer on a dataset of few records."""
    provider = replace(buyer.market.provider, description=replace(DESCRIPTION, rows_declared=120))
    offer = provider.offer(staked_units=0)
    try:
        yield offer
    finally:
        provider.ledger.retire(provider.signer, offer)


def test_a_quote_tells_a_person_what_to_expect_and_moves_no_money(buyer: Buyer, tmp_path: Path) -> None:
    wishes = ("--rows", "500", "--workload", "sex,age", "--only", "age<10")
    with quoting(buyer, tmp_path):
        ran = buyer.agora("quote", buyer.market.offer.id.hex(), *wishes)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == f"{DESCRIPTION.title}: 500 synthetic rows by private-marginals"
    assert "  only where  age is at most 9.5" in lines
    assert "  price       EUR 250.00 (test)" in lines
    assert "  let in      yes" in lines
    assert any(line.startswith("  guarantee   epsilon 1.") and f"rho {RHO_MICRO:,} micro" in line for line in lines)
    scores = {line.split()[0]: line.split()[1:] for line in lines if line.startswith(("l1_", "workload", "missing"))}
    assert list(scores) == ["l1_1way", "l1_2way", "l1_3way", "missingness", "workload"]
    assert scores["l1_2way"][0] == "(pairs)"
    value, low, _, high = scores["workload"][:4]
    assert float(low) < float(value) < float(high)
    assert "No record was opened" in ran.err
    assert "By workload, the rows are expected to be better than a shuffle" in ran.err
    assert "How many records meet the conditions is taken from the schema alone" in ran.err
    assert buyer.purse_units() == PURSE_UNITS


def test_a_quote_as_json_from_a_process_of_its_own(buyer: Buyer, tmp_path: Path) -> None:
    with quoting(buyer, tmp_path):
        shown = buyer.run("quote", buyer.market.offer.id.hex(), "--json").json()
    assert (shown["price_units"], shown["rho_micro"], shown["delta"]) == (PRICE_UNITS, RHO_MICRO, 6e-6)
    assert 1 < shown["epsilon"] < 2
    assert shown["refusal"] is None
    assert shown["rows"] == DESCRIPTION.rows_declared
    assert [score["name"] for score in shown["expectation"]["scores"]][-1] == "missingness"


def test_too_few_records_are_told_with_how_many_would_do(buyer: Buyer, tmp_path: Path) -> None:
    with few_records(buyer) as offer, quoting(buyer, tmp_path):
        ran = buyer.agora("quote", offer.id.hex())
    assert ran.code == 0
    assert "  let in      no: synthetic rows are expected to be worse than a shuffle of the columns" in ran.out
    assert "the rows are expected to be worse than a shuffle" in ran.err
    assert "records like these in all, as in a pool, they would be better" in ran.err


def test_of_a_curve_that_noise_would_hide_nothing_is_foretold(buyer: Buyer, tmp_path: Path) -> None:
    with few_records(buyer) as offer, quoting(buyer, tmp_path):
        ran = buyer.agora("quote", offer.id.hex(), "--curve", "age,sex")
    (line,) = [line for line in ran.out.splitlines() if line.startswith("curve_0")]
    assert line.split()[1:] == ["1.000", *("0.000", "-", "1.000") * 2, line.split()[-1]]
    assert "Nothing is foretold of curve_0: noise would hide it" in ran.err
    assert "meet the conditions" not in ran.err


def test_of_a_generator_without_a_fit_the_terms_are_told(buyer: Buyer, tmp_path: Path) -> None:
    with quoting(buyer, tmp_path):
        ran = buyer.agora("quote", buyer.market.offer.id.hex(), "--generator", "unheard-of")
    assert (
        "  expected    nothing is foretold: no runs of unheard-of on public tables are on record"
        in ran.out.splitlines()
    )
    assert "  let in      no: this node serves other generators: private-marginals" in ran.out.splitlines()


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (("--rows", "0"), "1 to 10000000 rows"),
        (("--workload", "sex,blood"), "one of the columns"),
        (("--only", "blood=0"), "'blood=0', the columns are"),
        (("--curve", "age"), "a curve as TIME,EVENT"),
    ],
)
def test_what_the_schema_rules_out_is_invalid_before_anybody_is_asked(
    buyer: Buyer, wishes: tuple[str, ...], words: str
) -> None:
    ran = buyer.agora("quote", buyer.market.offer.id.hex(), *wishes)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.error()


def test_a_provider_that_describes_no_node_cannot_be_asked(buyer: Buyer) -> None:
    ran = buyer.agora("quote", buyer.market.offer.id.hex())
    assert (ran.code, "describes its node on the ledger" in ran.error()) == (3, True)


@pytest.mark.parametrize("change", [{"price_units": 1}, {"specification": b"s" * 32}, {"delta_atto": 1}])
def test_a_quote_of_another_order_or_price_is_corrupt(buyer: Buyer, tmp_path: Path, change: dict[str, object]) -> None:
    def other(answer: bytes) -> bytes:
        return replace(Quote.decode(answer), **change).encode()  # type: ignore[arg-type]

    with quoting(buyer, tmp_path, other), pytest.raises(Corrupt, match="a quote of this order under the terms"):
        ask_quote(buyer.client(), buyer.market.offer.id, Wishes())
