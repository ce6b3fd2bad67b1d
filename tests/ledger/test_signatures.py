"""Signatures: made and read under the domain, by keys that nothing shows."""

from dataclasses import replace
from hashlib import sha256

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.ledger.addresses import address_of
from marketplace.ledger.ids import Domain, delivery_hash, order_id
from marketplace.ledger.signatures import (
    acceptance_signer,
    certificate_signer,
    chunk_request_signer,
    consent_signer,
    delivery_signer,
    order_signer,
    sign_acceptance,
    sign_approval,
    sign_authorization,
    sign_certificate,
    sign_chunk_request,
    sign_consent,
    sign_delivery,
    sign_order,
    sign_quote_request,
)
from marketplace.ledger.signer import LocalSigner, Signer
from marketplace.protocol.chunks import ChunkRequest
from marketplace.protocol.identity import Address, DatasetId, DeliveryHash, OfferId, OrderId
from marketplace.protocol.offer import Guarantee, Head, Kind, Member
from marketplace.protocol.order import CODEC_RAW, Delivery, Order
from marketplace.protocol.quote import QuoteRequest
from scripts.benchmarks import typed
from tests.protocol.examples import SPECIFICATION

DOMAIN = Domain(1, address_of(bytes(19) + b"\x01"))
SIGNER: Signer = LocalSigner(bytes(31) + b"\x07")
ORDER = OrderId(b"o" * 32)
DELIVERY = DeliveryHash(b"d" * 32)

words = st.binary(min_size=32, max_size=32)


@given(words, words)
@settings(max_examples=10, deadline=None)
def test_whoever_signed_is_recovered(order: bytes, other: bytes) -> None:
    acceptance = sign_acceptance(SIGNER, DOMAIN, OrderId(order), DeliveryHash(other))
    assert acceptance_signer(DOMAIN, OrderId(order), DeliveryHash(other), acceptance) == SIGNER.address
    certificate = sign_certificate(SIGNER, DOMAIN, OrderId(order), other)
    assert certificate_signer(DOMAIN, OrderId(order), other, certificate) == SIGNER.address


def test_a_signature_counts_only_for_what_was_signed_where_it_was_signed() -> None:
    signature = sign_acceptance(SIGNER, DOMAIN, ORDER, DELIVERY)
    elsewhere = Domain(2, DOMAIN.contract)
    assert acceptance_signer(elsewhere, ORDER, DELIVERY, signature) != SIGNER.address
    assert acceptance_signer(DOMAIN, OrderId(bytes(32)), DELIVERY, signature) != SIGNER.address
    assert acceptance_signer(DOMAIN, ORDER, DeliveryHash(bytes(32)), signature) != SIGNER.address
    assert certificate_signer(DOMAIN, ORDER, bytes(DELIVERY), signature) != SIGNER.address


REQUEST = ChunkRequest(ORDER, DELIVERY, (0, 5, 2**32 - 1), 2**53 - 1)
CHUNKS_TYPES = {
    "Chunks": [
        {"name": "order", "type": "bytes32"},
        {"name": "delivery", "type": "bytes32"},
        {"name": "indices", "type": "uint32[]"},
        {"name": "until", "type": "uint64"},
    ]
}


def test_any_wallet_signs_a_request_for_chunks_alike() -> None:
    message = {"order": ORDER, "delivery": DELIVERY, "indices": list(REQUEST.indices), "until": REQUEST.until_s}
    domain = {"name": "Agora Health", "version": "1", "chainId": 1, "verifyingContract": DOMAIN.contract}
    signed = Account.sign_typed_data(bytes(31) + b"\x07", domain, CHUNKS_TYPES, message)
    assert sign_chunk_request(SIGNER, DOMAIN, REQUEST) == bytes(signed.signature)
    assert chunk_request_signer(DOMAIN, REQUEST, bytes(signed.signature)) == SIGNER.address


@pytest.mark.parametrize(
    "changes",
    [{"order": OrderId(bytes(32))}, {"delivery": DeliveryHash(bytes(32))}, {"indices": (0, 5)}, {"until_s": 7}],
)
def test_a_request_for_chunks_is_signed_in_all_of_its_parts(changes: dict[str, object]) -> None:
    signature = sign_chunk_request(SIGNER, DOMAIN, REQUEST)
    other = replace(REQUEST, **changes)  # type: ignore[arg-type]
    assert chunk_request_signer(DOMAIN, other, signature) != SIGNER.address
    for elsewhere in (Domain(2, DOMAIN.contract), Domain(1, address_of(bytes(19) + b"\x02"))):
        assert chunk_request_signer(elsewhere, REQUEST, signature) != SIGNER.address


def test_any_wallet_signs_a_request_for_a_quote_alike() -> None:
    request = QuoteRequest(SIGNER.address, SPECIFICATION, 2**53 - 1)
    fields = (("buyer", "address"), ("offer", "bytes32"), ("specification", "bytes32"), ("until", "uint64"))
    types = {"Quote": [{"name": name, "type": kind} for name, kind in fields]}
    message = {
        "buyer": SIGNER.address,
        "offer": SPECIFICATION.offer,
        "specification": sha256(SPECIFICATION.encode()).digest(),
        "until": request.until_s,
    }
    domain = {"name": "Agora Health", "version": "1", "chainId": 1, "verifyingContract": DOMAIN.contract}
    signed = Account.sign_typed_data(bytes(31) + b"\x07", domain, types, message)
    assert sign_quote_request(SIGNER, DOMAIN, request) == bytes(signed.signature)


HEAD = Head(
    lead=SIGNER.address,
    kind=Kind.SYNTHETIC,
    guarantee=Guarantee.DIFFERENTIALLY_PRIVATE,
    token=DOMAIN.contract,
    cost_units=1,
    margin_units=2,
    delta_atto=3,
    deliver_window_s=4,
    accept_window_s=5,
    reveal_window_s=6,
    challenge_window_s=7,
    rule_window_s=8,
    licence_s=9,
    compute_fee_bps=10,
    bond_units=11,
    contest_deposit_units=12,
    max_open=13,
    terms=bytes(32),
    valid_until_s=14,
)
MEMBERS = (Member(DatasetId(b"a" * 32), SIGNER.address, 10_000, 5),)
PURCHASE = Order(OfferId(b"f" * 32), SIGNER.address, b"s" * 32, 1, 99)
MADE = Delivery(*(bytes([number]) * 32 for number in range(5)), count=3, object_codec=CODEC_RAW)
TOKEN = Domain(1, address_of(bytes(19) + b"\x02"), "Test Euro", "1")


def test_a_consent_is_its_providers_to_one_offer_up_to_its_end() -> None:
    consent = sign_consent(SIGNER, DOMAIN, HEAD, MEMBERS, 1_000)
    assert consent.until_s == 1_000
    assert consent_signer(DOMAIN, HEAD, MEMBERS, consent) == SIGNER.address
    others = (
        consent_signer(Domain(2, DOMAIN.contract), HEAD, MEMBERS, consent),
        consent_signer(DOMAIN, replace(HEAD, cost_units=2), MEMBERS, consent),
        consent_signer(DOMAIN, HEAD, (replace(MEMBERS[0], share_bps=9_999),), consent),
        consent_signer(DOMAIN, HEAD, MEMBERS, replace(consent, until_s=1_001)),
    )
    assert SIGNER.address not in others
    assert consent.signature.hex() not in repr(consent)


def test_an_order_and_a_delivery_are_signed_by_their_own_names() -> None:
    order = sign_order(SIGNER, DOMAIN, PURCHASE)
    assert order == SIGNER.sign_digest(order_id(DOMAIN, PURCHASE))
    assert order_signer(DOMAIN, PURCHASE, order) == SIGNER.address
    assert order_signer(DOMAIN, replace(PURCHASE, place_by_s=100), order) != SIGNER.address
    delivery = sign_delivery(SIGNER, DOMAIN, ORDER, MADE)
    assert delivery == SIGNER.sign_digest(delivery_hash(DOMAIN, ORDER, MADE))
    assert delivery_signer(DOMAIN, ORDER, MADE, delivery) == SIGNER.address
    assert delivery_signer(DOMAIN, ORDER, replace(MADE, count=4), delivery) != SIGNER.address
    assert delivery_signer(DOMAIN, OrderId(bytes(32)), MADE, delivery) != SIGNER.address


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
@settings(max_examples=10, deadline=None)
def test_payments_are_signed_as_another_implementation_does(amount: int, nonce: int, deadline_s: int) -> None:
    receiver = DOMAIN.contract
    domain = {"name": TOKEN.name, "version": TOKEN.version, "chainId": 1, "verifyingContract": TOKEN.contract}
    approval = {"owner": SIGNER.address, "spender": receiver, "value": amount, "nonce": nonce, "deadline": deadline_s}
    transfer = {
        "from": SIGNER.address,
        "to": receiver,
        "value": amount,
        "validAfter": 0,
        "validBefore": deadline_s,
        "nonce": ORDER,
    }
    payments = {
        "Permit": (approval, sign_approval(SIGNER, TOKEN, receiver, amount, nonce, deadline_s)),
        "ReceiveWithAuthorization": (transfer, sign_authorization(SIGNER, TOKEN, receiver, amount, ORDER, deadline_s)),
    }
    for primary, (value, payment) in payments.items():
        expected = typed.sign(bytes(31) + b"\x07", domain, primary, value)
        assert payment.r + payment.s + bytes([payment.v]) == expected
        assert payment.deadline_s == deadline_s
        assert payment.r.hex() not in repr(payment)


def test_an_amount_that_no_token_can_count_is_invalid() -> None:
    with pytest.raises(Invalid, match="value"):
        sign_approval(SIGNER, TOKEN, DOMAIN.contract, 2**256, 0, 1)
    with pytest.raises(Invalid, match="nonce"):
        sign_authorization(SIGNER, TOKEN, DOMAIN.contract, 1, OrderId(b"short"), 1)
    with pytest.raises(Invalid, match="until"):
        sign_consent(SIGNER, DOMAIN, HEAD, MEMBERS, 2**64)


GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
IMPOSSIBLE = {
    "nothing": b"",
    "too short": bytes(64),
    "too long": bytes(66),
    "all zero": bytes(65),
    "zeros and v": bytes(64) + b"\x1c",
    "numbers beyond the group": b"\xff" * 64 + b"\x1b",
    "no point of the curve": (5).to_bytes(32) + (1).to_bytes(32) + b"\x1b",
}


@pytest.mark.parametrize("wrong", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_bytes_that_no_account_can_have_signed_are_corrupt(wrong: bytes) -> None:
    with pytest.raises(Corrupt, match="65 bytes"):
        acceptance_signer(DOMAIN, ORDER, DELIVERY, wrong)


def test_the_other_s_of_a_signature_is_corrupt_as_the_contract_has_it() -> None:
    signature = sign_acceptance(SIGNER, DOMAIN, ORDER, DELIVERY)
    other_s = (GROUP_ORDER - int.from_bytes(signature[32:64])).to_bytes(32)
    mirrored = signature[:32] + other_s + bytes([55 - signature[64]])
    with pytest.raises(Corrupt, match="sign again"):
        acceptance_signer(DOMAIN, ORDER, DELIVERY, mirrored)


@given(st.binary(min_size=64, max_size=64), st.sampled_from([27, 28]))
@settings(max_examples=20, deadline=None)
def test_arbitrary_bytes_never_end_in_anything_but_an_account_or_corrupt(body: bytes, v: int) -> None:
    try:
        signer = acceptance_signer(DOMAIN, ORDER, DELIVERY, body + bytes([v]))
    except Corrupt:
        return
    assert signer != SIGNER.address


def test_the_same_value_is_signed_the_same_way() -> None:
    assert sign_certificate(SIGNER, DOMAIN, ORDER, bytes(32)) == sign_certificate(SIGNER, DOMAIN, ORDER, bytes(32))


def test_a_document_hash_of_another_length_is_invalid() -> None:
    with pytest.raises(Invalid, match="document"):
        sign_certificate(SIGNER, DOMAIN, ORDER, b"short")


def test_nothing_that_is_printed_shows_a_key() -> None:
    signer = LocalSigner.random()
    for text in (repr(signer), str(signer), f"{signer}"):
        assert signer.key.hex() not in text
        assert repr(signer.key) not in text
        assert signer.address in text


@pytest.mark.parametrize("wrong", [b"", bytes(32), b"\x01" * 31, b"\x01" * 33, b"\xff" * 32])
def test_what_is_no_key_is_invalid_and_not_shown(wrong: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        LocalSigner(wrong)
    assert caught.value.__cause__ is None
    assert not wrong or wrong.hex() not in str(caught.value)


def test_two_random_signers_differ() -> None:
    assert LocalSigner.random() != LocalSigner.random()


def test_a_signer_knows_its_address() -> None:
    assert LocalSigner(bytes(31) + b"\x01").address == Address("0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf")
