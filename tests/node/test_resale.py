"""A node that sells an earlier result again, byte for byte, to another buyer, without a look at its vault."""

import io
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from marketplace.buying.purchase import Wishes
from marketplace.buying.quote import ask_quote
from marketplace.certificate.context import sealing_context
from marketplace.certificate.manifest import Manifest
from marketplace.content.cid import Cid
from marketplace.content.store import put_bytes, read_bytes
from marketplace.errors import Invalid, Refused
from marketplace.keys.sealing import order_key
from marketplace.protocol import result
from marketplace.protocol.account import OrderView
from marketplace.protocol.constraints import Condition
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Delivery
from marketplace.protocol.specification import Curve, Specification, Workload
from marketplace.protocol.states import DeclineReason, OrderState, Reason
from marketplace.protocol.threshold import Threshold
from marketplace.sealing import Commitment, open_chunks, unseal
from node.daemon import Daemon
from node.home import Keys, Node
from node.journal import Mark
from node.resale import Resale
from node.stock import KEEP_S, Anchor, Delete
from node.vault.access import Access, day_of
from node.work import Decline, Deliver, Reveal, Seal
from tests.node.market import EURO, HOUR_S, Market, embedded_market
from tests.node.test_daemon import marks

SEED = b"another buyer's seed, 32 bytes.."
ROWS = 50


@dataclass
class Stocked:
    """A market with an order that was delivered, and an offer that sells its result again."""

    market: Market
    made: OrderId
    offer: Offer

    def view(self) -> OrderView:
        return self.market.order(self.made)

    def specification(self, **changes: object) -> Specification:
        """What a buyer asks of the stock, but for `changes`."""
        nonce = self.market.node.store.put([bytes(str(changes), "ascii")]).digest
        key = order_key(SEED, nonce).public_key.raw
        return replace(Specification(self.offer.id, ROWS, Workload(), 1, key, nonce), **changes)  # type: ignore[arg-type]

    def place(self, specification: Specification | None = None) -> OrderId:
        wanted = specification or self.specification()
        digest = put_bytes(self.market.node.store, wanted.encode()).digest
        purchase = self.market.draft()
        return self.market.place_changed(purchase, offer=self.offer.id, specification=digest, versions=0)

    def accept(self, order: OrderId) -> None:
        view = self.market.order(order)
        self.market.ledger.accept(self.market.client.signer, self.offer, view.order, view.delivery_hash)  # type: ignore[arg-type]

    def content(self, order: OrderId, specification: Specification) -> bytes:
        """What the buyer of a revealed order for stock reads: the whole result."""
        view = self.market.order(order)
        delivery = delivery_of(view)
        promised = Commitment(delivery.commitment_root, delivery.plain_root, delivery.count, delivery.key_hash)
        sealed = self.market.folder / "sealed"
        sealed.write_bytes(read_bytes(self.market.node.store, Cid(delivery.object, delivery.object_codec), 2**26))
        inner, plain = io.BytesIO(), io.BytesIO()
        with sealed.open("rb") as source:
            context = sealing_context(order, delivery.manifest)
            unseal(source, inner, reader=order_key(SEED, specification.nonce), context=context, expected=promised)
        assert view.key is not None
        open_chunks(inner, plain, key=view.key, expected=promised)
        return plain.getvalue()


def delivery_of(view: OrderView) -> Delivery:
    assert view.delivery is not None
    return view.delivery


def resale(order: OrderId, until_s: int) -> Resale:
    return Resale(order, 2 * EURO, EURO, until_s)


def sell_again(market: Market, order: OrderId, lasts_s: int = 90 * 24 * HOUR_S) -> Stocked:
    now_s = market.ledger.now_s()
    published = market.node.provider().sell_again(resale(order, now_s + lasts_s), now_s=now_s)
    return Stocked(market, order, published.offer)


def delivered(market: Market, daemon: Daemon) -> OrderId:
    order = market.place()
    market.run_until(daemon, order, OrderState.DELIVERED)
    return order


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """A market whose first order was settled, and is sold again."""
    market = embedded_market(tmp_path_factory.mktemp("stocked"))
    market.stake(50)
    daemon, order = market.daemon(), market.place()
    market.buy(daemon, order)
    market.client.settle(order)
    market.run(daemon, lambda: order in daemon._ended)
    daemon.close()
    return sell_again(market, order)


def test_an_offer_of_stock_costs_nothing_of_the_budget(stocked: Stocked) -> None:
    before = stocked.market.offer
    head = stocked.offer.head
    assert head.stock == delivery_of(stocked.view()).plain_root
    assert (head.cost_units, head.margin_units) == (2 * EURO, EURO)
    assert (head.terms, head.bond_units, head.delta_atto) == (
        before.head.terms,
        before.head.bond_units,
        before.head.delta_atto,
    )
    assert [member.rho_micro for member in stocked.offer.members] == [0]


def test_stock_is_sold_byte_for_byte_under_a_new_key_and_no_record_is_opened(stocked: Stocked) -> None:
    market, wanted = stocked.market, stocked.specification()
    used, debits = market.used_micro(), len(market.node.vault.account.entries())
    daemon, order = market.daemon(), stocked.place(wanted)
    market.run_until(daemon, order, OrderState.DELIVERED)
    stocked.accept(order)
    view = market.run_until(daemon, order, OrderState.REVEALED)
    daemon.close()
    assert market.steps(order) == [Seal, Deliver, Reveal]
    first, again = delivery_of(stocked.view()), delivery_of(view)
    assert (again.plain_root, again.manifest, again.count) == (first.plain_root, first.manifest, first.count)
    assert again.key_hash != first.key_hash
    assert again.commitment_root != first.commitment_root
    assert again.object != first.object
    assert view.key != stocked.view().key
    files = {name: (market.folder / "results" / stocked.made.hex() / name).read_bytes() for name in result.NAMES}
    plain = stocked.content(order, wanted)
    assert all(data in plain for data in files.values())
    assert market.used_micro() == used
    assert len(market.node.vault.account.entries()) == debits
    assert (
        Manifest.decode(read_bytes(market.node.store, Cid.raw(again.manifest), 2**20)).certificate.order == stocked.made
    )
    market.assert_sound()


def test_an_order_for_stock_is_delivered_though_the_vault_is_gone(stocked: Stocked, tmp_path: Path) -> None:
    market, folder = stocked.market, tmp_path / "node"
    shutil.copytree(market.folder / "node", folder, ignore=shutil.ignore_patterns("vault"))
    keys = market.node.keys
    bare = replace(
        market, node=Node.open(folder, Keys(keys.signer, keys.storage_key), market.ledger, market.node.store)
    )
    order, daemon = stocked.place(), bare.daemon()
    bare.run_until(daemon, order, OrderState.DELIVERED)
    stocked.accept(order)
    bare.run_until(daemon, order, OrderState.REVEALED)
    market.ledger.settle(market.client.signer, stocked.offer, market.order(order).order)
    bare.run(daemon, lambda: order in daemon._ended)
    daemon.close()
    assert not (folder / "vault").exists()
    assert "vault" not in vars(bare.node)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rows": ROWS + 1}, DeclineReason.SPECIFICATION),
        ({"workload": Workload((("sex", "age"),))}, DeclineReason.SPECIFICATION),
        ({"only": (Condition("sex", values=("male",)),)}, DeclineReason.SPECIFICATION),
        ({"attestation": "We promise nothing."}, DeclineReason.SPECIFICATION),
    ],
)
def test_what_the_stock_is_not_is_declined(stocked: Stocked, changes: dict[str, object], code: DeclineReason) -> None:
    market = stocked.market
    daemon, order = market.daemon(), stocked.place(stocked.specification(**changes))
    market.run_until(daemon, order, OrderState.REFUNDED)
    market.run(daemon, lambda: order in daemon._ended)
    daemon.close()
    assert market.steps(order) == [Decline]
    assert market.order(order).declined is code
    assert market.order(order).released == frozenset()


def test_stock_is_not_quoted_for_its_certificate_has_its_scores(stocked: Stocked) -> None:
    with pytest.raises(Refused, match="this one sells an earlier one; read its certificate"):
        ask_quote(stocked.market.client, stocked.offer.id, Wishes())


@pytest.mark.parametrize(
    "wishes",
    [
        {"rows": ROWS + 1},
        {"generator": "neural"},
        {"only": (Condition("sex", values=("male",)),)},
        {"workload": Workload((), (Curve("age", "test"),))},
        {"subgroups": "sex"},
        {"thresholds": (Threshold("l1_3way", "0.5"),)},
    ],
)
def test_a_buyer_does_not_draft_what_the_stock_is_not(stocked: Stocked, wishes: dict[str, Any]) -> None:
    client = stocked.market.client
    with pytest.raises(Invalid, match="no wishes for stock"):
        client.draft(stocked.offer.id, **wishes)
    kept = client.draft(stocked.offer.id, slot_s=1, rows=ROWS, generator="private-marginals").specification
    assert (kept.rows, kept.generator) == (ROWS, "private-marginals")


def test_stock_that_was_altered_on_the_disk_is_never_delivered(stocked: Stocked) -> None:
    market = stocked.market
    (path,) = (market.folder / "node" / "stock").glob(f"{stocked.made.hex()}*")
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    daemon, order = market.daemon(), stocked.place()
    market.run(daemon, lambda: any(each.trouble and each.order == order for each in market.happened))
    assert market.order(order).state is OrderState.PLACED
    path.write_bytes(kept)
    market.run_until(daemon, order, OrderState.DELIVERED)
    daemon.close()


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"order": OrderId(b"x" * 32)}, Invalid, "none of this id"),
        ({"until_s": 5}, Invalid, "has passed"),
        ({"cost_units": 0, "margin_units": 0}, Invalid, "price"),
    ],
)
def test_what_cannot_be_put_on_sale_is_refused_before_money_moves(
    stocked: Stocked, changes: dict[str, object], error: type[Exception], words: str
) -> None:
    market = stocked.market
    before, now_s = market.ledger.head_block(), market.ledger.now_s()
    with pytest.raises(error, match=words):
        asked = replace(resale(stocked.made, now_s + HOUR_S), **changes)  # type: ignore[arg-type]
        market.node.provider().sell_again(asked, now_s=now_s)
    assert market.ledger.head_block() == before


def test_a_sale_of_stock_is_no_stock_of_its_own(stocked: Stocked) -> None:
    market = stocked.market
    daemon, order = market.daemon(), stocked.place()
    market.run_until(daemon, order, OrderState.DELIVERED)
    daemon.close()
    with pytest.raises(Refused, match=f"name {stocked.made.hex()}"):
        sell_again(market, order)


def test_an_order_that_is_not_delivered_yet_is_no_stock(stocked: Stocked) -> None:
    order = stocked.market.place()
    with pytest.raises(Refused, match="wait for its delivery"):
        sell_again(stocked.market, order)


# ---------------------------------------------------------------------------------------------------------- its end


@pytest.fixture
def market(tmp_path: Path) -> Market:
    market = embedded_market(tmp_path)
    market.stake(10)
    return market


def kept(market: Market) -> set[str]:
    return {path.name.split(".")[0] for path in (market.folder / "node" / "stock").iterdir()}


@pytest.mark.parametrize("reason", [Reason.REJECTED, Reason.NOT_ACCEPTED])
def test_what_a_buyer_did_not_want_can_be_sold_to_another(market: Market, reason: Reason) -> None:
    daemon = market.daemon()
    order = delivered(market, daemon)
    if reason is Reason.REJECTED:
        market.client.reject(order)
    else:
        market.pass_time(HOUR_S + 1)
    market.run(daemon, lambda: order in daemon._ended)
    assert market.order(order).reason is reason
    stock = sell_again(market, order)
    sale = stock.place()
    market.run_until(daemon, sale, OrderState.DELIVERED)
    daemon.close()
    market.assert_sound()


def test_stock_can_be_sold_while_its_own_order_is_still_open(market: Market) -> None:
    daemon = market.daemon()
    stock = sell_again(market, delivered(market, daemon))
    sale = market.run_until(daemon, stock.place(), OrderState.DELIVERED)
    daemon.close()
    assert stock.view().state is OrderState.DELIVERED
    assert delivery_of(sale).plain_root == delivery_of(stock.view()).plain_root


def test_stock_is_deleted_after_its_offer_and_its_end_is_anchored(market: Market) -> None:
    daemon = market.daemon()
    order = delivered(market, daemon)
    market.client.reject(order)
    stock = sell_again(market, order, lasts_s=40 * 24 * HOUR_S)
    market.pass_time(35 * 24 * HOUR_S)
    late = stock.place()
    market.run_until(daemon, late, OrderState.DELIVERED)
    market.pass_time(HOUR_S // 2)
    daemon.tick()
    assert kept(market) == {order.hex()}
    market.pass_time(6 * 24 * HOUR_S)
    market.run(daemon, lambda: Delete in market.steps(order))
    assert kept(market) == set()
    deleted_s = market.ledger.now_s()
    market.pass_time(24 * HOUR_S)
    market.run(daemon, lambda: Anchor in market.steps(order))
    for _ in range(3):
        daemon.tick()
    daemon.close()
    assert market.steps(order)[-2:] == [Delete, Anchor]
    assert [mark for mark in marks(market, order) if "anchor" in mark or mark == Mark.DELETED] == [
        "deleted",
        "signed:anchor",
        "sent:anchor",
    ]
    (anchor,) = market.client.account().providers[market.node.keys.signer.address].anchors
    assert anchor.day in (day_of(deleted_s), day_of(deleted_s - 2))
    entries = market.node.vault.access.day(anchor.day).entries
    assert [(entry.access, entry.order) for entry in entries] == [(Access.DELETED, order)]
    market.assert_sound()


def test_stock_is_kept_for_an_order_that_is_not_confirmed_yet(market: Market) -> None:
    daemon = market.daemon()
    order = delivered(market, daemon)
    market.client.reject(order)
    market.run(daemon, lambda: order in daemon._ended)
    daemon.close()
    stock = sell_again(market, order, lasts_s=2 * HOUR_S)
    node = market.node
    waiting = Node.open(market.folder / "node", node.keys, market.ledger, node.store, confirmations=5)
    careful = replace(market, node=waiting, happened=[])
    market.pass_time(2 * HOUR_S - 60)
    sale = stock.place()
    market.pass_time(120)
    later = careful.daemon()
    assert sale not in later.follower.catch_up().orders
    for _ in range(2):
        later.tick()
    assert kept(market) == {order.hex()}
    careful.run_until(later, sale, OrderState.DELIVERED)
    later.close()


def test_a_result_that_nobody_sells_again_is_deleted_a_while_after_its_order(market: Market) -> None:
    daemon = market.daemon()
    order = delivered(market, daemon)
    market.client.reject(order)
    market.run(daemon, lambda: order in daemon._ended)
    assert kept(market) == {order.hex()}
    market.pass_time(KEEP_S)
    market.run(daemon, lambda: Delete in market.steps(order))
    market.pass_time(24 * HOUR_S)
    for _ in range(2):
        daemon.tick()
    daemon.close()
    assert kept(market) == set()
    assert Anchor not in market.steps(order)
    with pytest.raises(Refused, match="it has deleted it"):
        sell_again(market, order)


def test_an_order_for_stock_that_is_gone_is_declined(market: Market) -> None:
    daemon = market.daemon()
    order = delivered(market, daemon)
    stock = sell_again(market, order)
    (market.folder / "node" / "stock" / f"{order.hex()}.sealed").unlink()
    sale = stock.place()
    market.run_until(daemon, sale, OrderState.REFUNDED)
    daemon.close()
    assert market.order(sale).declined is DeclineReason.RECORDS
