"""What parties of a joint analysis sign when it ends: the hash of all that was said, bound to order and parties."""

from collections.abc import Sequence
from hashlib import sha256

_SIGNED = b"agora/transcript/1"


def context_of(order: bytes, specification: bytes, fingerprints: Sequence[bytes]) -> bytes:
    """What keys, masks and signatures are bound to: order, specification, and who takes part under which certificate.

    `fingerprints`: of all parties in order, the SHA-256 of each TLS certificate, 32 bytes.
    """
    return order + specification + sha256(b"".join(fingerprints)).digest()


def signed_bytes(context: bytes, number: int, digest: bytes) -> bytes:
    """What party `number` signs under a transcript's `digest`: ECDSA on P-256 with SHA-256, by its TLS certificate's key."""
    return _SIGNED + context + bytes([number]) + digest
