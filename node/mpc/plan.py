"""What a party's process is told about one order: who the others are, by which certificate each is known, and its limits."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.analysis_parties import check_parties
from marketplace.protocol.transcript import context_of

NOUN, VERSION = "party-plan", 1


@dataclass(frozen=True)
class Peer:
    """Where a party answers, and its TLS certificate (PEM), which must be the one of `fingerprint` (SHA-256 of its DER).

    Raises `Corrupt` for another certificate than the ledger names, or one without a key on the curve P-256.
    """

    host: str
    port: int
    fingerprint: bytes
    certificate: str

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65_535:
            raise Invalid(f"expected a port of 1 to 65535 in a party's address, got {self.port}")
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate.encode())
        except ValueError:
            raise Corrupt("expected a party's TLS certificate in PEM, got other bytes; fetch it again") from None
        if sha256(certificate.public_bytes(Encoding.DER)).digest() != self.fingerprint:
            raise Corrupt("expected the TLS certificate that the ledger names for a party, got another; fetch it again")
        if not isinstance(certificate.public_key(), EllipticCurvePublicKey):
            raise Corrupt(
                "expected a TLS certificate with a key on an elliptic curve; make the node's certificate anew"
            )

    @property
    def key(self) -> EllipticCurvePublicKey:
        """The public key that the certificate is about."""
        key = x509.load_pem_x509_certificate(self.certificate.encode()).public_key()
        assert isinstance(key, EllipticCurvePublicKey)
        return key


@dataclass(frozen=True)
class Limits:
    """What a party's process may take. `stall_s`: how long anybody may be silent, as a party is whose node reads its records
    and counts: whoever gives up on it has spent its rho. `deadline_s`: how long all may last. `join_s`: how long the others
    are waited for at the start.
    """

    stall_s: float = 120.0
    deadline_s: float = 600.0
    memory_bytes: int = 2**31
    join_s: float = 60.0


@dataclass(frozen=True)
class Plan:
    """One order as the party number `own` sees it. `peers`: all parties in order, `own` among them.

    `order`, `specification`: 32 bytes each, the same at every party. `tls`: the node's file of key and certificate.
    Raises `Refused` for too few parties, `Invalid` where one stands there twice or `own` is none of them.
    """

    order: bytes
    specification: bytes
    own: int
    threshold: int
    peers: tuple[Peer, ...]
    tls: Path
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        check_parties(len(self.peers), self.threshold)
        if len({peer.fingerprint for peer in self.peers}) != len(self.peers):
            raise Invalid("expected each party once in a joint analysis, got one certificate twice; name others")
        if not 0 <= self.own < len(self.peers) or len(self.order) != 32 or len(self.specification) != 32:
            raise Invalid("expected a party's number, an order and a specification's hash in a plan")

    @property
    def others(self) -> tuple[int, ...]:
        """The numbers of all other parties."""
        return tuple(number for number in range(len(self.peers)) if number != self.own)

    @property
    def context(self) -> bytes:
        """What keys, masks and signatures are bound to: order, specification, and who takes part under which certificate."""
        return context_of(self.order, self.specification, [peer.fingerprint for peer in self.peers])

    def encode(self) -> bytes:
        """The plan's canonical bytes, for the party's process alone."""
        limits = self.limits
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "order": self.order.hex(),
                "specification": self.specification.hex(),
                "own": self.own,
                "threshold": self.threshold,
                "peers": [[peer.host, peer.port, peer.fingerprint.hex(), peer.certificate] for peer in self.peers],
                "tls": str(self.tls),
                "limits": [repr(limits.stall_s), repr(limits.deadline_s), limits.memory_bytes, repr(limits.join_s)],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Plan":
        """The plan in `data`. Raises `Corrupt` where the bytes are none."""
        document: dict[str, Any] = canonical.decode(data, NOUN, VERSION)
        try:
            stall, deadline, memory, join = document["limits"]
            return cls(
                order=bytes.fromhex(document["order"]),
                specification=bytes.fromhex(document["specification"]),
                own=document["own"],
                threshold=document["threshold"],
                peers=tuple(
                    Peer(host, port, bytes.fromhex(mark), text) for host, port, mark, text in document["peers"]
                ),
                tls=Path(document["tls"]),
                limits=Limits(float(stall), float(deadline), memory, float(join)),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Corrupt("expected the parts of a party's plan, got others; let the node start it again") from None
