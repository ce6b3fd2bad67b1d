"""The manifest: the public, content-addressed account of a delivery, with the signed certificate in it."""

from dataclasses import dataclass

from marketplace.certificate.certificate import Certificate
from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.identity import Address

NOUN, VERSION = "manifest", 1
SIGNATURE_BYTES = 65


@dataclass(frozen=True)
class Manifest:
    """What a delivery is about: the contract whose order it fulfils, the hash of that contract's source, and the
    certificate with its provider's signature over `Certificate(order, document)`.

    It cannot name the sealed object, because the object is sealed to this manifest; the ledger names both.
    """

    chain_id: int
    contract: Address
    source_hash: bytes
    certificate: Certificate
    signature: bytes

    def encode(self) -> bytes:
        """The canonical bytes, whose SHA-256 the delivery names."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "chain_id": self.chain_id,
                "contract": self.contract,
                "source_hash": self.source_hash.hex(),
                "certificate": self.certificate.document(),
                "signature": self.signature.hex(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Manifest":
        """The manifest in `data`. Raises `Corrupt` where the bytes are none. The signature is not checked here."""
        fields = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            manifest = cls(
                chain_id=fields.whole("chain_id"),
                contract=Address(fields.text("contract")),
                source_hash=fields.bytes32("source_hash"),
                certificate=Certificate.decode(canonical.encode(fields.mapping("certificate"))),
                signature=fields.some_bytes("signature", SIGNATURE_BYTES),
            )
        except Invalid:
            raise Corrupt("expected the parts of a manifest, got others; ask who made it") from None
        if manifest.encode() != data:
            raise Corrupt("expected the parts of a manifest and no more; ask who made it")
        return manifest
