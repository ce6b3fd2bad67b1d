"""`agora permit`, and buying with one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from marketplace.commands.display import time_text
from marketplace.content.store import put_bytes
from marketplace.protocol.permit import Grant
from tests.buying.provider import HOUR_S, PRICE_UNITS
from tests.commands.market import PURSE_UNITS, Buyer

REASONS = ("--reference", "HDAB 2026/17", "--decision", "For a study.\nPublish within 18 months.")
FROM, TO = "2020-01-01", "2029-12-01"
FIRST_S, LAST_S = 1_577_836_800, 1_890_863_999


@dataclass(frozen=True)
class Office:
    """An authority with a wallet, and a buyer before an offer that asks for its permits."""

    authority: Buyer
    buyer: Buyer

    @property
    def dataset(self) -> str:
        """The offer's dataset."""
        return self.buyer.market.offer.members[0].dataset.hex()

    def grant(self, *options: str) -> str:
        """The id of a permit."""
        words = ("permit", "grant", self.buyer.signer.address, "--purpose", "research", "--for", self.dataset)
        given = options or ("--from", FROM, "--to", TO)
        permit = self.authority.agora(*words, *given, *REASONS, "--json").json()["permit"]
        assert isinstance(permit, str)
        return permit


@pytest.fixture
def office(buyer: Buyer, tmp_path: Path) -> Iterator[Office]:
    authority = buyer.market.buyer(tmp_path / "authority")
    (authority.home / "keys" / "sealing-seed.json").unlink()
    provider = buyer.market.provider
    offer = provider.offer(staked_units=0, authority=authority.signer.address, purposes=1 << 4 | 1 << 2)
    yield Office(authority, replace(buyer, market=replace(buyer.market, offer=offer)))
    provider.ledger.retire(provider.signer, offer)


def test_a_permit_from_its_grant_to_its_end(office: Office) -> None:
    words = ("permit", "grant", office.buyer.signer.address, "--purpose", "4", "--for", office.dataset)
    granted = office.authority.run(*words, "--from", FROM, "--to", TO, *REASONS, "--json").json()
    assert [transaction["step"] for transaction in granted["transactions"]] == ["grant"]
    permit = granted["permit"]

    shown = office.buyer.agora("permit", "show", permit, "--json").json()
    assert (shown["id"], shown["state"], shown["purpose"]) == (permit, "live", 4)
    assert (shown["authority"], shown["holder"]) == (office.authority.signer.address, office.buyer.signer.address)
    assert (shown["from_s"], shown["to_s"]) == (FIRST_S, LAST_S)
    assert shown["subjects"] == [office.dataset]
    assert [decision["act"] for decision in shown["decisions"]] == ["grant"]
    assert shown["decisions"][0]["words"] == REASONS[3]

    extended = office.authority.agora("permit", "extend", permit, "--to", "2035-01-01", *REASONS, "--json").json()
    assert [transaction["step"] for transaction in extended["transactions"]] == ["extend"]
    revoked = office.authority.agora("permit", "revoke", permit, *REASONS)
    assert revoked.out.startswith("revoke: transaction 0x")
    shown = office.buyer.agora("permit", "show", permit, "--json").json()
    assert (shown["state"], shown["extended"]) == ("revoked", True)
    assert [decision["act"] for decision in shown["decisions"]] == ["grant", "extend", "revoke"]


def test_a_permit_is_shown_to_people(office: Office) -> None:
    permit = office.grant()
    lines = office.buyer.agora("permit", "show", permit).out.splitlines()
    assert lines[0] == permit
    assert "  state      live" in lines
    assert "  for        research (4)" in lines
    assert f"  to         {time_text(LAST_S)}" in lines
    assert lines[-3:] == ["grant: HDAB 2026/17", "  For a study.", "  Publish within 18 months."]
    assert all(len(line) <= 80 for line in lines)


def test_permits_are_listed_by_holder_and_authority(office: Office) -> None:
    permit = office.grant()
    for option in (("--holder", office.buyer.signer.address), ("--authority", office.authority.signer.address)):
        listed = office.buyer.agora("permit", "list", *option, "--json").json()["permits"]
        assert [one["id"] for one in listed] == [permit]
        assert office.buyer.agora("permit", "list", *option).out.splitlines()[0] == permit
    nobody = office.buyer.agora("permit", "list", "--holder", office.authority.signer.address)
    assert (nobody.code, nobody.out) == (0, "")
    assert "no permits" in nobody.err


def test_buy_finds_the_permit_and_shows_it(office: Office) -> None:
    permit, offer = office.grant(), office.buyer.market.offer.id.hex()
    ran = office.buyer.agora("buy", offer, "--rows", "5", "--yes")
    assert ran.code == 0
    lines = ran.err.splitlines()
    assert f"  permit      of {office.authority.signer.address}" in lines
    assert "  for         statistics (2), research (4)" in lines
    assert f"  with permit {permit}, until {time_text(LAST_S)}" in lines
    order = ran.out.removeprefix("Order ").strip()
    assert office.buyer.agora("order", order, "--json").json()["permit"] == permit


def test_buy_takes_the_permit_that_is_named(office: Office) -> None:
    _, second = office.grant(), office.grant("--from", FROM, "--to", "2029-12-02")
    offer = office.buyer.market.offer.id.hex()
    ran = office.buyer.agora("buy", offer, "--rows", "5", "--yes")
    assert ran.code == 2
    assert "you hold 2 permits that fit" in ran.error()
    shown = office.buyer.agora("buy", offer, "--rows", "5", "--yes", "--permit", second, "--json").json()
    assert office.buyer.agora("order", shown["order"], "--json").json()["permit"] == second


def test_without_a_permit_nothing_is_bought(office: Office) -> None:
    ran = office.buyer.agora("buy", office.buyer.market.offer.id.hex(), "--yes")
    assert ran.code == 3
    assert "you hold none that fits, ask the authority" in ran.error()
    for text in ("12", "0x" + "g" * 64, "ab" * 32):
        assert office.buyer.agora("buy", office.buyer.market.offer.id.hex(), "--yes", "--permit", text).code == 2
    assert office.buyer.purse_units() == PURSE_UNITS


def test_fetch_says_that_the_permit_was_revoked_and_refund_gives_back_what_is_due(office: Office) -> None:
    permit, order = office.grant(), office.buyer.deliver()
    assert office.buyer.agora("fetch", order.hex(), "--wait", "0").code == 3
    assert office.authority.agora("permit", "revoke", permit, *REASONS).code == 0
    ran = office.buyer.agora("fetch", order.hex())
    assert ran.code == 3
    assert f"the permit was revoked; `agora refund {order.hex()}`" in ran.error()
    shown = office.buyer.agora("refund", order.hex(), "--json").json()
    assert [transaction["step"] for transaction in shown["transactions"]] == ["refund", "withdrawCredit"]
    assert office.buyer.agora("order", order.hex(), "--json").json()["reason"] == "permit revoked"
    assert office.buyer.purse_units() == PURSE_UNITS - PRICE_UNITS * 500 // 10_000


def test_offers_show_authority_and_purposes(office: Office) -> None:
    offer = office.buyer.market.offer.id.hex()
    shown = office.buyer.agora("offers", "--json").json()["offers"]
    (one,) = [one for one in shown if one["id"] == offer]
    assert (one["authority"], one["purposes"]) == (office.authority.signer.address, [2, 4])
    lines = office.buyer.agora("offers").out.splitlines()
    assert f"  permit     of {office.authority.signer.address}" in lines
    assert "  for        statistics (2), research (4)" in lines
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize(
    "options",
    [
        ("--purpose", "256"),
        ("--purpose", "fun"),
        ("--from", "soon"),
        ("--to", "2019-01-01"),
        ("--to", "2035-01-01"),
        ("--for", "12"),
        ("--for", "ab" * 32),
        ("--reference", ""),
        ("--decision", "\x1b[31m"),
    ],
    ids=repr,
)
def test_a_permit_that_cannot_be_is_invalid(office: Office, options: tuple[str, str]) -> None:
    words = ("permit", "grant", office.buyer.signer.address, "--purpose", "research", "--for", office.dataset)
    ran = office.authority.agora(*words, "--from", FROM, "--to", TO, *REASONS, *options)
    assert ran.code == 2
    assert "expected" in ran.error()


def test_a_holder_that_is_none_is_invalid(office: Office) -> None:
    words = ("--purpose", "research", "--for", office.dataset, "--from", FROM, "--to", TO, *REASONS)
    assert office.authority.agora("permit", "grant", "0x12", *words).code == 2


def test_only_its_authority_ends_a_permit(office: Office) -> None:
    ran = office.buyer.agora("permit", "revoke", office.grant(), *REASONS)
    assert ran.code == 3
    assert f"it is of {office.authority.signer.address}" in ran.error()


@pytest.mark.parametrize("command", ["show", "revoke", "extend"])
def test_ids_that_are_none_are_invalid(office: Office, command: str) -> None:
    options = {"show": (), "revoke": REASONS, "extend": ("--to", "2030-01-01", *REASONS)}[command]
    for text in ("", "12", "0x" + "g" * 64, "ab" * 32):
        ran = office.authority.agora("permit", command, text, *options)
        assert ran.code == 2
        assert "permit" in ran.error()


def test_a_decision_that_says_something_else_than_the_ledger_is_corrupt(office: Office) -> None:
    market, shown = office.buyer.market, office.grant()
    view = office.buyer.client().account().permits
    (first,) = [permit for permit in view.values() if permit.id.hex() == shown]
    grant = replace(first.grant, purpose=2)
    other, _ = market.ledger.grant(office.authority.signer, grant)
    ran = office.buyer.agora("permit", "show", other.hex())
    assert ran.code == 4
    assert "has another purpose; ask the authority" in ran.error()


def test_a_decision_that_cannot_be_read_hides_nothing_else(office: Office) -> None:
    market = office.buyer.market
    now_s = market.ledger.now_s()
    for document in (b"\xab" * 32, put_bytes(market.store, b"no decision").digest):
        grant = Grant(office.buyer.signer.address, 4, now_s, now_s + HOUR_S, document, (bytes(32),))
        permit, _ = market.ledger.grant(office.authority.signer, grant)
        ran = office.buyer.agora("permit", "show", permit.hex())
        assert ran.code == 0
        assert permit.hex() in ran.out
        assert f"left out document {document.hex()[:16]}" in ran.err
