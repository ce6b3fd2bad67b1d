"""The noise of one order: a secret key expanded into one independent stream of words per named stage."""

import hashlib

import numpy as np
from numpy.typing import NDArray

KEY_BYTES = 32
MARK_BYTES = 8
BLOCK_WORDS = 8_192
_PURPOSE = b"agora/noise/1"


def is_marked(key: bytes) -> bool:
    """Whether a key is marked as one of tests and benchmarks: it has at most `MARK_BYTES` different bytes.

    A key of 32 bytes from the operating system is not, but with a chance below 2**-110.
    """
    return len(set(key)) <= MARK_BYTES


class Stage:
    """One stage's endless sequence of uniform words. Reading moves on; nothing is ever read twice.

    Splitting a request does not change what is read: 3 words and then 5 are the same as 8 at once.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._block = 0
        self._rest: NDArray[np.uint64] = np.empty(0, np.uint64)

    def words(self, count: int) -> NDArray[np.uint64]:
        """The next `count` (>= 0) uniform 64-bit words, shape (count,). Raises `ValueError` if `count` is negative."""
        if count < 0:
            raise ValueError(f"expected a count of 0 or more words, got {count}")
        parts, have = [self._rest], len(self._rest)
        while have < count:
            parts.append(self._next_block())
            have += BLOCK_WORDS
        everything = np.concatenate(parts)
        self._rest = everything[count:]
        return everything[:count]

    def bytes(self, count: int) -> bytes:
        """The next `count` uniform bytes; whatever is left of their last word is dropped."""
        return self.words(-(-count // 8)).astype("<u8").tobytes()[:count]

    def integers_below(self, bound: int, count: int) -> NDArray[np.int64]:
        """`count` independent integers, exactly uniform on 0 <= x < `bound`, shape (count,).

        1 <= `bound` <= 2**62. Raises `ValueError` otherwise. Source: rejection of the words beyond the largest multiple
        of `bound`; see Lumbroso 2013.
        """
        if not 1 <= bound <= 2**62:
            raise ValueError(f"expected a bound between 1 and 2**62, got {bound}")
        largest = np.uint64(2**64 - 2**64 % bound - 1)
        drawn = self.words(count)
        while (beyond := np.flatnonzero(drawn > largest)).size:
            drawn[beyond] = self.words(beyond.size)
        return (drawn % np.uint64(bound)).astype(np.int64)

    def _next_block(self) -> NDArray[np.uint64]:
        material = self._secret + self._block.to_bytes(8, "big")
        self._block += 1
        return np.frombuffer(hashlib.shake_256(material).digest(8 * BLOCK_WORDS), "<u8").astype(np.uint64)


class NoiseStream:
    """A noise key expanded over a context and stage names.

    `key`: 32 secret bytes from the operating system, of one order. `context`: public bytes that bind order, dataset
    commitment and specification hash. Assumption: BLAKE2b with a key (RFC 7693) and SHAKE-256 behind a secret prefix
    of fixed length (FIPS 202) are pseudo-random functions. Whoever could tell them from random functions could tell
    the noise from noise, so what rests on it is a computational guarantee.
    """

    def __init__(self, key: bytes, context: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"expected a noise key of {KEY_BYTES} bytes, got {len(key)}")
        self._key = key
        self._context = context
        self._drawn: set[str] = set()

    def stage(self, name: str) -> Stage:
        """The stream of the stage `name`, independent of every other stage's.

        Raises `ValueError` if that stage was handed out before: a stage is drawn once.
        """
        return Stage(self._secret(name))

    def part(self, name: str) -> "NoiseStream":
        """A noise stream of its own under the stage `name`, for what draws from many stages. Raises as `stage`."""
        return NoiseStream(self._secret(name), b"")

    def _secret(self, name: str) -> bytes:
        if name in self._drawn:
            raise ValueError(f"expected each stage to be drawn once, got {name!r} again")
        self._drawn.add(name)
        bound = len(self._context).to_bytes(8, "big") + self._context + name.encode()
        return hashlib.blake2b(bound, key=self._key, person=_PURPOSE, digest_size=32).digest()
