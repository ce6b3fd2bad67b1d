"""`agora provider`."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from marketplace.content.store import put_bytes
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.descriptor import Descriptor, Place
from marketplace.protocol.identity import NOTHING
from tests.commands.market import Buyer, Market, build


@pytest.fixture
def market(anvil_url: str, tmp_path: Path) -> Market:
    """A provider of its own, so that its record is known."""
    return build(anvil_url, tmp_path / "market")


def described(market: Market, certificate: bytes, host: str = "node.example") -> bytes:
    """Describes the provider's node on the ledger. The descriptor's digest."""
    provider = market.provider
    descriptor = Descriptor(provider.signer.address, Place(host, 8443), certificate)
    digest = put_bytes(market.store, descriptor.encode()).digest
    market.ledger.describe(provider.signer, digest, certificate)
    return digest


def test_a_provider_that_says_nothing_about_itself_has_its_record(buyer: Buyer) -> None:
    market = buyer.market
    declined, settled = buyer.place(), buyer.reveal()
    market.provider.decline(declined)
    buyer.client().settle(settled)
    buyer.place()
    shown = buyer.run("provider", market.provider.signer.address, "--json").json()
    assert (shown["node"], shown["descriptors"], shown["roots"]) == (None, [], [])
    record = shown["record"]
    assert (record["orders"], record["open"], record["delivered"]) == (3, 1, 1)
    assert record["ends"] == {"declined": 1, "approved": 1}
    assert record["declined"] == {"unstated": 1}
    assert (record["late"], record["forfeited"], record["wrong_bytes"]) == (0, 0, 0)
    assert shown["permit_holders"] == 0
    assert shown["offers"] == [market.offer.id.hex()]
    assert "score" not in str(shown)


def test_a_node_is_shown_with_its_rotations_and_roots(buyer: Buyer) -> None:
    market = buyer.market
    provider, old, new, root = market.provider, sha256(b"old").digest(), sha256(b"new").digest(), os.urandom(32)
    described(market, old)
    digest = described(market, new, "other.example")
    market.ledger.anchor(provider.signer, 20_454, root)
    shown = buyer.agora("provider", provider.signer.address, "--json").json()
    assert shown["node"]["endpoint"] == "https://other.example:8443"
    assert (shown["node"]["descriptor"], shown["node"]["certificate"]) == (digest.hex(), new.hex())
    assert [one["certificate"] for one in shown["descriptors"]] == [old.hex(), new.hex()]
    assert shown["roots"] == [{"day": "2026-01-01", "root": root.hex()}]
    lines = buyer.agora("provider", provider.signer.address).out.splitlines()
    assert "node         https://other.example:8443" in lines
    assert "party        none: it takes no part in joint orders" in lines
    assert [line.split("UTC  ")[1] for line in lines if "certificate" in line] == [
        f"certificate {old.hex()}",
        f"certificate {new.hex()}",
    ]
    assert f"  2026-01-01  {root.hex()}" in lines


def test_a_node_that_is_gone_is_said_to_be(buyer: Buyer) -> None:
    market = buyer.market
    described(market, sha256(b"old").digest())
    market.ledger.describe(market.provider.signer, NOTHING, NOTHING)
    ran = buyer.agora("provider", market.provider.signer.address)
    assert "node         none described" in ran.out.splitlines()
    assert ran.out.count("no node any more") == 1


@pytest.mark.parametrize("kept", [False, True])
def test_a_descriptor_that_cannot_be_read_hides_nothing_else(buyer: Buyer, kept: bool) -> None:
    market = buyer.market
    digest = put_bytes(market.store, b"no descriptor").digest if kept else os.urandom(32)
    market.ledger.describe(market.provider.signer, digest, b"c" * 32)
    ran = buyer.agora("provider", market.provider.signer.address)
    assert ran.code == 0
    assert "left out the descriptor: " in ran.err
    assert "node         described, its descriptor cannot be read" in ran.out.splitlines()
    assert "orders       0, of them 0 open" in ran.out.splitlines()


def test_somebody_of_whom_the_ledger_knows_nothing_is_invalid(buyer: Buyer) -> None:
    ran = buyer.agora("provider", LocalSigner.random().address)
    assert ran.code == 2
    assert "the ledger knows" in ran.error()


@pytest.mark.parametrize("text", ["", "me", "0x12", "0x" + "g" * 40, "ab" * 32])
def test_an_address_that_is_none_is_invalid(buyer: Buyer, text: str) -> None:
    ran = buyer.agora("provider", text)
    assert ran.code == 2
    assert "expected an address" in ran.error()


def test_a_provider_is_shown_without_keys(buyer: Buyer) -> None:
    for path in (buyer.home / "keys").iterdir():
        path.unlink()
    assert buyer.agora("provider", buyer.market.provider.signer.address).code == 0
