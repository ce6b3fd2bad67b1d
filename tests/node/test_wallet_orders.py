"""A buyer whose account is a contract: a node serves it like any other, by the wallet's word for every signature."""

import secrets
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from marketplace.buying.client import Client
from marketplace.buying.relaying import relay
from marketplace.buying.signed_purchase import SignedPurchase
from marketplace.certificate.verification import verify
from marketplace.errors import Corrupt, Refused
from marketplace.ledger import artifact
from marketplace.ledger.calls import call
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.signatures import sign_acceptance
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol import result
from marketplace.protocol.identity import Address, DeliveryHash
from marketplace.protocol.order import Means
from marketplace.protocol.states import OrderState
from tests.ledger.wallet import new_wallet, run
from tests.node.market import EURO, PURSE_UNITS, SLOT_S, Market, embedded_market


@dataclass(frozen=True)
class Holder:
    """Who signs for the wallet at `address`: a key that the wallet takes for its own, or one that it does not."""

    address: Address
    key: LocalSigner

    def sign_digest(self, digest: bytes) -> bytes:
        return self.key.sign_digest(digest)


@dataclass(frozen=True)
class Hall:
    """A market, a wallet with money and without gas, and a relayer with gas and without money."""

    market: Market
    ledger: EmbeddedLedger
    owner: LocalSigner
    wallet: Address
    relayer: LocalSigner
    seed: bytes

    def client(self, key: LocalSigner | None = None) -> Client:
        """The wallet's client, in the hands of its owner or of another key."""
        holder = Holder(self.wallet, key or self.owner)
        return replace(self.market.client, signer=holder, seed=self.seed, folder=self.market.folder / "wallet")

    def signed(self, key: LocalSigner | None = None) -> SignedPurchase:
        client = self.client(key)
        return client.sign(client.draft(self.market.offer.id, rows=50, slot_s=SLOT_S))

    def approve(self, amount_units: int) -> None:
        """The wallet lets the marketplace take its money. Anybody may make this double send."""
        ledger, euro = self.ledger, artifact.load().euro
        approval = call(self.market.token, euro, "approve", ledger.domain.contract, amount_units)
        run(ledger, self.relayer, self.wallet, approval)

    def hand_in(self, purchase: SignedPurchase) -> None:
        market = self.market
        relay(market.ledger, market.client.account(), market.node.store, self.relayer, purchase)

    def balance_units(self) -> int:
        return self.market.ledger.balance_units(self.market.token, self.wallet)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Hall:
    market = embedded_market(tmp_path_factory.mktemp("hall"))
    market.stake(10)
    ledger, owner = market.ledger, LocalSigner.random()
    assert isinstance(ledger, EmbeddedLedger)
    wallet = new_wallet(ledger, owner.address)
    ledger.mint(ledger.treasury, market.token, wallet, PURSE_UNITS)
    hall = Hall(market, ledger, owner, wallet, ledger.account(), secrets.token_bytes(32))
    hall.approve(PURSE_UNITS)
    return hall


def test_a_wallet_buys_by_relayed_signature_and_opens_what_a_node_made_for_it(hall: Hall, tmp_path: Path) -> None:
    market, client, ledger = hall.market, hall.client(), hall.market.ledger
    before, price_units = hall.balance_units(), market.offer.head.price_units
    purchase = hall.signed()
    hall.hand_in(purchase)
    assert market.order(purchase.id).order.buyer == hall.wallet
    assert hall.balance_units() == before - price_units

    daemon = market.daemon()
    market.run_until(daemon, purchase.id, OrderState.DELIVERED)
    client.receive(purchase.id)
    view = market.order(purchase.id)
    delivery = DeliveryHash(view.delivery_hash or b"")
    stranger = sign_acceptance(LocalSigner.random(), ledger.domain, purchase.id, delivery)
    with pytest.raises(Corrupt, match=f"expected a signature of {hall.wallet}"):
        ledger.accept_for(hall.relayer, market.offer, view.order, delivery, stranger)
    with pytest.raises(Refused, match="expected the order's buyer"):
        ledger.accept(hall.relayer, market.offer, view.order, delivery)
    assert market.order(purchase.id).state is OrderState.DELIVERED

    word = sign_acceptance(client.signer, ledger.domain, purchase.id, delivery)
    ledger.accept_for(hall.relayer, market.offer, view.order, delivery, word)
    market.run_until(daemon, purchase.id, OrderState.REVEALED)
    daemon.close()
    files = client.open(purchase.id, tmp_path / "result")
    assert set(files) == set(result.NAMES)
    assert len(files[result.TABLE].read_text().splitlines()) == 51
    assert verify(tmp_path / "result").passed
    assert client.is_licensed(purchase.id)
    market.assert_sound()


def test_a_wallet_that_does_not_take_the_signature_buys_nothing(hall: Hall) -> None:
    market, before = hall.market, hall.balance_units()
    purchase = hall.signed(key=LocalSigner.random())
    block = market.ledger.head_block()
    with pytest.raises(Corrupt, match=f"expected a signature of {hall.wallet}"):
        hall.hand_in(purchase)
    assert (market.ledger.head_block(), hall.balance_units()) == (block, before)
    assert purchase.id not in market.client.account().orders


def test_the_word_of_one_wallet_counts_for_no_other_of_its_owner(hall: Hall) -> None:
    purchase = hall.signed()
    other = new_wallet(hall.ledger, hall.owner.address)
    with pytest.raises(Corrupt, match=f"expected a signature of {other}"):
        hall.hand_in(replace(purchase, order=replace(purchase.order, buyer=other)))


def test_a_wallet_pays_by_what_it_has_approved_for_no_token_takes_its_signature(hall: Hall) -> None:
    assert hall.signed().payment.means is Means.APPROVAL
    hall.approve(EURO)
    try:
        with pytest.raises(Refused, match="approve the price"):
            hall.signed()
    finally:
        hall.approve(PURSE_UNITS)
