"""What a sealed object is bound to."""

from marketplace.protocol.identity import OrderId

TAG = b"agora/sealed-for/1"


def sealing_context(order: OrderId, manifest: bytes) -> bytes:
    """The bytes that bind a sealed object to its order and to the SHA-256 of its manifest; provider and buyer make the
    same ones, so an object that was sealed for another order or under another account of it does not open."""
    return TAG + order + manifest
