"""Whether an account signed: its key is tried first, and then the wallet that it is."""

import pytest

from marketplace.ledger.embedded import EmbeddedLedger
from marketplace.ledger.signer import LocalSigner
from marketplace.ledger.wallets import DELEGATION, MAGIC, is_wallet
from marketplace.protocol.identity import Address
from tests.ledger.wallet import new_wallet

STRUCT = b"s" * 32


@pytest.fixture(scope="module")
def ledger() -> EmbeddedLedger:
    return EmbeddedLedger()


def signature(ledger: EmbeddedLedger, by: LocalSigner, struct: bytes = STRUCT) -> bytes:
    return by.sign_digest(ledger.domain.digest(struct))


def test_the_question_is_the_standards() -> None:
    assert MAGIC.hex() == "1626ba7e"


def test_a_key_signs_for_its_own_account_alone(ledger: EmbeddedLedger) -> None:
    signer, other = LocalSigner.random(), LocalSigner.random()
    assert ledger.signed_by(signer.address, STRUCT, signature(ledger, signer))
    assert not ledger.signed_by(other.address, STRUCT, signature(ledger, signer))
    assert not ledger.signed_by(signer.address, STRUCT, signature(ledger, signer, b"t" * 32))


def test_a_wallet_says_itself_whose_signature_it_takes(ledger: EmbeddedLedger) -> None:
    owner, other = LocalSigner.random(), LocalSigner.random()
    wallet = new_wallet(ledger, owner.address)
    assert ledger.signed_by(wallet, STRUCT, signature(ledger, owner))
    assert not ledger.signed_by(wallet, STRUCT, signature(ledger, other))
    assert not ledger.signed_by(wallet, b"t" * 32, signature(ledger, owner))


@pytest.mark.parametrize("data", [b"", b"x" * 64, b"\xff" * 65, b"x" * 2_048])
def test_what_is_no_signature_is_nobodys(ledger: EmbeddedLedger, data: bytes) -> None:
    owner = LocalSigner.random()
    for account in (owner.address, new_wallet(ledger, owner.address)):
        assert not ledger.signed_by(account, STRUCT, data)


def test_code_that_knows_nothing_of_signatures_signs_nothing(ledger: EmbeddedLedger) -> None:
    signer = LocalSigner.random()
    for account in (ledger.token, ledger.domain.contract):
        assert not ledger.signed_by(account, STRUCT, signature(ledger, signer))


def test_a_contract_is_a_wallet_and_an_account_with_a_key_is_none(ledger: EmbeddedLedger) -> None:
    owner = LocalSigner.random()
    assert is_wallet(ledger.chain, new_wallet(ledger, owner.address))
    assert not is_wallet(ledger.chain, owner.address)


def test_an_account_that_lends_itself_code_still_has_its_key() -> None:
    class Lending:
        def code(self, _: Address) -> bytes:
            return DELEGATION + b"c" * 20

    assert not is_wallet(Lending(), LocalSigner.random().address)  # type: ignore[arg-type]
