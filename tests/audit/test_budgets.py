from dataclasses import replace

import pytest

from marketplace.protocol import events as ev
from marketplace.protocol.identity import OrderId
from marketplace.protocol.offer import Offer
from marketplace.protocol.states import Reason

from ..protocol.examples import address
from ..protocol.history import RHO_MICRO, History, market
from .examples import check, failing, truthful


def declined() -> tuple[History, Offer, OrderId]:
    history, offer = market()
    order = history.place(offer)
    history.refund(order, Reason.DECLINED)
    return history, offer, order


def test_a_release_after_a_refund_before_delivery_passes() -> None:
    history, _, order = declined()
    history.release(order)
    assert failing(truthful(history)) == set()
    assert check(6, truthful(history)).evidence == "1 dataset, 1 release"


def test_a_release_twice_fails() -> None:
    history, _, order = declined()
    history.release(order)
    history.release(order)
    assert "that dataset" in check(6, truthful(history)).evidence
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
    assert (
        f"rho of order 0x{order.hex()[:8]} was released though it was not refunded before a delivery" in found.evidence
    )


def test_a_dataset_above_its_total_for_a_moment_fails_even_if_it_comes_down_again() -> None:
    history = History()
    offer = history.publish(history.register(total_micro=RHO_MICRO))
    history.stake(2 * offer.head.bond_units)
    first = history.place(offer)
    assert failing(truthful(history)) == set()
    second = history.place(offer)
    for order in (first, second):
        history.refund(order, Reason.DECLINED)
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
