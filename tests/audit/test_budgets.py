from dataclasses import replace

import pytest

from marketplace.protocol import events as ev
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Guarantee, Offer
from marketplace.protocol.states import Reason

from ..protocol.examples import address
from ..protocol.history import AUTHORITY, PURPOSE, RHO_MICRO, History, market
from .examples import check, failing, truthful


def declined() -> tuple[History, Offer, OrderId]:
    history, offer = market()
    order = history.place(offer)
    history.decline(order)
    return history, offer, order


def test_a_release_after_a_refund_before_delivery_passes() -> None:
    history, _, order = declined()
    history.release(order)
    assert failing(truthful(history)) == set()
    assert check(6, truthful(history)).evidence == "1 dataset, 1 release, 0 epochs opened"


def test_a_release_twice_fails() -> None:
    history, _, order = declined()
    history.release(order)
    history.release(order)
    assert "released what dataset" in check(6, truthful(history)).evidence
    assert 6 in failing(truthful(history))


def test_a_release_of_more_than_was_charged_fails() -> None:
    history, offer, order = declined()
    history.record(ev.RhoReleased, order, offer.members[0].dataset, RHO_MICRO + 1)
    assert 6 in failing(truthful(history))


def test_a_release_from_another_dataset_fails() -> None:
    history, _, order = declined()
    history.record(ev.RhoReleased, order, history.register(), RHO_MICRO)
    assert 6 in failing(truthful(history))


@pytest.mark.parametrize("way", ["open", "rejected", "settled"])
def test_a_release_for_an_order_whose_records_were_touched_fails(way: str) -> None:
    history, offer = market()
    order = history.settled(offer) if way == "settled" else history.place(offer)
    if way == "rejected":
        history.deliver(order)
        history.refund(order, Reason.REJECTED)
    history.release(order)
    found = check(6, truthful(history))
    assert found.passed is False
    assert f"order 0x{order.hex()[:8]} was released though it was not refunded before a delivery" in found.evidence


def test_a_dataset_above_its_total_for_a_moment_fails_even_if_it_comes_down_again() -> None:
    history = History()
    offer = history.publish(history.register(total_micro=RHO_MICRO))
    history.stake(2 * offer.head.bond_units)
    first = history.place(offer)
    assert failing(truthful(history)) == set()
    second = history.place(offer)
    for order in (first, second):
        history.decline(order)
        history.release(order)
    assert failing(truthful(history)) == {6}
    assert f"order 0x{second.hex()[:8]} took dataset" in check(6, truthful(history)).evidence


def test_a_fold_that_counts_otherwise_fails() -> None:
    history, offer = market()
    history.place(offer)
    evidence = truthful(history)
    ((dataset, view),) = evidence.account.datasets.items()
    account = replace(evidence.account, datasets={dataset: replace(view, used_micro=1)})
    found = check(6, replace(evidence, account=account))
    assert found.evidence == f"dataset 0x{dataset.hex()[:8]} has used 30,560 micro-rho, not what it says"


def test_the_worst_case_of_each_provider_is_summed_over_its_datasets() -> None:
    history, offer = market()
    history.place(offer)
    second = history.publish(history.register())
    history.place(second)
    history.register(provider=address(5), total_micro=1_000)
    found = check(13, truthful(history))
    assert found.passed
    assert "rho 0.061120" in found.evidence
    assert "of rho 0.611200" in found.evidence
    assert "over 2 datasets" in found.evidence
    assert "over 1 dataset" in found.evidence
    assert "(epsilon 1." in found.evidence


def test_a_provider_that_used_more_than_its_total_fails() -> None:
    history = History()
    offer = history.publish(history.register(total_micro=RHO_MICRO - 1))
    history.place(offer)
    assert failing(truthful(history)) >= {6, 13}
    assert "has used more than its total" in check(13, truthful(history)).evidence


EXACT = {
    "guarantee": Guarantee.EXACT,
    "delta_atto": 0,
    "bond_units": 0,
    "authority": AUTHORITY,
    "purposes": 1 << PURPOSE,
}


def exact_market(exact_total: int = 1) -> tuple[History, Offer]:
    """A market whose offer takes its orders from a dataset's allowance."""
    history = History()
    return history, history.publish(history.register(exact_total=exact_total), **EXACT)


def exact_order(history: History, offer: Offer) -> OrderId:
    return history.place(offer, permit=history.grant(offer.id))


def test_an_exact_order_above_the_allowance_fails() -> None:
    history, offer = exact_market()
    exact_order(history, offer)
    assert failing(truthful(history)) == set()
    order = exact_order(history, offer)
    assert failing(truthful(history)) == {6}
    assert f"order 0x{order.hex()[:8]} took dataset" in check(6, truthful(history)).evidence
    assert "above its allowance" in check(6, truthful(history)).evidence


def test_an_exact_release_makes_room_once_and_only_for_an_exact_order() -> None:
    history, offer = exact_market()
    order = exact_order(history, offer)
    history.decline(order)
    history.release(order)
    exact_order(history, offer)
    assert failing(truthful(history)) == set()
    history.record(ev.RhoReleased, order, offer.members[0].dataset, 0)
    assert failing(truthful(history)) == {6}


def test_each_member_of_a_pool_releases_its_own_and_once() -> None:
    history = History()
    datasets = [history.register(), history.register(provider=address(5))]
    offer = history.publish(*datasets, bond_units=0)
    order = history.place(offer)
    history.decline(order)
    history.release(order, 0)
    history.release(order, 1)
    assert failing(truthful(history)) == set()
    history.release(order, 1)
    assert 6 in failing(truthful(history))


def test_a_release_for_an_order_of_stock_fails() -> None:
    history, offer = market()
    stock = history.publish_stock(history.settled(offer), bond_units=0)
    order = history.place(stock)
    history.decline(order)
    assert failing(truthful(history)) == set()
    history.record(ev.RhoReleased, order, offer.members[0].dataset, 0)
    assert 6 in failing(truthful(history))


def test_an_epoch_that_raises_the_total_and_begins_a_new_allowance_passes() -> None:
    history, offer = exact_market()
    dataset = offer.members[0].dataset
    exact_order(history, offer)
    history.open_epoch(dataset, 11 * RHO_MICRO, 1)
    exact_order(history, offer)
    assert failing(truthful(history)) == set()
    assert check(6, truthful(history)).evidence == "1 dataset, 0 releases, 1 epoch opened"
    exact_order(history, offer)
    assert failing(truthful(history)) == {6}


def test_an_epoch_with_the_same_total_and_no_allowance_passes() -> None:
    history, offer = exact_market()
    exact_order(history, offer)
    history.open_epoch(offer.members[0].dataset, 10 * RHO_MICRO, 0)
    assert failing(truthful(history)) == set()


def test_an_order_above_the_total_of_its_own_time_fails_though_a_later_epoch_has_room() -> None:
    history = History()
    offer = history.publish(history.register(total_micro=RHO_MICRO - 1), bond_units=0)
    history.place(offer)
    history.open_epoch(offer.members[0].dataset, 10 * RHO_MICRO)
    assert failing(truthful(history)) == {6}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((2, 10 * RHO_MICRO - 1, 5), "lowered the total of"),
        ((2, 10 * RHO_MICRO, 0), "below what was used"),
        ((3, 10 * RHO_MICRO, 5), "skipped an epoch"),
    ],
)
def test_an_epoch_that_lowers_anything_or_is_out_of_order_fails(parts: tuple[int, int, int], words: str) -> None:
    history, offer = exact_market(exact_total=5)
    exact_order(history, offer)
    history.record(ev.EpochOpened, offer.members[0].dataset, *parts, bytes(32))
    assert 6 in failing(truthful(history))
    assert words in check(6, truthful(history)).evidence


def test_a_dataset_without_a_budget_fails() -> None:
    history = History()
    history.register(total_micro=0)
    assert failing(truthful(history)) == {6}


def test_a_dataset_that_is_registered_twice_fails() -> None:
    history, _ = market()
    history.events.append(replace(history.events[0], position=replace(history.events[-1].position, block=9)))
    assert 6 in failing(truthful(history))
    assert "was registered twice" in check(6, truthful(history)).evidence


def test_exact_results_are_named_beside_the_worst_case() -> None:
    history, offer = exact_market(exact_total=2)
    exact_order(history, offer)
    exact_order(history, offer)
    assert "over 1 dataset, and 2 exact results, which no epsilon bounds" in check(13, truthful(history)).evidence
