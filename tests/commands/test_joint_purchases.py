"""`agora offers` and `agora buy --questions` of an offer of joint analyses by three providers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_counts import Count
from marketplace.protocol.analysis_moments import Mean
from marketplace.protocol.offer import Kind, Offer
from tests.buying.provider import PRICE_UNITS
from tests.commands.market import PURSE_UNITS, Buyer
from tests.protocol.examples import DESCRIPTION

QUESTIONS = [{"kind": "count"}, {"kind": "mean", "column": "age"}]
UNSEEN = "expected a JSON list of analyses"


@contextmanager
def pooled(buyer: Buyer, **changes: object) -> Iterator[Offer]:
    """An offer of three providers, retired afterwards."""
    lead = buyer.market.provider
    others = [replace(lead, signer=LocalSigner.random()) for _ in range(2)]
    for each in others:
        buyer.market.fund(each.signer.address)
    offer = lead.pool(*others, **changes)
    try:
        yield offer
    finally:
        lead.ledger.retire(lead.signer, offer, [m.provider for m in offer.members].index(lead.signer.address))


@pytest.fixture
def asked(tmp_path: Path) -> str:
    """A file of two questions."""
    path = tmp_path / "questions.json"
    path.write_text(json.dumps(QUESTIONS))
    return str(path)


def test_an_offer_of_several_providers_says_what_it_sells_and_of_how_many_rows(buyer: Buyer) -> None:
    with pooled(buyer) as joint, pooled(buyer, kind=Kind.SYNTHETIC) as twin:
        lines = buyer.agora("offers").out.splitlines()
        shown = {one["id"]: one for one in buyer.agora("offers", "--json").json()["offers"]}
    assert lines.count(f"{DESCRIPTION.title}, and 2 more") == 2
    assert "  sells      joint analyses, of 3 providers together" in lines
    assert "  sells      synthetic rows, of 3 providers together" in lines
    assert lines.count(f"  made from  3 columns, about {3 * DESCRIPTION.rows_declared:,} rows declared") == 2
    assert "  sells      synthetic rows" in lines
    assert all(len(line) <= 80 for line in lines)
    kinds = {one: (shown[one.hex()]["kind"], shown[one.hex()]["rows_declared"]) for one in (joint.id, twin.id)}
    assert kinds == {joint.id: ("analysis", 45_000), twin.id: ("synthetic", 45_000)}


def test_buying_answers_shows_what_is_asked_of_whom_and_places_an_order(buyer: Buyer, asked: str) -> None:
    with pooled(buyer) as offer:
        ran = buyer.agora("buy", offer.id.hex(), "--questions", asked, "--only", "sex=male", "--yes")
    lines = ran.err.splitlines()
    assert ran.code == 0, ran.err
    assert lines[0] == f"{DESCRIPTION.title}, and 2 more: 2 questions to 3 providers together"
    for line in ("  asked       count", "  asked       mean: column age", "  only where  sex is male"):
        assert line in lines
    assert [line for line in lines if line.startswith("  party ")] == [
        f"  party       {member.provider}" for member in offer.members
    ]
    assert "  threshold   noise that suffices where up to 1 of them may be dishonest" in lines
    order = ran.out.removeprefix("Order ").strip()
    kept = (buyer.home / "orders" / order / "specification.json").read_bytes()
    specification = AnalysisSpecification.decode(kept)
    assert specification.analyses == (Count(), Mean("age"))
    assert buyer.purse_units() == PURSE_UNITS - PRICE_UNITS
    waiting = buyer.agora("fetch", order, "--wait", "0")
    assert (waiting.code, "expected" in waiting.error()) == (3, True)


def test_buying_answers_as_json_and_signing_for_somebody_else(buyer: Buyer, asked: str, tmp_path: Path) -> None:
    with pooled(buyer) as offer:
        given = ("buy", offer.id.hex(), "--questions", asked, "--yes", "--json")
        signed = buyer.agora(*given, "--sign", str(tmp_path / "signed.json")).json()
        relayed = buyer.agora("relay", str(tmp_path / "signed.json"), "--json").json()
        shown = buyer.run(*given).json()
    assert signed["transactions"] == []
    assert relayed["order"] == signed["order"]
    assert [transaction["step"] for transaction in relayed["transactions"]] == ["placeFor"]
    assert [transaction["step"] for transaction in shown["transactions"]] == ["approve", "place"]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", UNSEEN),
        ("[]", UNSEEN),
        ('[{"kind": "guess"}]', "question 1: expected one of the kinds count"),
        ('[{"kind": "count"}, {"kind": "mean"}]', "question 2, mean: expected the parts column, got no column"),
        ('[{"kind": "mean", "column": "blood"}]', "expected one of the columns sex, ward, age"),
        ('[{"kind": "mean", "column": "sex"}]', "expected a number to take the mean of"),
    ],
)
def test_questions_that_cannot_be_asked_are_invalid_and_move_no_money(
    buyer: Buyer, tmp_path: Path, written: str, words: str
) -> None:
    (tmp_path / "bad.json").write_text(written)
    with pooled(buyer) as offer:
        ran = buyer.agora("buy", offer.id.hex(), "--questions", str(tmp_path / "bad.json"), "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.error()
    assert buyer.purse_units() == PURSE_UNITS


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (("--rows", "5"), "wishes for synthetic rows beside it"),
        (("--generator", "neural"), "wishes for synthetic rows beside it"),
        (("--threshold", "2"), "a threshold"),
    ],
)
def test_what_does_not_go_with_questions_is_refused_and_moves_no_money(
    buyer: Buyer, asked: str, wishes: tuple[str, ...], words: str
) -> None:
    with pooled(buyer) as offer:
        ran = buyer.agora("buy", offer.id.hex(), "--questions", asked, *wishes, "--yes")
    assert ran.code in (2, 3)
    assert words in ran.error()
    assert buyer.purse_units() == PURSE_UNITS


def test_each_kind_of_offer_asks_for_its_own_wishes(buyer: Buyer, asked: str) -> None:
    with pooled(buyer) as offer:
        without = buyer.agora("buy", offer.id.hex(), "--yes")
    assert (without.code, "`agora buy --questions` asks them" in without.error()) == (2, True)
    beside = buyer.agora("buy", buyer.market.offer.id.hex(), "--questions", asked, "--yes")
    assert (beside.code, "expected an offer of analyses" in beside.error()) == (2, True)
    lost = buyer.agora("buy", buyer.market.offer.id.hex(), "--questions", "nowhere.json", "--yes")
    assert (lost.code, "found none; check its name" in lost.error()) == (2, True)
