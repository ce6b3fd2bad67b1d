"""`agora contest`, `examine` and `rule`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from marketplace.commands.display import time_text
from marketplace.protocol import result
from marketplace.protocol.identity import OrderId
from tests.buying.provider import BOND_UNITS, EURO, HOUR_S, PRICE_UNITS
from tests.commands.market import PURSE_UNITS, Buyer

DEPOSIT_UNITS = 10 * EURO
BECAUSE = "All ages are \x1b[31m one"
SAID = "All ages are one.\nSee the report."


@dataclass(frozen=True)
class Case:
    """A buyer and an arbiter with a wallet each, under an offer that names the arbiter."""

    buyer: Buyer
    arbiter: Buyer
    evidence: Path

    def contested(self) -> OrderId:
        """An order that its buyer contested, with evidence."""
        order = self.buyer.reveal()
        ran = self.buyer.agora("contest", order.hex(), "--because", SAID, "--evidence", str(self.evidence))
        assert ran.code == 0, ran.err
        return order


@pytest.fixture
def case(buyer: Buyer, tmp_path: Path) -> Iterator[Case]:
    arbiter = buyer.market.buyer(tmp_path / "arbiter")
    (arbiter.home / "keys" / "sealing-seed.json").unlink()
    terms = {"arbiter": arbiter.signer.address, "rule_window_s": 2 * HOUR_S, "contest_deposit_units": DEPOSIT_UNITS}
    provider = buyer.market.provider
    offer = provider.offer(staked_units=0, **terms)
    yield Case(replace(buyer, market=replace(buyer.market, offer=offer)), arbiter, tmp_path / "evidence.json")
    provider.ledger.retire(provider.signer, offer)


def test_a_case_from_the_contest_to_the_ruling(case: Case, tmp_path: Path) -> None:
    order = case.buyer.reveal()
    words = ("contest", order.hex(), "--because", SAID, "--evidence", str(case.evidence), "--json")
    shown = case.buyer.run(*words).json()
    assert (shown["state"], shown["arbiter"]) == ("Contested", case.arbiter.signer.address)
    assert [transaction["step"] for transaction in shown["transactions"]] == ["approve", "contest"]
    assert case.evidence.stat().st_mode & 0o777 == 0o600

    seen = tmp_path / "seen"
    examined = case.arbiter.run(
        "examine", order.hex(), "--evidence", str(case.evidence), "--output", str(seen), "--json"
    )
    assert examined.json()["because"] == SAID
    assert examined.json()["passed"] is True
    assert len(examined.json()["checks"]) == 14
    assert (seen / result.TABLE).exists()
    assert case.arbiter.agora("verify", str(seen)).code == 0

    ruled = case.arbiter.run("rule", order.hex(), "--price", "2500", "--bond", "0", "--json").json()
    assert ruled["state"] == "Settled"
    assert ruled["to_providers_units"] == PRICE_UNITS // 4
    assert ruled["to_buyer_units"] == PRICE_UNITS - PRICE_UNITS // 4 + BOND_UNITS
    assert ruled["to_arbiter_units"] == DEPOSIT_UNITS
    assert [transaction["step"] for transaction in ruled["transactions"]] == ["rule", "withdrawCredit"]
    assert case.arbiter.purse_units() == PURSE_UNITS + DEPOSIT_UNITS

    case.buyer.agora("refund", order.hex())
    assert case.buyer.purse_units() == PURSE_UNITS - PRICE_UNITS // 4 + BOND_UNITS - DEPOSIT_UNITS
    shown = case.buyer.agora("order", order.hex(), "--json").json()
    assert shown["ruling"] == {"price_bps": 2_500, "bond_bps": 0}
    assert (
        "  ruled: 25 % of the price and 0 % of the bond to the providers" in case.buyer.agora("order", order.hex()).out
    )


def test_contest_tells_people_what_comes_next(case: Case) -> None:
    order = case.buyer.reveal()
    ran = case.buyer.agora("contest", order.hex(), "--because", SAID, "--evidence", str(case.evidence))
    view = case.buyer.client().order(order)
    assert [line.split(":")[0] for line in ran.out.splitlines()] == ["approve", "contest"]
    assert f"{case.arbiter.signer.address} may rule until {time_text(view.deadline_s)}" in ran.err
    assert f"Hand {case.evidence} to the arbiter and to nobody else" in ran.err
    assert json.loads(case.evidence.read_bytes())["private_key"] not in ran.out + ran.err
    assert "end of the licence, which is suspended" in case.buyer.agora("order", order.hex()).out


def test_examine_without_evidence_reads_the_grounds(case: Case) -> None:
    order = case.contested()
    ran = case.arbiter.agora("examine", order.hex())
    assert ran.out.splitlines() == ["The buyer says:", "  All ages are one.", "  See the report."]
    assert case.arbiter.agora("examine", order.hex(), "--json").json() == {"order": order.hex(), "because": SAID}


def test_examine_shows_what_does_not_hold(case: Case, tmp_path: Path) -> None:
    provider, order = case.buyer.market.provider, case.buyer.place()
    provider.deliver(order, lambda manifest: provider.resigned(manifest, scores=()))
    case.buyer.client().receive(order)
    case.buyer.client().accept(order)
    provider.reveal(order)
    case.buyer.client().contest(order, SAID, case.evidence)
    ran = case.arbiter.agora(
        "examine", order.hex(), "--evidence", str(case.evidence), "--output", str(tmp_path / "seen")
    )
    assert ran.code == 4
    assert "failed: check 11; rule with that in mind" in ran.error()
    assert f"Result in {tmp_path / 'seen'}" in ran.out


def test_examine_names_a_wrong_chunk(case: Case, tmp_path: Path) -> None:
    provider = case.buyer.market.provider
    provider.cheats_on_chunk = 5
    try:
        order = case.contested()
    finally:
        provider.cheats_on_chunk = None
    ran = case.arbiter.agora(
        "examine", order.hex(), "--evidence", str(case.evidence), "--output", str(tmp_path / "seen")
    )
    assert ran.code == 4
    assert (
        f"chunk 5 does not, so the delivery contradicts itself; the buyer can prove it with `agora complain {order.hex()}`"
        in (ran.error())
    )
    assert not (tmp_path / "seen").exists()


def test_what_the_buyer_wrote_steers_no_terminal(case: Case) -> None:
    order = case.buyer.reveal()
    ran = case.buyer.agora("contest", order.hex(), "--because", BECAUSE)
    assert ran.code == 2
    assert "printable" in ran.error()


def test_examine_takes_both_options_or_none(case: Case, tmp_path: Path) -> None:
    for option in (("--evidence", str(case.evidence)), ("--output", str(tmp_path))):
        ran = case.arbiter.agora("examine", "ab" * 32, *option)
        assert ran.code == 2
        assert "--evidence and --output together" in ran.error()


def test_evidence_that_is_not_there_or_too_large_is_invalid(case: Case, tmp_path: Path) -> None:
    order = case.contested()
    for data in (None, b" " * 5_000):
        file = tmp_path / "other.json"
        if data:
            file.write_bytes(data)
        ran = case.arbiter.agora("examine", order.hex(), "--evidence", str(file), "--output", str(tmp_path / "seen"))
        assert ran.code == 2


@pytest.mark.parametrize(
    "shares", [("--price", "10001", "--bond", "0"), ("--price", "-1", "--bond", "0"), ("--price", "0"), ("--bond", "x")]
)
def test_shares_outside_the_whole_are_a_matter_of_usage(case: Case, shares: tuple[str, ...]) -> None:
    assert case.arbiter.agora("rule", "ab" * 32, *shares).code == 2


def test_the_buyer_does_not_rule(case: Case) -> None:
    order = case.contested()
    ran = case.buyer.agora("rule", order.hex(), "--price", "0", "--bond", "0")
    assert ran.code == 3
    assert case.buyer.client().order(order).state.word == "Contested"


def test_after_silence_settle_gives_the_deposit_back(case: Case) -> None:
    order = case.contested()
    early = case.buyer.agora("settle", order.hex())
    assert early.code == 3
    assert "wait until then" in early.error()
    case.buyer.market.pass_time(2 * HOUR_S + 60)
    shown = case.buyer.agora("settle", order.hex(), "--json").json()
    assert [transaction["step"] for transaction in shown["transactions"]] == ["settle", "withdrawCredit"]
    assert case.buyer.purse_units() == PURSE_UNITS - PRICE_UNITS


@pytest.mark.parametrize("command", ["contest", "examine", "rule"])
def test_ids_that_are_none_are_invalid(case: Case, command: str) -> None:
    options = {"contest": ("--because", "x"), "examine": (), "rule": ("--price", "0", "--bond", "0")}[command]
    for text in ("", "0x" + "g" * 64, "ab" * 32):
        ran = case.buyer.agora(command, text, *options)
        assert ran.code == 2
        assert "expected" in ran.error()
