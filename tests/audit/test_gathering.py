from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.audit import gathering
from marketplace.audit.audit import judge
from marketplace.audit.evidence import Evidence, Reading
from marketplace.audit.gathering import gather, spread
from marketplace.content.cid import Cid
from marketplace.content.directory import DirectoryStore
from marketplace.content.store import put_bytes
from marketplace.errors import Refused, Unreachable
from marketplace.ledger.contract import Contract
from marketplace.protocol.events import Event
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Guarantee
from marketplace.protocol.order import Origin, Standing
from marketplace.protocol.states import FINAL, REASONS, DeclineReason

from ..ledger.fixtures import run_anvil
from ..ledger.world import COMPLAINT, HOUR_S, TOTAL_MICRO, World, anvil_world, embedded_world
from ..protocol.examples import DESCRIPTION


def quiet(_: str) -> None:
    """Progress that nobody reads."""


def live(world: World) -> None:
    """One order for each way that it can end, one that is open, and everything else that a market knows, once."""
    endings(world)
    contests(world)
    pools(world)
    permits(world)


def endings(world: World) -> None:
    """Every end of an order that needs nobody else than provider and buyer."""
    offer, order, delivery = world.reach_revealed()
    world.ledger.settle(world.buyer, offer, order)
    world.ledger.withdraw_payout(world.provider, offer)
    declined = world.place(offer)
    world.ledger.decline(world.provider, offer, declined, DeclineReason.CAPACITY)
    world.ledger.release(world.provider, offer, declined)
    rejected = world.place(offer)
    delivery = world.deliver(offer, rejected)
    world.ledger.reject(world.buyer, offer, rejected, world.hash(rejected, delivery))
    world.ledger.withdraw_credit(world.buyer, world.token, 5)
    late, unaccepted = world.place(offer), world.place(offer)
    world.deliver(offer, unaccepted)
    forfeited, unrevealed, _ = world.reach_accepted()
    sold, unchallenged, _ = world.reach_revealed()
    world.ledger.complain(world.buyer, *world.reach_revealed(), COMPLAINT)
    world.pass_time(offer.head.deliver_window_s + 1)
    world.ledger.refund(world.stranger, offer, late)
    world.ledger.refund(world.stranger, offer, unaccepted)
    world.ledger.forfeit(world.stranger, forfeited, unrevealed)
    world.ledger.settle(world.stranger, sold, unchallenged)
    world.ledger.revise(world.provider, offer.members[0].dataset, world.fresh(), world.fresh())
    world.ledger.retire(world.provider, sold)
    world.ledger.place(world.buyer, offer, world.order(offer, 2))


def contests(world: World) -> None:
    """Every end of a contested order, and users of a licence."""
    for price_bps, bond_bps in ((3_333, 777), (0, 10_000)):
        offer, order, _ = world.reach_contested()
        world.ledger.rule(world.arbiter, offer, order, price_bps, bond_bps)
        if price_bps:
            world.ledger.name_user(world.buyer, offer, order, world.stranger.address)
    world.ledger.complain(world.buyer, *world.reach_contested(), COMPLAINT)
    offer, order, _ = world.reach_contested()
    world.pass_time(offer.head.rule_window_s + 1)
    world.ledger.settle(world.stranger, offer, order)
    world.reach_contested()


def pools(world: World) -> None:
    """A pool with payouts and a release, and its result as stock."""
    offer = world.publish(world.head(), world.pool(3))
    declined = world.place(offer)
    world.ledger.decline(world.provider, offer, declined)
    mine = [index for index, member in enumerate(offer.members) if member.provider == world.partner.address]
    world.ledger.release(world.partner, offer, declined, mine[0])
    offer, order, delivery = world.reach_revealed(offer)
    world.ledger.settle(world.buyer, offer, order)
    world.ledger.withdraw_payout(world.stranger, offer, mine[0])
    head = world.head(stock=delivery.plain_root)
    members = [replace(member, rho_micro=0) for member in offer.members]
    origin = Origin(offer.head, offer.members, order, delivery)
    stock, _ = world.ledger.publish_stock(world.provider, head, members, origin, world.consents(head, members))
    again = world.place(stock)
    world.deliver(stock, again, replace(world.delivery(), plain_root=delivery.plain_root))
    world.ledger.retire(world.partner, stock, mine[0])


def permits(world: World) -> None:
    """Orders under permits that end well and badly, exact ones among them, and what a provider says about itself."""
    dataset = world.dataset(exact_total=1)
    offer = world.publish(world.permitted(), [world.member(dataset)])
    world.reach_revealed(offer, world.grant(offer.id))
    permit = world.grant(dataset)
    _, order, _ = world.reach_accepted(offer, permit)
    world.ledger.revoke(world.authority, permit, world.fresh())
    world.ledger.refund(world.stranger, offer, order)
    extended = world.grant(dataset, to_s=world.ledger.now_s() + HOUR_S)
    world.ledger.extend(world.authority, extended, world.ledger.now_s() + 9 * HOUR_S, world.fresh())
    head = world.permitted(guarantee=Guarantee.EXACT, delta_atto=0, cost_units=0, margin_units=0)
    exact = world.publish(head, [world.member(dataset, 0)])
    declined = world.place(exact, extended)
    world.ledger.decline(world.provider, exact, declined)
    world.ledger.release(world.provider, exact, declined)
    world.ledger.open_epoch(world.provider, dataset, 2 * TOTAL_MICRO, 3, world.fresh())
    world.place(exact, extended)
    world.ledger.describe(world.provider, world.fresh(), world.fresh())
    world.ledger.anchor(world.provider, world.ledger.now_s() // 86_400, world.fresh())


@pytest.fixture(scope="module")
def world() -> World:
    """A market in this process on which everything has happened."""
    world = embedded_world()
    live(world)
    return world


def test_a_real_contract_passes_every_check_that_needs_no_store(world: World) -> None:
    audit = judge(gather(world.ledger, None, quiet))
    assert [(check.number, check.evidence) for check in audit.checks if check.passed is False] == []
    assert {check.number for check in audit.checks if check.passed is None} == {11, 12, 14}


def test_every_end_and_every_kind_of_event_was_among_them(world: World) -> None:
    evidence = gather(world.ledger, None, quiet)
    assert {type(event) for event in evidence.events} == set(get_args(Event))
    ends = {(order.state, order.reason) for order in evidence.account.orders.values() if order.state in FINAL}
    assert ends == {(end, reason) for (_, end), reasons in REASONS.items() if end in FINAL for reason in reasons}


def test_a_real_contract_on_anvil_passes_too() -> None:
    with run_anvil() as url:
        world = anvil_world(url)
        live(world)
        assert judge(gather(world.ledger, None, quiet)).passed


def test_everything_that_the_events_name_was_asked_for(world: World) -> None:
    evidence = gather(world.ledger, None, quiet)
    assert evidence.answers.orders.keys() == evidence.account.orders.keys()
    assert evidence.answers.offers.keys() == evidence.account.offers.keys()
    assert evidence.answers.datasets.keys() == evidence.account.datasets.keys()
    assert evidence.answers.credits.keys() == evidence.account.credits.keys()
    assert evidence.answers.permits.keys() == evidence.account.permits.keys()
    assert {permit for permit, _ in evidence.answers.covers} == set(evidence.account.permits)
    assert {order for order, _ in evidence.answers.licensed} == set(evidence.account.orders)
    assert sum(evidence.answers.licensed.values()) == 7
    assert evidence.answers.asked_at_s == world.ledger.now_s()
    assert evidence.answers.balances.keys() == {world.token}
    assert evidence.readings is None


def test_reading_may_begin_where_the_contract_was_deployed(world: World) -> None:
    whole = gather(world.ledger, None, quiet)
    first = whole.events[0].position.block
    assert gather(world.ledger, None, quiet, first) == whole


def test_an_empty_contract_can_be_gathered_and_passes() -> None:
    world = embedded_world()
    assert judge(gather(world.ledger, None, quiet, world.ledger.head_block() + 1)).passed


def test_a_token_that_refuses_to_answer_does_not_end_the_gathering(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise Refused("expected a balance, the token said no")

    monkeypatch.setattr(world.ledger, "balance_units", refuse)
    evidence = gather(world.ledger, None, quiet)
    assert evidence.answers.balances == {world.token: None}
    assert judge(evidence).checks[1].passed is False


def test_progress_is_said(world: World) -> None:
    said: list[str] = []
    gather(world.ledger, None, said.append)
    assert said[0] == "reading events"
    assert said[1] == "asking the contract about 21 orders"


def test_very_many_licences_and_subjects_are_asked_for_in_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_RIGHTS_ASKED", 2)
    evidence = gather(world.ledger, None, quiet)
    assert (len(evidence.answers.licensed), len(evidence.answers.covers)) == (2, 2)
    assert judge(evidence).passed


def test_very_many_orders_are_asked_for_in_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_ORDERS_ASKED", 3)
    evidence = gather(world.ledger, None, quiet)
    assert len(evidence.answers.orders) == 3
    found = judge(evidence).checks[2]
    assert found.passed
    assert found.evidence.startswith("3 of 21 orders, evenly spread")


@given(st.integers(0, 500), st.integers(2, 50))
def test_a_spread_is_even_and_has_both_ends(count: int, most: int) -> None:
    chosen = spread(range(count), most)
    assert len(chosen) == min(count, most) == len(set(chosen))
    assert chosen == sorted(chosen)
    if count:
        assert {chosen[0], chosen[-1]} == {0, count - 1}
        gaps = [after - before for before, after in pairwise(chosen)]
        assert not gaps or max(gaps) - min(gaps) <= 1


class Moving:
    """A ledger on which something happens whenever an order is asked about, a number of times."""

    def __init__(self, ledger: Contract, happen: Callable[[], None], times: int) -> None:
        self._ledger, self._happen, self._times = ledger, happen, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def order(self, order: OrderId) -> Standing:
        if self._times:
            self._times -= 1
            self._happen()
        return self._ledger.order(order)


def moving(times: int) -> Evidence:
    world = embedded_world()
    offer, _, _ = world.reach_revealed()

    def happen() -> None:
        world.place(offer)
        world.ledger.withdraw_credit(world.provider, world.token, 1)

    return gather(Moving(world.ledger, happen, times), None, quiet)


def test_what_happens_while_the_contract_is_asked_is_asked_for_again() -> None:
    evidence = moving(3)
    assert len(evidence.account.orders) == 4
    assert judge(evidence).passed


def test_a_ledger_that_never_stands_still_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_ROUNDS", 3)
    with pytest.raises(Unreachable, match="expected the ledger to stand still for one reading"):
        moving(10**6)


# ----------------------------------------------------------------------------------------------------------- the store


def stored(world: World, store: DirectoryStore) -> Cid:
    """A dataset on sale whose description, terms and sealed object lie in `store`; gives the object's address."""
    description = put_bytes(store, DESCRIPTION.encode())
    dataset, _ = world.ledger.register(world.provider, world.fresh(), world.fresh(), description.digest, 10**6)
    offer = world.offer(dataset, terms=put_bytes(store, b"terms").digest)
    order = world.place(offer)
    delivery = world.delivery()
    sealed = put_bytes(store, b"sealed" * 100_000)
    changed = {**vars(delivery), "object": sealed.digest, "object_codec": sealed.codec}
    world.ledger.deliver(world.provider, offer, order, type(delivery)(**changed))
    return sealed


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path, Cid]]:
    world, path = embedded_world(), tmp_path_factory.mktemp("store")
    yield world, path, stored(world, DirectoryStore(path))


def test_documents_are_kept_and_objects_only_read(shop: tuple[World, Path, Cid]) -> None:
    world, path, sealed = shop
    readings = gather(world.ledger, DirectoryStore(path), quiet).readings
    assert readings is not None
    assert readings[Cid.of_raw(DESCRIPTION.encode())].content == DESCRIPTION.encode()
    assert readings[Cid.of_raw(b"terms")].content == b"terms"
    assert readings[sealed].found
    assert readings[sealed].content is None
    assert sorted(reading.found for reading in readings.values()) == [False, False, True, True, True]


def test_a_flipped_bit_in_a_block_of_an_object_is_found(shop: tuple[World, Path, Cid]) -> None:
    world, path, sealed = shop
    blocks = [file for file in path.rglob("*") if file.is_file() and file.stat().st_size > 10_000]
    data = blocks[0].read_bytes()
    blocks[0].write_bytes(bytes([data[0] ^ 1]) + data[1:])
    evidence = gather(world.ledger, DirectoryStore(path), quiet)
    assert evidence.readings is not None
    assert evidence.readings[sealed].fault
    found = judge(evidence).checks[10]
    assert found.passed is False
    assert "the object of order" in found.evidence
    blocks[0].write_bytes(data)


def test_an_object_with_a_missing_block_is_not_there(shop: tuple[World, Path, Cid]) -> None:
    world, path, sealed = shop
    block = next(file for file in path.rglob("*") if file.is_file() and file.stat().st_size > 10_000)
    data = block.read_bytes()
    block.unlink()
    readings = gather(world.ledger, DirectoryStore(path), quiet).readings
    assert readings is not None
    assert not readings[sealed].found
    block.write_bytes(data)


def test_what_is_too_large_to_be_a_document_is_read_but_not_kept(
    shop: tuple[World, Path, Cid], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, path, _ = shop
    monkeypatch.setattr(gathering, "LARGEST_DOCUMENT_BYTES", 4)
    readings = gather(world.ledger, DirectoryStore(path), quiet).readings
    assert readings is not None
    assert readings[Cid.of_raw(b"terms")] == Reading(found=True, content=None)


def test_a_store_that_does_not_answer_ends_the_gathering(shop: tuple[World, Path, Cid]) -> None:
    class Down(DirectoryStore):
        def has(self, cid: Cid) -> bool:
            raise Unreachable("expected a store, got no answer; try again")

    with pytest.raises(Unreachable, match="expected a store"):
        gather(shop[0].ledger, Down(shop[1]), quiet)
