"""Stock as another buyer buys it: its client looks into it over the node's real endpoint, accepts, opens and verifies."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from marketplace.buying.acceptance import TRIES, NotAccepted
from marketplace.buying.client import Client
from marketplace.buying.spot_check import Finding
from marketplace.certificate.verification import verify
from marketplace.protocol import result
from marketplace.protocol.descriptor import Place
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import OrderState, Reason
from node.daemon import Daemon
from node.endpoint.opened import opened_chunks
from node.endpoint.settings import EndpointSettings
from node.serving import describe, serving, tell
from scripts.ports import HOST, take_ports
from tests.node.market import PURSE_UNITS, SLOT_S, Market, embedded_market
from tests.node.test_resale import sell_again

ROWS, CHUNKS = 1_200, 4
"""So many rows that as many chunks may be opened as a check asks for."""


@dataclass(frozen=True)
class Shop:
    """A node that runs and has sold a result to a first buyer, who keeps it in `first`, and sells it again."""

    market: Market
    daemon: Daemon
    first: Path
    offer: Offer

    def buyer(self, name: str) -> Client:
        """A buyer of its own, with money."""
        market = self.market
        signer = market.ledger.account(PURSE_UNITS)  # type: ignore[attr-defined]
        folder, seed = market.folder / name, name.encode().ljust(32, b".")
        return replace(market.client, signer=signer, seed=seed, folder=folder, pause=lambda _: None)

    def delivered(self, client: Client) -> OrderId:
        """An order of the stock that the node has delivered."""
        order = client.place(client.draft(self.offer.id, slot_s=SLOT_S)).order
        self.market.run_until(self.daemon, order, OrderState.DELIVERED)
        self.daemon.tick()
        return order

    def opened(self, order: OrderId) -> frozenset[int]:
        """The chunks whose keys the node has given."""
        return frozenset(opened_chunks(self.daemon.effects.journal, order))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    market = embedded_market(tmp_path_factory.mktemp("shop"))
    place = Place(HOST, *take_ports())
    market = replace(market, node=replace(market.node, endpoint=EndpointSettings(place, place)))
    market.stake(10)
    daemon = market.daemon()
    order = market.client.place(market.draft(rows=ROWS)).order
    first = market.buy(daemon, order)
    tell(market.node, describe(market.node)[1])
    yield Shop(market, daemon, first, sell_again(market, order).offer)
    daemon.close()


def test_a_second_buyer_looks_into_stock_accepts_opens_and_verifies_what_the_first_one_has(
    shop: Shop, tmp_path: Path
) -> None:
    market, client, said, notes = shop.market, shop.buyer("second"), list[str](), list[str]()
    used = market.used_micro()
    with serving(market.node, shop.daemon, notes.append):
        order = shop.delivered(client)
        assert shop.opened(order) == frozenset()
        client.receive(order)
        assert client.accept(order, progress=said.append) is not None
        assert len(shop.opened(order)) == CHUNKS
        assert f"spot check: {CHUNKS} of the " in said[-1]
        assert said[-1].endswith("are opened and right")
        market.run_until(shop.daemon, order, OrderState.REVEALED)
    assert notes == []
    files = client.open(order, tmp_path / "result")
    assert set(files) == set(result.NAMES)
    assert all(path.read_bytes() == (shop.first / name).read_bytes() for name, path in files.items())
    assert len(files[result.TABLE].read_text().splitlines()) == ROWS + 1
    assert verify(tmp_path / "result").passed
    assert client.is_licensed(order)
    assert market.used_micro() == used
    market.assert_sound()


def test_every_buyer_of_stock_is_shown_the_same_chunks(shop: Shop) -> None:
    shown = []
    with serving(shop.market.node, shop.daemon, lambda _: None):
        for name in ("third", "fourth"):
            client = shop.buyer(name)
            order = shop.delivered(client)
            verdict = client.spot_check(order)
            assert verdict.passed, verdict
            assert shop.opened(order) == set(verdict.chunks)
            shown.append(verdict.chunks)
    assert shown[0] == shown[1]


def test_stock_whose_node_does_not_answer_is_rejected(shop: Shop) -> None:
    client, said = shop.buyer("fifth"), list[str]()
    order = shop.delivered(client)
    client.receive(order)
    with pytest.raises(NotAccepted, match="it is rejected, and the price less the compute fee is yours") as refused:
        client.accept(order, progress=said.append)
    assert refused.value.verdict is not None
    assert refused.value.verdict.finding is Finding.NO_ANSWER
    assert len([each for each in said if each.endswith("asking again")]) == TRIES - 1
    assert shop.opened(order) == frozenset()
    assert shop.market.order(order).reason is Reason.REJECTED
