"""Evidence: what lets an arbiter read the result of one contested order, and of no other.

It discloses the private sealing key that the buyer made for this order alone (`marketplace.keys.sealing` says why no other
order's key follows from it). Whoever has the file and the public store can read the result, so it never goes into the
store, which is public and forgets nothing: the buyer hands it to the arbiter, and the public grounds only name its hash.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from marketplace.certificate.fields import Fields
from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.keys.file import create_file
from marketplace.keys.sealing import SealingPrivateKey
from marketplace.ledger.addresses import checksummed
from marketplace.protocol import canonical
from marketplace.protocol.identity import Address, OrderId

NOUN, VERSION = "evidence", 1
LARGEST_BYTES = 4_096


@dataclass(frozen=True)
class Evidence:
    """`order` of the marketplace at `contract` on the chain `chain_id`, and the private key that its result is sealed to."""

    chain_id: int
    contract: Address
    order: OrderId
    key: SealingPrivateKey = field(compare=False)

    @property
    def digest(self) -> bytes:
        """What the public grounds say of it. It tells nothing about the key, which nobody can guess."""
        return sha256(self.encode()).digest()

    def encode(self) -> bytes:
        """The canonical bytes. They are secret."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "chain_id": self.chain_id,
                "contract": self.contract,
                "order": self.order.hex(),
                "private_key": bytes(self.key).hex(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Evidence":
        """The evidence in `data`. Raises `Corrupt`, showing nothing of it, where the bytes are none."""
        fields = Fields(canonical.decode(data, NOUN, VERSION))
        try:
            evidence = cls(
                fields.whole("chain_id"),
                checksummed(fields.text("contract")),
                OrderId(fields.bytes32("order")),
                SealingPrivateKey(fields.bytes32("private_key")),
            )
        except Invalid:
            raise Corrupt("expected the parts of evidence, got others; ask the buyer for it again") from None
        if evidence.encode() != data:
            raise Corrupt("expected the parts of evidence and no more; ask the buyer for it again")
        return evidence

    def write(self, path: Path) -> None:
        """Writes it to `path`, readable by its owner alone; where this very evidence is already, nothing changes.

        Raises `Refused` if something else is there, and as `create_file` does.
        """
        data = self.encode()
        if path.is_file() and path.read_bytes() == data:
            return
        if path.exists():
            raise Refused(f"expected no file at {path.name!r} yet, found one; choose another place for the evidence")
        create_file(path, data)
