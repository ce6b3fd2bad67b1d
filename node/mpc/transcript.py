"""What every party saw of a joint analysis, as one hash, and every party's signature under it."""

from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from marketplace.errors import Corrupt
from marketplace.protocol.transcript import signed_bytes
from node.mpc.masks import Batch
from node.mpc.plan import Plan

LARGEST_SIGNATURE = 80
DIGEST_BYTES = 32


class Recording:
    """The transcript as it grows. All parties that heard the same have the same digest."""

    def __init__(self, plan: Plan, publics: list[bytes]) -> None:
        self._head = sha256(plan.context + b"".join(publics))
        self._parties = [sha256() for _ in plan.peers]

    def open(self, batch: Batch) -> None:
        """Notes which batch comes next."""
        encoded = batch.encode()
        self._head.update(len(encoded).to_bytes(4, "big") + encoded)

    def hear(self, party: int, masked: memoryview) -> None:
        """Notes what `party` sent to everybody, or what this party sent itself."""
        self._parties[party].update(masked)

    def digest(self) -> bytes:
        """The hash of all of it until now, 32 bytes."""
        return sha256(self._head.digest() + b"".join(one.digest() for one in self._parties)).digest()


@dataclass(frozen=True)
class Transcript:
    """The hash of what was said, 32 bytes, and the signatures of all parties in order (ECDSA on P-256, SHA-256, DER)."""

    digest: bytes
    signatures: tuple[bytes, ...]

    def check(self, plan: Plan) -> None:
        """Raises `Corrupt` unless every party of the plan signed this digest for this order."""
        if len(self.signatures) != len(plan.peers):
            raise Corrupt("expected a signature of every party under the transcript; run the analysis again")
        for number, (signature, peer) in enumerate(zip(self.signatures, plan.peers, strict=True)):
            if not is_signed(peer.key, plan, number, self.digest, signature):
                raise Corrupt(f"expected party {number}'s signature under the transcript, got none that fits")


def sign(key: EllipticCurvePrivateKey, plan: Plan, digest: bytes) -> bytes:
    """This party's signature under the transcript's digest."""
    return key.sign(signed_bytes(plan.context, plan.own, digest), ECDSA(SHA256()))


def is_signed(key: EllipticCurvePublicKey, plan: Plan, number: int, digest: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of party `number` under the digest."""
    try:
        key.verify(signature, signed_bytes(plan.context, number, digest), ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
