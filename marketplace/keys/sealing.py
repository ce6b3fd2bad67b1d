"""The keys that results are sealed to: one pair for each order, all from one seed.

KEM: MLKEM768-X25519, alias X-Wing (draft-connolly-cfrg-xwing-kem, draft-ietf-hpke-pq: KEM id 0x647a), which holds as
long as either ML-KEM-768 or X25519 does. HPKE (RFC 9180) in base mode with HKDF-SHA256 and AES-256-GCM.

Why one backup suffices and one disclosure harms one order only: the private key of an order is the output of HKDF
under the seed, for an input that holds the order's own nonce. HKDF is a pseudo-random function of that input: who knows
its outputs for any number of nonces learns nothing about the seed or about its output for another nonce. So a buyer
may disclose the private key of one order, to an arbiter say, and every other order stays sealed; and whoever holds the
seed and the nonces, which are no secrets, can make every key again.
"""

from dataclasses import dataclass, field
from hashlib import sha256, shake_256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from marketplace.errors import Corrupt, Invalid

SEED_BYTES = 32
NONCE_BYTES = 32
PRIVATE_KEY_BYTES = 32
MLKEM_PUBLIC_BYTES = 1184
PUBLIC_KEY_BYTES = MLKEM_PUBLIC_BYTES + 32
ENCAPSULATION_BYTES = 1120
TAG_BYTES = 16

_MLKEM_SEED_BYTES = 64
_ORDER_LABEL = b"agora/sealing-key/1"
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


@dataclass(frozen=True)
class SealingPublicKey:
    """What a result is sealed to. `raw`: 1,216 bytes, the ML-KEM-768 key (1,184) and the X25519 key (32).

    Raises `Invalid` for bytes that are no such key: a wrong length, a coefficient outside ML-KEM's field, a point of
    low order.
    """

    raw: bytes
    _key: hpke.MLKEM768X25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.raw, bytes) or len(self.raw) != PUBLIC_KEY_BYTES:
            came = f"{len(self.raw)} bytes" if isinstance(self.raw, bytes) else type(self.raw).__name__
            raise Invalid(f"A public sealing key is {PUBLIC_KEY_BYTES} bytes, not {came}; ask the buyer for a new one.")
        mlkem_part, x25519_part = self.raw[:MLKEM_PUBLIC_BYTES], self.raw[MLKEM_PUBLIC_BYTES:]
        try:
            mlkem = MLKEM768PublicKey.from_public_bytes(mlkem_part)
        except ValueError as error:
            raise Invalid(
                "The public sealing key's ML-KEM-768 part is no such key; ask the buyer for a new one."
            ) from error
        x25519 = X25519PublicKey.from_public_bytes(x25519_part)
        try:
            X25519PrivateKey.generate().exchange(x25519)
        except ValueError as error:
            raise Invalid(
                "The public sealing key's X25519 part has a low order; ask the buyer for a new one."
            ) from error
        object.__setattr__(self, "_key", hpke.MLKEM768X25519PublicKey(mlkem, x25519))

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the key, 32 bytes."""
        return sha256(self.raw).digest()

    def wrap(self, secret: bytes, info: bytes) -> bytes:
        """`secret` encrypted so that only this key's private half opens it, and only with the same `info`.

        Gives the encapsulation (1,120 bytes) and the ciphertext (16 bytes longer than `secret`). Not reproducible.
        """
        return _SUITE.encrypt(secret, self._key, info=info)


class SealingPrivateKey:
    """Opens what was sealed to `public_key`. `raw`: 32 bytes, X-Wing's decapsulation key. Never shows them.

    Raises `Invalid` unless `raw` is 32 bytes.
    """

    __slots__ = ("_key", "_raw", "public_key")

    def __init__(self, raw: bytes) -> None:
        _require_32("private sealing key", raw)
        expanded = shake_256(raw).digest(_MLKEM_SEED_BYTES + 32)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES])
        x25519 = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:])
        self._raw = raw
        self._key = hpke.MLKEM768X25519PrivateKey(mlkem, x25519)
        self.public_key = SealingPublicKey(
            mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        )

    def __bytes__(self) -> bytes:
        return self._raw

    def __repr__(self) -> str:
        return f"SealingPrivateKey(of {self.public_key.fingerprint.hex()[:16]})"

    def unwrap(self, wrapped: bytes, info: bytes) -> bytes:
        """The secret that was wrapped to this key with this `info`. Raises `Corrupt` when it does not open."""
        try:
            return _SUITE.decrypt(wrapped, self._key, info=info)
        except (InvalidTag, ValueError) as error:
            raise Corrupt(
                "A wrapped key does not open with this private sealing key: it was altered, or made for another purpose; "
                "fetch it again."
            ) from error


def order_key(seed: bytes, nonce: bytes) -> SealingPrivateKey:
    """The sealing key of the order with this nonce: the same for the same seed and nonce, for ever.

    `seed`: the buyer's 32 secret bytes. `nonce`: 32 random bytes made for this order, not secret.
    Raises `Invalid` unless both are 32 bytes. Source: RFC 5869 with SHA-256, no salt, info = label and nonce.
    """
    _require_32("sealing seed", seed)
    _require_32("order's nonce", nonce)
    expand = HKDF(algorithm=hashes.SHA256(), length=PRIVATE_KEY_BYTES, salt=None, info=_ORDER_LABEL + nonce)
    return SealingPrivateKey(expand.derive(seed))


def _require_32(name: str, value: bytes) -> None:
    if not isinstance(value, bytes) or len(value) != 32:
        raise Invalid(f"The {name} must be 32 bytes; give the one that was made for this purpose.")
