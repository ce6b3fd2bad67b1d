"""Tokens that do not keep their word, and the test euro."""

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from scripts.benchmarks.evm import Deployed, Reverted
from scripts.benchmarks.life import Life, live
from scripts.benchmarks.market import DAY_S, EURO

from .conftest import Stage
from .doubles import double

PRICE, BOND = 500 * EURO, 50 * EURO


def token(stage: Stage, name: str) -> Deployed:
    """One of the tokens, with which buyer and provider are provided."""
    made = stage.market.evm.deploy(double(name))
    for account in (stage.provider, stage.buyer):
        stage.market.fund(made, account)
    return made


def order_in(stage: Stage, coin: Deployed, bond: int = BOND) -> Life:
    """An order of an offer in this token, not placed yet."""
    return live(stage.market, stage.publish(token=coin.address, bond=bond))


def test_a_token_that_answers_nothing_works(stage: Stage) -> None:
    coin = token(stage, "SilentToken")
    life = order_in(stage, coin)
    stage.rules.send(stage.provider, "stake", coin.address, BOND)
    for step in (life.place, life.deliver, life.accept, life.reveal, life.settle, life.withdraw_payout):
        step()
    stage.rules.send(stage.provider, "withdrawCredit", coin.address, BOND)
    assert coin.ask("balanceOf", stage.provider) == 1_000_000 * EURO + PRICE
    assert coin.ask("balanceOf", stage.rules.address) == 0


@pytest.mark.parametrize(("name", "received"), [("FeeToken", PRICE - PRICE // 100), ("GenerousToken", PRICE + 1)])
def test_a_price_that_does_not_arrive_exactly_is_refused(stage: Stage, name: str, received: int) -> None:
    coin = token(stage, name)
    life = order_in(stage, coin, bond=0)
    with stage.refused("InexactTransfer", coin.address, PRICE, received):
        life.place()


def test_a_stake_that_does_not_arrive_exactly_is_refused(stage: Stage) -> None:
    coin = token(stage, "FeeToken")
    with stage.refused("InexactTransfer", coin.address, 1_000, 990):
        stage.rules.send(stage.provider, "stake", coin.address, 1_000)


def test_a_token_that_says_false_is_refused(stage: Stage) -> None:
    coin = token(stage, "FalseToken")
    life = order_in(stage, coin, bond=0)
    with stage.refused("SafeERC20FailedOperation", coin.address):
        life.place()
    with stage.refused("SafeERC20FailedOperation", coin.address):
        stage.rules.send(stage.provider, "stake", coin.address, 1)


@pytest.mark.parametrize("function", ["stake", "withdrawCredit"])
def test_a_token_cannot_come_back_for_more_money(stage: Stage, function: str) -> None:
    coin = token(stage, "ReenteringToken")
    stage.rules.send(stage.provider, "stake", coin.address, BOND)
    coin.send(stage.stranger, "arm", stage.rules.address, stage.rules.contract.call(function, (coin.address, 1)))
    with stage.refused("ReentrancyGuardReentrantCall"):
        stage.rules.send(stage.provider, "withdrawCredit", coin.address, BOND)


def test_a_token_cannot_place_or_pay_out_from_inside(stage: Stage) -> None:
    coin = token(stage, "ReenteringToken")
    life = order_in(stage, coin, bond=0)
    for function, arguments in (
        ("place", (life.terms.head, life.terms.members, life.order)),
        ("withdrawPayout", (life.terms.head, life.terms.members, 0)),
    ):
        coin.send(stage.stranger, "arm", stage.rules.address, stage.rules.contract.call(function, arguments))
        with stage.refused("ReentrancyGuardReentrantCall"):
            life.place()


def test_a_token_that_steps_an_order_from_inside_finds_it_placed_and_conserved(stage: Stage) -> None:
    coin = token(stage, "ReenteringToken")
    life = order_in(stage, coin, bond=0)
    refunding = stage.rules.contract.call("refund", (life.terms.head, life.terms.members_hash, life.order))
    coin.send(stage.stranger, "arm", stage.rules.address, refunding)
    with stage.refused("TooEarly", life.id, stage.market.evm.now_s + DAY_S):
        life.place()


def test_one_who_cannot_be_paid_stops_nobody_else(stage: Stage) -> None:
    coin = token(stage, "BlockingToken")
    life = order_in(stage, coin, bond=0)
    life.place()
    coin.send(stage.stranger, "block_", stage.buyer)
    life.decline()
    assert stage.rules.ask("getCredit", coin.address, stage.buyer) == PRICE
    with pytest.raises(Reverted):
        stage.rules.send(stage.buyer, "withdrawCredit", coin.address, PRICE)
    coin.send(stage.stranger, "block_", stage.stranger)
    stage.rules.send(stage.buyer, "withdrawCredit", coin.address, PRICE)
    assert coin.ask("balanceOf", stage.buyer) == 1_000_000 * EURO


def test_the_euro_is_play_money_with_six_decimals(stage: Stage) -> None:
    euro = stage.market.euro
    assert (euro.ask("name"), euro.ask("symbol"), euro.ask("decimals")) == ("Test Euro", "EURT", 6)
    before = euro.ask("balanceOf", stage.stranger)
    euro.send(stage.buyer, "mint", stage.stranger, 5)
    assert euro.ask("balanceOf", stage.stranger) == before + 5


EURO_TYPES = {
    "Permit": "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline",
    "ReceiveWithAuthorization": "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,"
    "bytes32 nonce",
    "TransferWithAuthorization": "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,"
    "bytes32 nonce",
    "CancelAuthorization": "address authorizer,bytes32 nonce",
}


def sign(stage: Stage, account: str, name: str, *arguments: Any) -> tuple[int, bytes, bytes]:
    """The account's signature over a typed message to the test euro: v, r, s."""
    fields = [dict(zip(("type", "name"), field.split(), strict=True)) for field in EURO_TYPES[name].split(",")]
    message = {field["name"]: value for field, value in zip(fields, arguments, strict=True)}
    domain = {
        "name": "Test Euro",
        "version": "1",
        "chainId": stage.market.evm.chain_id,
        "verifyingContract": stage.market.euro.address,
    }
    signed = Account.sign_message(encode_typed_data(domain, {name: fields}, message), stage.market.evm.keys[account])
    return signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32)


def test_the_euro_takes_permits(stage: Stage) -> None:
    euro, end_s = stage.market.euro, stage.market.evm.now_s
    parts = (stage.buyer, stage.stranger, 9)
    signature = sign(stage, stage.buyer, "Permit", *parts, 0, end_s)
    euro.send(stage.provider, "permit", *parts, end_s, *signature)
    assert euro.ask("allowance", stage.buyer, stage.stranger) == 9
    with pytest.raises(Reverted, match="ERC2612InvalidSigner"):
        euro.send(stage.provider, "permit", *parts, end_s, *signature)


@pytest.mark.parametrize("kind", ["Transfer", "Receive"])
def test_the_euro_moves_by_authorization_once(stage: Stage, kind: str) -> None:
    euro, now_s, nonce = stage.market.euro, stage.market.evm.now_s, b"\x09" * 32
    parts = (stage.buyer, stage.stranger, 7, now_s - 1, now_s + 1, nonce)
    signature = sign(stage, stage.buyer, f"{kind}WithAuthorization", *parts)
    function, before = f"{kind.lower()}WithAuthorization", euro.ask("balanceOf", stage.stranger)
    assert not euro.ask("authorizationState", stage.buyer, nonce)
    euro.send(stage.stranger, function, *parts, *signature)
    assert euro.ask("balanceOf", stage.stranger) == before + 7
    assert euro.ask("authorizationState", stage.buyer, nonce)
    with pytest.raises(Reverted, match="ERC3009UsedAuthorization"):
        euro.send(stage.stranger, function, *parts, *signature)


def test_only_the_payee_receives_with_authorization(stage: Stage) -> None:
    now_s = stage.market.evm.now_s
    parts = (stage.buyer, stage.stranger, 7, now_s - 1, now_s + 1, bytes(32))
    signature = sign(stage, stage.buyer, "ReceiveWithAuthorization", *parts)
    with pytest.raises(Reverted, match="ERC20InvalidReceiver"):
        stage.market.euro.send(stage.provider, "receiveWithAuthorization", *parts, *signature)


@pytest.mark.parametrize(("after", "before"), [(0, 1), (-1, 0)])
def test_an_authorization_is_good_between_its_times_only(stage: Stage, after: int, before: int) -> None:
    now_s = stage.market.evm.now_s
    parts = (stage.buyer, stage.stranger, 7, now_s + after, now_s + before, bytes(32))
    signature = sign(stage, stage.buyer, "TransferWithAuthorization", *parts)
    with pytest.raises(Reverted, match="ERC3009InvalidAuthorizationTime"):
        stage.market.euro.send(stage.provider, "transferWithAuthorization", *parts, *signature)


def test_a_cancelled_authorization_is_used_up(stage: Stage) -> None:
    euro, now_s, nonce = stage.market.euro, stage.market.evm.now_s, b"\x09" * 32
    euro.send(
        stage.provider,
        "cancelAuthorization",
        stage.buyer,
        nonce,
        *sign(stage, stage.buyer, "CancelAuthorization", stage.buyer, nonce),
    )
    assert euro.ask("authorizationState", stage.buyer, nonce)
    parts = (stage.buyer, stage.stranger, 7, now_s - 1, now_s + 1, nonce)
    with pytest.raises(Reverted, match="ERC3009UsedAuthorization"):
        euro.send(
            stage.provider,
            "transferWithAuthorization",
            *parts,
            *sign(stage, stage.buyer, "TransferWithAuthorization", *parts),
        )
