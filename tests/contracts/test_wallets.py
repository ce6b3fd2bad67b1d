"""Accounts with code (ERC-1271) wherever a signature is checked: buyers, and the members of a pool."""

from typing import Any

import pytest

from marketplace.protocol.states import OrderState
from scripts.benchmarks.market import NOBODY, Terms

from .conftest import Stage
from .doubles import double


@pytest.fixture
def wallet(stage: Stage) -> str:
    """A wallet of the stranger's, with money."""
    made = stage.market.wallet(double("Wallet"), stage.stranger)
    stage.market.fund(stage.market.euro, made)
    return made


def pooled(stage: Stage, wallet: str) -> tuple[Any, list[Any]]:
    """Terms and members of an offer one of whose providers is a wallet."""
    return stage.market.head(), stage.market.pool(stage.provider, wallet)


def test_a_wallet_leads_and_buys_by_its_own_calls(stage: Stage, wallet: str) -> None:
    members = stage.market.pool(wallet)
    stage.market.act(wallet, stage.rules, "stake", stage.market.euro.address, stage.bond)
    terms = stage.offer(stage.market.head(lead=wallet), *members)
    assert stage.settled(1, terms, buyer=wallet).standing.state == OrderState.SETTLED


def test_a_wallet_orders_by_its_owners_signature(stage: Stage, wallet: str) -> None:
    life = stage.order(1, buyer=wallet)
    with stage.refused("WrongSignature", wallet):
        life.place_for(signature=life.sign_order(stage.buyer))
    life.place_for()
    assert life.standing.state == OrderState.PLACED


def test_a_wallet_accepts_by_its_owners_signature(stage: Stage, wallet: str) -> None:
    life = stage.delivered(1, buyer=wallet)
    with stage.refused("WrongSignature", wallet):
        life.accept_for(life.sign_acceptance(stage.buyer))
    life.accept_for(life.sign_acceptance(wallet))
    assert life.standing.state == OrderState.ACCEPTED


def test_a_wallet_consents_by_its_owners_signature(stage: Stage, wallet: str) -> None:
    head, members = pooled(stage, wallet)
    with stage.refused("WrongSignature", wallet):
        stage.rules.send(
            stage.provider, "publish", head, members, [stage.market.consent(head, members, stage.provider)]
        )
    assert stage.offer(head, *members).offer


def test_a_wallet_signs_deliveries_by_its_owners_signature(stage: Stage, wallet: str) -> None:
    head, members = pooled(stage, wallet)
    life = stage.placed(1, stage.offer(head, *members))
    with stage.refused("WrongSignature", wallet):
        life.deliver(signatures=[life.sign_delivery(stage.provider)])
    life.deliver()
    assert life.standing.delivery == life.digest


STEPS = ["order", "acceptance", "consent", "delivery"]


def signed(stage: Stage, step: str, terms: Terms, account: str) -> Any:
    """Something that an account signs, as the call that hands it in: the right signature, and the call for any."""
    if step == "consent":
        head, members = stage.market.head(maxOpen=9), terms.members
        consent = stage.market.consent(head, members, account)
        return consent.signature, lambda signature: stage.rules.send(
            stage.provider, "publish", head, members, [consent._replace(signature=signature)]
        )
    life = stage.order(1, terms, buyer=account if step != "delivery" else stage.buyer)
    if step == "order":
        return life.sign_order(), lambda signature: life.place_for(signature=signature or b"\0")
    life.place()
    if step == "delivery":
        return life.sign_delivery(account), lambda signature: life.deliver(signatures=[signature])
    life.deliver()
    return life.sign_acceptance(account), life.accept_for


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("length", [0, 1, 64, 66])
def test_bytes_of_another_length_are_no_signature_of_a_wallet(
    stage: Stage, wallet: str, step: str, length: int
) -> None:
    head, members = pooled(stage, wallet)
    right, hand_in = signed(stage, step, stage.offer(head, *members), wallet)
    with stage.refused("WrongSignature", wallet):
        hand_in((right + b"\0")[:length])


@pytest.mark.parametrize("kind", ["ReenteringToken", "PlainToken", "SilentToken"])
def test_a_contract_that_is_no_wallet_signs_nothing(stage: Stage, kind: str) -> None:
    contract = stage.market.evm.deploy(double(kind)).address
    life = stage.order(1, buyer=contract)
    with stage.refused("WrongSignature", contract):
        life.place_for(signature=life.sign_order(stage.buyer))


def test_nobody_signs_for_the_address_zero(stage: Stage) -> None:
    life = stage.order(1, buyer=NOBODY)
    for signature in (bytes(65), life.sign_order(stage.buyer)):
        with stage.refused("WrongSignature", NOBODY):
            life.place_for(signature=signature)
