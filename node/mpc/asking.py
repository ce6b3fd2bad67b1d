"""What a node asks its party's process for in the closed lane: a tensor, and what may be opened of its sum, as bytes."""

import struct

from marketplace.protocol.closing_opening import How, Opening
from node.mpc.masks import Tensor

_OPENING = struct.Struct(">BIIQQ")


def encode(tensor: Tensor, opening: Opening) -> bytes:
    """Their bytes, the same at every party, from which nothing else has the same."""
    return _OPENING.pack(opening.how, *opening.shape, opening.least, opening.most) + tensor.encode()


def decode(data: bytes) -> tuple[Tensor, Opening]:
    """What is in `data`. Raises `ValueError` where it is nothing of the kind."""
    try:
        how, rows, columns, least, most = _OPENING.unpack(data[: _OPENING.size])
    except struct.error:
        raise ValueError("expected an opening") from None
    return Tensor.decode(data[_OPENING.size :]), Opening(How(how), (rows, columns), least, most)
