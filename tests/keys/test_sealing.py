import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.keys.sealing import PUBLIC_KEY_BYTES, SealingPrivateKey, SealingPublicKey, order_key

SEED, NONCE = bytes(range(32)), bytes(range(32, 64))
KEY = SealingPrivateKey(SEED)
PUBLIC = KEY.public_key.raw

LOW_ORDER = [
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
]
"""Points on which X25519 gives zero for every private key (RFC 7748, section 7, and its references)."""


def hpke_open(raw: bytes, wrapped: bytes, info: bytes) -> bytes:
    """RFC 9180 base mode with X-Wing, HKDF-SHA256 and AES-256-GCM, written out from the documents."""

    def extract(salt: bytes, material: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), material, "sha256")

    def labeled(label: bytes, material: bytes) -> bytes:
        return b"HPKE-v1" + b"HPKE" + bytes.fromhex("647a00010002") + label + material

    def expand(secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
        return hmac.digest(secret, length.to_bytes(2, "big") + labeled(label, info) + b"\1", "sha256")[:length]

    expanded = hashlib.shake_256(raw).digest(96)
    mlkem, x25519 = (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:]),
    )
    mlkem_cipher, share, ciphertext = wrapped[:1088], wrapped[1088:1120], wrapped[1120:]
    parts = mlkem.decapsulate(mlkem_cipher), x25519.exchange(X25519PublicKey.from_public_bytes(share)), share
    shared = hashlib.sha3_256(b"".join(parts) + x25519.public_key().public_bytes_raw() + rb"\.//^" + b"\\").digest()
    context = b"\0" + extract(b"", labeled(b"psk_id_hash", b"")) + extract(b"", labeled(b"info_hash", info))
    secret = extract(shared, labeled(b"secret", b""))
    key, nonce = expand(secret, b"key", context, 32), expand(secret, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, ciphertext, b"")


def test_a_wrapped_secret_comes_back() -> None:
    assert KEY.unwrap(KEY.public_key.wrap(b"a file key", b"info"), b"info") == b"a file key"


def test_any_implementation_of_the_documents_opens_what_we_wrap() -> None:
    assert hpke_open(SEED, KEY.public_key.wrap(b"a file key", b"info"), b"info") == b"a file key"


def test_the_public_key_is_that_of_the_published_x_wing_vector() -> None:
    key = SealingPrivateKey(bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"))
    assert key.public_key.raw.hex().startswith("e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5")
    assert len(key.public_key.raw) == PUBLIC_KEY_BYTES == 1216


def test_wrapping_twice_gives_different_bytes_of_one_length() -> None:
    first, second = KEY.public_key.wrap(b"secret", b""), KEY.public_key.wrap(b"secret", b"")
    assert first != second
    assert len(first) == len(second) == 1120 + 6 + 16


@settings(max_examples=100, deadline=None)
@example(8 * 1120 - 1)
@given(st.integers(0, 8 * (1120 + 26) - 1))
def test_a_flipped_bit_in_a_wrapped_secret_is_corrupt(bit: int) -> None:
    wrapped = bytearray(KEY.public_key.wrap(b"a file key", b"info"))
    wrapped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Corrupt, match="does not open"):
        KEY.unwrap(bytes(wrapped), b"info")


@pytest.mark.parametrize("wrapped", [b"", bytes(100), bytes(1120), bytes(1136), bytes(2000)])
def test_bytes_that_were_never_wrapped_are_corrupt(wrapped: bytes) -> None:
    with pytest.raises(Corrupt, match="does not open"):
        KEY.unwrap(wrapped, b"info")


def test_a_secret_for_another_key_or_another_purpose_is_corrupt() -> None:
    wrapped = KEY.public_key.wrap(b"a file key", b"info")
    with pytest.raises(Corrupt):
        KEY.unwrap(wrapped, b"other")
    with pytest.raises(Corrupt):
        SealingPrivateKey(NONCE).unwrap(wrapped, b"info")


@pytest.mark.parametrize("low", LOW_ORDER, ids=lambda point: point.hex()[:8])
def test_a_public_key_with_a_point_of_low_order_is_invalid(low: bytes) -> None:
    with pytest.raises(Invalid, match="low order"):
        SealingPublicKey(PUBLIC[:-32] + low)


def test_a_public_key_outside_the_field_is_invalid() -> None:
    with pytest.raises(Invalid, match="ML-KEM-768 part"):
        SealingPublicKey(b"\xff" * 1184 + PUBLIC[-32:])


@pytest.mark.parametrize("length", [0, 32, 1184, 1215, 1217])
def test_a_public_key_of_another_length_is_invalid_and_says_which(length: int) -> None:
    with pytest.raises(Invalid, match=f"1216 bytes, not {length} bytes"):
        SealingPublicKey(bytes(length))


@pytest.mark.parametrize("other", [None, PUBLIC.hex(), bytearray(PUBLIC)])
def test_a_public_key_of_another_type_is_invalid(other: object) -> None:
    with pytest.raises(Invalid, match=r"not (NoneType|str|bytearray)"):
        SealingPublicKey(other)  # type: ignore[arg-type]


def test_public_keys_compare_by_their_bytes() -> None:
    assert SealingPublicKey(PUBLIC) == KEY.public_key
    assert hash(SealingPublicKey(PUBLIC)) == hash(KEY.public_key)
    assert SealingPublicKey(PUBLIC).fingerprint == hashlib.sha256(PUBLIC).digest()
    assert SealingPrivateKey(NONCE).public_key != KEY.public_key


def test_a_private_key_goes_to_bytes_and_back_and_never_shows_them() -> None:
    assert bytes(KEY) == SEED
    assert SealingPrivateKey(bytes(KEY)).public_key == KEY.public_key
    for shown in (repr(KEY), str(KEY), f"{KEY}"):
        assert shown == f"SealingPrivateKey(of {hashlib.sha256(PUBLIC).hexdigest()[:16]})"


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), "x" * 32, None])
def test_private_keys_seeds_and_nonces_are_32_bytes(raw: object) -> None:
    with pytest.raises(Invalid, match="private sealing key must be 32 bytes"):
        SealingPrivateKey(raw)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="sealing seed must be 32 bytes"):
        order_key(raw, NONCE)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="order's nonce must be 32 bytes"):
        order_key(SEED, raw)  # type: ignore[arg-type]


def test_the_key_of_an_order_follows_from_seed_and_nonce_alone() -> None:
    assert bytes(order_key(SEED, NONCE)) == bytes(order_key(SEED, NONCE))
    prk = hmac.digest(bytes(32), SEED, "sha256")
    assert bytes(order_key(SEED, NONCE)) == hmac.digest(prk, b"agora/sealing-key/1" + NONCE + b"\1", "sha256")


def test_every_order_and_every_seed_has_its_own_key() -> None:
    keys = {bytes(order_key(seed, nonce)) for seed in (SEED, NONCE) for nonce in (SEED, NONCE, bytes(32))}
    assert len(keys) == 6
    assert SEED not in keys
    assert NONCE not in keys
