"""Which chunks of a result are opened before it is paid for: a draw that whoever has the same seed makes again."""

from hashlib import sha256

_TAG = b"agora/spot-check/1"
_OF_STOCK = b"agora/stock-check/1"


def draw(seed: bytes, chunks: int, below: int) -> tuple[int, ...]:
    """`chunks` different indices from 1 to `below` - 1, or all there are if those are fewer, in the order drawn.

    Uniform for a uniform `seed`, to within 2^-200. Those drawn for fewer chunks are the first of those drawn for more.
    """
    drawn: dict[int, None] = {}
    counter = 0
    while len(drawn) < min(chunks, below - 1):
        number = int.from_bytes(sha256(_TAG + seed + counter.to_bytes(8)).digest())
        drawn[1 + number % (below - 1)] = None
        counter += 1
    return tuple(drawn)


def stock_seed(plain_root: bytes, block: bytes) -> bytes:
    """The seed for everybody who looks into one stock: 32 bytes that nobody knew before its result was committed to.

    `block`: the hash of the block in which the result was first delivered.
    """
    return sha256(_OF_STOCK + plain_root + block).digest()
