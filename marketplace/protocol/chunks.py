"""Opening chunks before they are paid for: what a buyer asks its provider's node, and what the node answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.errors import Corrupt, Invalid
from marketplace.protocol import canonical
from marketplace.protocol.identity import DeliveryHash, OrderId

VERB = "chunks"
REQUEST, KEYS, VERSION = "chunks", "chunk-keys", 1
MOST_CHUNKS = 8
LONGEST_LIFE_S = 3_600
LARGEST_SIGNATURE_BYTES = 2_048
KEY_BYTES = 32
_LARGEST_INDEX = 2**32 - 1
_LATEST_S = 2**53 - 1


@dataclass(frozen=True)
class ChunkRequest:
    """What the buyer signs: the chunks of one delivery whose keys it wants, and the last second at which it asks.

    `indices`: 1 to 8 different ones, in rising order.
    """

    order: OrderId
    delivery: DeliveryHash
    indices: tuple[int, ...]
    until_s: int

    def __post_init__(self) -> None:
        if len(self.order) != 32 or len(self.delivery) != 32:
            raise Invalid("expected the order's id and the delivery's hash, 32 bytes each")
        if not 1 <= len(self.indices) <= MOST_CHUNKS or list(self.indices) != sorted(set(self.indices)):
            raise Invalid(f"expected 1 to {MOST_CHUNKS} different chunks in rising order; ask for so many")
        if not all(0 <= index <= _LARGEST_INDEX for index in self.indices):
            raise Invalid("expected indices of chunks from 0 on; ask for chunks that the delivery has")
        if not 0 <= self.until_s <= _LATEST_S:
            raise Invalid("expected a time in seconds until which the request holds; give one")

    def encode(self, signature: bytes) -> bytes:
        """The signed request as it is sent."""
        return canonical.encode(
            {
                "format": canonical.format_name(REQUEST, VERSION),
                "order": self.order.hex(),
                "delivery": self.delivery.hex(),
                "indices": list(self.indices),
                "until_s": self.until_s,
                "signature": signature.hex(),
            }
        )


@dataclass(frozen=True)
class SignedChunkRequest:
    """A request as it came. Whose signature it is, nobody has checked yet."""

    request: ChunkRequest
    signature: bytes

    @classmethod
    def decode(cls, data: bytes) -> "SignedChunkRequest":
        """The request in `data`. Raises `Invalid` where the bytes are none."""
        try:
            document = canonical.decode(data, REQUEST, VERSION)
            signed = cls(
                ChunkRequest(
                    OrderId(bytes.fromhex(document["order"])),
                    DeliveryHash(bytes.fromhex(document["delivery"])),
                    tuple(canonical.whole(index) for index in document["indices"]),
                    canonical.whole(document["until_s"]),
                ),
                bytes.fromhex(document["signature"]),
            )
            if signed.request.encode(signed.signature) != data:
                raise ValueError
        except (KeyError, TypeError, ValueError):
            raise Invalid(
                "expected the parts of a signed request for chunks, got others; update this program"
            ) from None
        except Corrupt as error:
            raise Invalid(str(error)) from None
        if len(signed.signature) > LARGEST_SIGNATURE_BYTES:
            raise Invalid(f"expected a signature of at most {LARGEST_SIGNATURE_BYTES} bytes, got more; sign again")
        return signed


@dataclass(frozen=True)
class ChunkKeys:
    """A node's answer: the key of each chunk that was asked for, 32 bytes, by the chunk's index."""

    order: OrderId
    keys: Mapping[int, bytes] = field(repr=False)

    def encode(self) -> bytes:
        """The answer as it is sent."""
        return canonical.encode(
            {
                "format": canonical.format_name(KEYS, VERSION),
                "order": self.order.hex(),
                "keys": [{"index": index, "key": key.hex()} for index, key in sorted(self.keys.items())],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "ChunkKeys":
        """The answer in `data`. Raises `Corrupt` where the bytes are none."""
        document = canonical.decode(data, KEYS, VERSION)
        try:
            keys = dict(_key(part) for part in document["keys"])
            answer = cls(OrderId(bytes.fromhex(document["order"])), keys)
            if answer.encode() != data:
                raise ValueError
        except (KeyError, TypeError, ValueError):
            raise Corrupt("expected the keys of chunks, got other parts; ask whose node answered") from None
        return answer

    def keys_of(self, order: OrderId) -> Mapping[int, bytes]:
        """The keys, if they are those of `order`. Raises `Corrupt` if they are another's."""
        if self.order != order:
            raise Corrupt("expected the keys of this order's chunks, got those of another; ask whose node answered")
        return self.keys


def _key(part: Mapping[str, Any]) -> tuple[int, bytes]:
    key = bytes.fromhex(part["key"])
    if len(key) != KEY_BYTES:
        raise ValueError
    return canonical.whole(part["index"]), key
