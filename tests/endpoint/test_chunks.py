"""The verb `chunks` over a real node: who gets which keys, how many ever, and what nobody is told."""

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Invalid, Refused, Unreachable
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.ids import Domain
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.account import Account
from marketplace.protocol.chunks import LONGEST_LIFE_S, ChunkKeys
from marketplace.protocol.draw import draw, stock_seed
from marketplace.protocol.identity import Address, DeliveryHash, OfferId, OrderId
from marketplace.protocol.order import Standing
from marketplace.protocol.states import OrderState
from marketplace.sealing import chunk_key, open_chunk
from node.home import JOURNAL
from node.journal import Journal, Mark
from node.sale import read_secrets
from tests.endpoint.hospital import ROWS, Counter, Still, deliver
from tests.ledger.wallet import new_wallet
from tests.node.dying import die
from tests.node.market import HOUR_S, Market, embedded_market

SMALL_ROWS, TINY_ROWS = 600, 200
"""Of 15 bytes at least: 9 chunks and 3."""


@dataclass(frozen=True)
class Delivered:
    """A hospital whose node has delivered some orders. `journal`: the node's, before any chunk was opened."""

    market: Market
    order: OrderId
    small: OrderId
    tiny: OrderId
    journal: Path


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    market = embedded_market(tmp_path_factory.mktemp("market"))
    provider, amount_units = market.node.keys.signer, 10 * market.offer.head.bond_units
    market.ledger.approve(provider, market.token, amount_units)
    market.ledger.stake(provider, market.token, amount_units)
    daemon = market.daemon()
    orders = [deliver(market, daemon, rows) for rows in (ROWS, SMALL_ROWS, TINY_ROWS)]
    daemon.close()
    market.client.receive(orders[0])
    return Delivered(market, *orders, market.node.folder / JOURNAL)


@pytest.fixture
def market(delivered: Delivered) -> Market:
    return delivered.market


@pytest.fixture
def order(delivered: Delivered) -> OrderId:
    """One of which 8 chunks may be opened."""
    return delivered.order


@pytest.fixture
def path(delivered: Delivered, tmp_path: Path) -> Path:
    """A journal of the test's own, in which nothing is opened yet."""
    return Path(shutil.copy(delivered.journal, tmp_path / JOURNAL))


@pytest.fixture
def counter(market: Market, path: Path) -> Iterator[Counter]:
    counter = Counter.open(market, Journal(path))
    yield counter
    counter.chunks.journal.close()


# --------------------------------------------------------------------------------------------------------- what is given


def test_the_buyer_gets_the_keys_of_just_the_chunks_that_it_asks_for(counter: Counter, order: OrderId) -> None:
    keys = counter.ask(order, 3)
    sale = read_secrets(counter.chunks.journal, counter.chunks.box, order).key
    assert keys == {3: chunk_key(sale, 3)}
    with counter.market.client.receive(order).inner.open("rb") as inner:
        assert len(open_chunk(inner, 3, of_chunk_key=keys[3])) == 992
    assert sale.hex() not in repr(counter.chunks)
    assert keys[3].hex() not in repr(ChunkKeys(order, keys))


def test_what_is_open_is_in_the_journal_and_asking_again_costs_nothing(counter: Counter, order: OrderId) -> None:
    assert counter.opened(order) == []
    counter.ask(order, 3)
    before = len(counter.chunks.journal.entries(order))
    assert counter.ask(order, 3) == counter.ask(order, 3)
    assert len(counter.chunks.journal.entries(order)) == before
    assert counter.opened(order) == [3]


def test_eight_different_chunks_of_an_order_are_opened_for_ever_and_never_a_ninth(
    counter: Counter, order: OrderId, path: Path
) -> None:
    counter.ask(order, 0, 1, 2)
    counter.ask(order, 2, 3, 4, 5)
    with pytest.raises(Refused, match="at most 8 different chunks of this order ever, 6 are open already"):
        counter.ask(order, 6, 7, 8)
    assert counter.opened(order) == [0, 1, 2, 3, 4, 5]

    counter.chunks.journal.close()
    counter.chunks.journal = Journal(path)
    counter.ask(order, 6, 7)
    for indices in ((8,), (100,), (0, 8)):
        with pytest.raises(Refused, match="8 are open already; ask for those again"):
            counter.ask(order, *indices)
    assert sorted(counter.ask(order, *range(8))) == list(range(8))


def test_every_order_has_eight_of_its_own(counter: Counter, delivered: Delivered) -> None:
    counter.ask(delivered.order, *range(8))
    assert counter.ask(delivered.small, 0)


@pytest.mark.parametrize(("size", "most"), [("small", 2), ("tiny", 0)])
def test_of_a_small_result_a_quarter_of_the_rows_at_most_is_opened(
    counter: Counter, delivered: Delivered, size: str, most: int
) -> None:
    order: OrderId = getattr(delivered, size)
    on_the_ledger = delivered.market.order(order).delivery
    assert on_the_ledger is not None
    assert on_the_ledger.count // 4 > 8  # by the padded count alone all 8 would be opened
    for index in range(most):
        counter.ask(order, index)
    with pytest.raises(Refused, match=f"at most {most} different chunks"):
        counter.ask(order, most)


def test_asked_by_many_at_once_no_more_than_eight_are_opened(counter: Counter, order: OrderId, market: Market) -> None:
    requests = [counter.signed(counter.request(order, index)) for index in range(24)]
    counter.chunks.ledger = Still(market.ledger, order)  # type: ignore[assignment]
    opened, refused = list[bytes](), list[Refused]()
    together = threading.Barrier(len(requests))

    def ask(body: bytes) -> None:
        together.wait()
        try:
            opened.append(counter.chunks.answer(body))
        except Refused as error:
            refused.append(error)

    threads = [threading.Thread(target=ask, args=(body,)) for body in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(opened), len(refused)) == (8, 16)
    given = [index for answer in opened for index in ChunkKeys.decode(answer).keys]
    assert sorted(given) == counter.opened(order)


# ------------------------------------------------------------------------------------------------------- what is refused


def test_nobody_but_the_buyer_gets_a_key(counter: Counter, order: OrderId) -> None:
    request = counter.request(order, 3)
    for signer in (LocalSigner.random(), counter.market.node.keys.signer):
        with pytest.raises(Refused, match="the signature of the order's buyer for this very request"):
            counter.chunks.answer(counter.signed(request, by=signer))
    for signature in (b"", bytes(65), b"\xff" * 65, b"x" * 300):
        with pytest.raises(Refused, match="the signature of the order's buyer"):
            counter.chunks.answer(request.encode(signature))


def test_a_signature_counts_for_nothing_but_what_was_signed(counter: Counter, order: OrderId, market: Market) -> None:
    signed = counter.request(order, 3)
    signature = bytes.fromhex(counter.signed(signed).decode().split('"signature":"')[1].split('"')[0])
    counter.chunks.answer(signed.encode(signature))
    other = next(each for each in market.client.account().orders if each != order)
    for changes in ({"order": other}, {"indices": (4,)}, {"indices": (3, 4)}, {"until_s": signed.until_s + 1}):
        with pytest.raises(Refused, match="the signature of the order's buyer"):
            counter.chunks.answer(replace(signed, **changes).encode(signature))
    with pytest.raises(Refused, match="the signature of the order's buyer"):
        counter.chunks.answer(replace(signed, delivery=DeliveryHash(b"d" * 32)).encode(signature))


def test_a_request_to_another_marketplace_or_chain_is_refused_here(counter: Counter, order: OrderId) -> None:
    domain = counter.market.ledger.domain
    elsewhere = (Domain(domain.chain_id + 1, domain.contract), Domain(domain.chain_id, Address("0x" + "11" * 20)))
    for other in elsewhere:
        with pytest.raises(Refused, match="the signature of the order's buyer"):
            counter.chunks.answer(counter.signed(counter.request(order, 3), domain=other))


def test_an_order_that_is_not_of_this_provider_is_unknown(counter: Counter, order: OrderId) -> None:
    unknown = replace(counter.request(order, 3), order=OrderId(b"u" * 32))
    with pytest.raises(Refused, match="id of an order of this provider"):
        counter.chunks.answer(counter.signed(unknown))
    counter.chunks.provider = Address("0x" + "11" * 20)
    with pytest.raises(Refused, match="id of an order of this provider"):
        counter.ask(order, 3)


def test_a_request_holds_until_its_last_second_and_for_an_hour_at_most(counter: Counter, order: OrderId) -> None:
    now_s = counter.market.ledger.now_s()
    for until_s in (now_s, now_s + LONGEST_LIFE_S):
        counter.chunks.answer(counter.signed(counter.request(order, 3, until_s=until_s)))
    with pytest.raises(Refused, match="this one has expired; sign another"):
        counter.chunks.answer(counter.signed(counter.request(order, 3, until_s=now_s - 1)))
    with pytest.raises(Refused, match="holds for at most 3600 s"):
        counter.chunks.answer(counter.signed(counter.request(order, 3, until_s=now_s + LONGEST_LIFE_S + 1)))


def test_the_clock_of_this_machine_counts_where_it_is_ahead_of_the_ledgers(counter: Counter, order: OrderId) -> None:
    counter.chunks.clock = lambda: counter.market.ledger.now_s() + 2 * HOUR_S
    with pytest.raises(Refused, match="this one has expired"):
        counter.ask(order, 3)


def test_another_delivery_than_the_ledgers_is_refused(counter: Counter, order: OrderId) -> None:
    other = counter.request(order, 3, delivery=DeliveryHash(b"d" * 32))
    with pytest.raises(Refused, match="the hash of the delivery on the ledger"):
        counter.chunks.answer(counter.signed(other))


def test_a_delivery_on_the_ledger_that_this_node_did_not_seal_is_not_opened(counter: Counter, order: OrderId) -> None:
    other = DeliveryHash(b"d" * 32)
    request = counter.request(order, 3, delivery=other)
    counter.chunks.ledger = Still(counter.market.ledger, order, delivery=other)  # type: ignore[assignment]
    with pytest.raises(Refused, match="the delivery that this node sealed"):
        counter.chunks.answer(counter.signed(request))


def test_a_chunk_that_there_is_not_is_refused_and_not_counted(counter: Counter, order: OrderId) -> None:
    delivery = counter.market.order(order).delivery
    assert delivery is not None
    for index in (delivery.count, 2**32 - 1):
        with pytest.raises(Refused, match=f"expected chunks below {delivery.count}"):
            counter.ask(order, index)
    assert counter.opened(order) == []


def test_bytes_that_are_no_request_are_invalid(counter: Counter, order: OrderId) -> None:
    whole = counter.signed(counter.request(order, 3))
    for body in (b"", b"{}", b"[" * 5_000, whole + b"\n", whole.replace(b'"indices":[3]', b'"indices":[]'), b"\xff"):
        with pytest.raises(Invalid):
            counter.chunks.answer(body)


def test_nothing_is_opened_before_the_delivery(market: Market, path: Path) -> None:
    placed = market.place()
    counter = Counter.open(market, Journal(path))
    with pytest.raises(Refused, match="this one is Placed; nothing is opened"):
        counter.ask(placed, 0)
    counter.chunks.journal.close()


@pytest.mark.parametrize("state", sorted(set(OrderState) - {OrderState.DELIVERED}))
def test_nothing_is_opened_of_an_order_in_another_state_than_delivered(
    counter: Counter, order: OrderId, state: OrderState
) -> None:
    request = counter.signed(counter.request(order, 0))
    counter.chunks.ledger = Still(counter.market.ledger, order, state=state)  # type: ignore[assignment]
    with pytest.raises(Refused, match=f"this one is {state.word}; nothing is opened"):
        counter.chunks.answer(request)
    assert counter.opened(order) == []


def test_nothing_is_opened_once_the_time_to_accept_has_passed(counter: Counter, order: OrderId) -> None:
    request, now_s = counter.signed(counter.request(order, 0)), counter.market.ledger.now_s()
    for deadline_s, opened in ((now_s - 1, []), (now_s, [0])):
        counter.chunks.ledger = Still(counter.market.ledger, order, deadline_s=deadline_s)  # type: ignore[assignment]
        if opened:
            counter.chunks.answer(request)
        else:
            with pytest.raises(Refused, match="the time for it has passed"):
                counter.chunks.answer(request)
        assert counter.opened(order) == opened


# -------------------------------------------------------------------------------------------------- what survives, or not


def test_a_node_that_is_killed_between_journal_and_answer_has_opened_the_chunks(
    market: Market, order: OrderId, path: Path
) -> None:
    class Deadly(Journal):
        def add(self, order: OrderId, mark: str, data: bytes, at_s: int) -> None:
            super().add(order, mark, data, at_s)
            die()

    child = os.fork()
    if child == 0:
        try:
            Counter.open(market, Deadly(path)).ask(order, *range(7))
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    counter = Counter.open(market, Journal(path))
    assert counter.opened(order) == list(range(7))
    counter.ask(order, 7)
    with pytest.raises(Refused, match="8 are open already"):
        counter.ask(order, 8)
    counter.chunks.journal.close()


def test_no_key_leaves_that_could_not_be_written_down(counter: Counter, order: OrderId, path: Path) -> None:
    class Full(Journal):
        def add(self, order: OrderId, mark: str, data: bytes, at_s: int) -> None:
            raise Refused("expected a journal that can be written, got '/home/hospital/journal.sqlite'")

    counter.ask(order, 3)
    counter.chunks.journal.close()
    counter.chunks.journal = Full(path)
    assert counter.ask(order, 3)
    with pytest.raises(Unreachable, match="it cannot give one now; try again later") as caught:
        counter.ask(order, 4)
    assert "hospital" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert counter.notes == ["chunks: expected a journal that can be written, got '/home/hospital/journal.sqlite'"]


def test_a_node_that_has_not_read_the_ledger_yet_says_that_it_has_only_begun(counter: Counter, order: OrderId) -> None:
    counter.chunks.account = lambda: None
    with pytest.raises(Unreachable, match="it has only begun"):
        counter.ask(order, 3)


def test_trouble_in_the_node_is_told_to_its_provider_alone(counter: Counter, order: OrderId) -> None:
    class Gone(Still):
        def order(self, _: OrderId) -> Standing:
            raise Unreachable("expected an answer from the ledger's RPC endpoint, got HTTP 502; secret details")

    request = counter.signed(counter.request(order, 3))
    counter.chunks.ledger = Gone(counter.market.ledger, order)  # type: ignore[assignment]
    with pytest.raises(Unreachable, match=r"^expected an answer from this node") as caught:
        counter.chunks.answer(request)
    assert "secret" not in str(caught.value)
    assert "secret details" in counter.notes[0]


def test_nothing_is_asked_of_the_ledger_before_the_signature_is_the_buyers(counter: Counter, order: OrderId) -> None:
    class Untouchable:
        domain = counter.market.ledger.domain
        signed_by = counter.market.ledger.signed_by

        def __getattr__(self, name: str) -> object:
            raise AssertionError(name)

    strange = counter.signed(counter.request(order, 3), by=LocalSigner.random())
    counter.chunks.ledger = Untouchable()  # type: ignore[assignment]
    with pytest.raises(Refused, match="the signature of the order's buyer"):
        counter.chunks.answer(strange)
    assert counter.notes == []


@pytest.mark.parametrize("mark", [Mark.SECRETS, Mark.OPENED, Mark.SEALED])
def test_a_damaged_journal_is_corrupt_without_details(counter: Counter, order: OrderId, mark: Mark) -> None:
    counter.chunks.journal.add(order, mark, b"xyz", 1)
    with pytest.raises(Corrupt, match="some are damaged; ask its provider") as caught:
        counter.ask(order, 0)
    assert "journal" not in str(caught.value)
    assert len(counter.notes) == 1


def test_an_order_that_the_node_never_sealed_is_trouble_of_the_node(
    counter: Counter, order: OrderId, tmp_path: Path
) -> None:
    counter.chunks.journal.close()
    counter.chunks.journal = Journal(tmp_path / "empty.sqlite")
    with pytest.raises(Unreachable, match="it cannot give one now"):
        counter.ask(order, 0)
    assert "expected a delivery in the journal" in counter.notes[0]


def test_documents_that_the_node_no_longer_has_are_read_from_the_store(counter: Counter, order: OrderId) -> None:
    counter.chunks.folder_of = lambda _: Path("nowhere")
    assert counter.ask(order, 0)


def account_of_its_own(counter: Counter) -> Account:
    """What the node takes for the account from now on: a copy, to be changed."""
    account = counter.chunks.account()
    assert account is not None
    own = replace(account, orders=dict(account.orders), offers=dict(account.offers))
    counter.chunks.account = lambda: own
    return own


def test_a_buyer_that_is_a_contract_is_asked_whether_it_signed(counter: Counter, order: OrderId) -> None:
    ledger, owner = counter.market.ledger, LocalSigner.random()
    assert isinstance(ledger, EmbeddedLedger)
    wallet = new_wallet(ledger, owner.address)
    account = account_of_its_own(counter)
    view = account.orders[order]
    account.orders[order] = replace(view, order=replace(view.order, buyer=wallet))
    request = counter.request(order, 3)
    assert counter.chunks.answer(counter.signed(request, by=owner))
    for signer in (LocalSigner.random(), counter.market.client.signer):
        with pytest.raises(Refused, match="the signature of the order's buyer"):
            counter.chunks.answer(counter.signed(request, by=signer))


# ------------------------------------------------------------------------------------------------------------------- stock


def sells_again(counter: Counter, made: OrderId, *sales: OrderId) -> None:
    """Lets the node's account say that these orders were sold the result of `made` as stock."""
    account = account_of_its_own(counter)
    offer = account.offers[account.orders[made].order.offer]
    stock = OfferId(b"stock".ljust(32))
    account.offers[stock] = replace(offer, offer=replace(offer.offer, id=stock), origin=made)
    for sale in sales:
        view = account.orders[sale]
        account.orders[sale] = replace(view, order=replace(view.order, offer=stock))


def test_of_stock_every_sale_opens_the_same_few_chunks_and_no_other(counter: Counter, delivered: Delivered) -> None:
    made, sales = delivered.small, (delivered.order, delivered.tiny)
    sells_again(counter, made, *sales)
    delivery = counter.market.order(made).delivery
    delivered_at = counter.market.order(made).at(OrderState.DELIVERED)
    assert delivery is not None
    assert delivered_at is not None
    block = counter.market.ledger.block(delivered_at.position.block).hash
    (drawn,) = draw(stock_seed(delivery.plain_root, block), 1, 15 * SMALL_ROWS // 992)
    for sale in sales:
        for other in {1, 2, 3, 4, 5, 6, 7, 8, 9} - {drawn}:
            with pytest.raises(Refused, match="expected the 2 chunks of this stock that all its buyers may open"):
                counter.ask(sale, other)
        assert counter.opened(sale) == []
        assert sorted(counter.ask(sale, 0, drawn)) == [0, drawn]
        assert counter.opened(sale) == [0, drawn]


def test_the_order_that_stock_was_made_for_has_a_draw_of_its_own(counter: Counter, delivered: Delivered) -> None:
    sells_again(counter, delivered.order, delivered.tiny)
    assert len(counter.ask(delivered.order, *range(20, 28))) == 8
