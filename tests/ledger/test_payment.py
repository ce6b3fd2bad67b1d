"""Payments by signature: what is signed for which token, and that the token takes it."""

from collections.abc import Callable

import pytest

from marketplace.errors import Invalid, Refused
from marketplace.ledger import artifact, sending
from marketplace.ledger.calls import Call, call
from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.signer import LocalSigner
from marketplace.protocol.identity import Address, OrderId
from marketplace.protocol.order import Means, Payment
from tests.contracts.doubles import double

ORDER = OrderId(b"o" * 32)
AMOUNT_UNITS = 1_234_567


@pytest.fixture(scope="module")
def ledger() -> EmbeddedLedger:
    return EmbeddedLedger()


@pytest.fixture
def owner(ledger: EmbeddedLedger) -> LocalSigner:
    """Somebody with money and without gas."""
    signer = LocalSigner.random()
    ledger.mint(ledger.treasury, ledger.token, signer.address, AMOUNT_UNITS)
    return signer


@pytest.fixture(scope="module")
def deployed(ledger: EmbeddedLedger) -> Callable[[str], Address]:
    """The address of a new token, by its name."""

    def deploy(name: str) -> Address:
        creation = Call(None, "constructor", double(name).bytecode)
        receipt = sending.send(ledger.chain, sending.prepare(ledger.chain, ledger.treasury, creation), 10)
        return sending.created(ledger.chain, receipt)

    return deploy


def sign(ledger: EmbeddedLedger, by: LocalSigner, token: Address, amount_units: int = AMOUNT_UNITS) -> Payment:
    return ledger.sign_payment(by, token, amount_units, ORDER, ledger.now_s() + 600)


def take(ledger: EmbeddedLedger, token: Address, function: str, *values: object) -> None:
    """Hands a signature in to the token, as anybody can."""
    ledger.send(ledger.prepare(ledger.treasury, call(token, artifact.load().euro, function, *values)))


def test_a_token_with_authorizations_gets_one_that_the_payee_alone_can_take(
    ledger: EmbeddedLedger, owner: LocalSigner
) -> None:
    blocks, last_s = ledger.head_block(), ledger.now_s() + 600
    payment = sign(ledger, owner, ledger.token)
    assert (payment.means, payment.deadline_s) == (Means.AUTHORIZATION, last_s + 1)
    assert ledger.head_block() == blocks
    parts = (owner.address, ledger.domain.contract, AMOUNT_UNITS, 0, payment.deadline_s, ORDER)
    with pytest.raises(Invalid, match="expected an account that can receive"):
        take(ledger, ledger.token, "receiveWithAuthorization", *parts, payment.v, payment.r, payment.s)
    assert ledger.balance_units(ledger.token, owner.address) == AMOUNT_UNITS


def test_a_token_without_them_gets_an_approval_of_exactly_the_amount(
    ledger: EmbeddedLedger, deployed: Callable[[str], Address], owner: LocalSigner
) -> None:
    token, last_s = deployed("ApprovalToken"), ledger.now_s() + 600
    for _ in range(2):
        payment = ledger.sign_payment(owner, token, AMOUNT_UNITS, ORDER, last_s)
        assert (payment.means, payment.deadline_s) == (Means.SIGNED_APPROVAL, last_s)
        parts = (owner.address, ledger.domain.contract, AMOUNT_UNITS, last_s)
        take(ledger, token, "permit", *parts, payment.v, payment.r, payment.s)
        assert ledger.allowance_units(token, owner.address) == AMOUNT_UNITS


@pytest.mark.parametrize("name", ["PlainToken", "MimicToken", "SwallowingToken"])
def test_a_token_that_takes_no_signature_is_refused_unless_the_price_is_approved(
    ledger: EmbeddedLedger, deployed: Callable[[str], Address], owner: LocalSigner, name: str
) -> None:
    with pytest.raises(Refused, match="expected a token that takes payments by signature"):
        sign(ledger, owner, deployed(name))


def test_an_address_without_code_is_no_token(ledger: EmbeddedLedger, owner: LocalSigner) -> None:
    with pytest.raises(Refused, match="takes payments by signature"):
        sign(ledger, owner, LocalSigner.random().address)


def test_an_approval_that_stands_pays_where_the_token_takes_no_signature(
    ledger: EmbeddedLedger, deployed: Callable[[str], Address]
) -> None:
    token, owner = deployed("PlainToken"), ledger.account()
    ledger.approve(owner, token, AMOUNT_UNITS)
    assert sign(ledger, owner, token) == Payment(Means.APPROVAL)
    with pytest.raises(Refused, match="no approval covers the price"):
        sign(ledger, owner, token, AMOUNT_UNITS + 1)


def test_nothing_is_signed_where_nothing_is_to_be_paid(ledger: EmbeddedLedger, owner: LocalSigner) -> None:
    assert sign(ledger, owner, ledger.token, 0) == Payment(Means.APPROVAL)
