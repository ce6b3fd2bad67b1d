"""Shuffles that everyone can repeat, whatever machine or library version they have."""

import hashlib

import numpy as np
import numpy.typing as npt


def permutation(seed: bytes, label: str, size: int) -> npt.NDArray[np.int64]:
    """A permutation of 0 .. size - 1, fixed by public bytes and by what it is for.

    It is the stable order of `size` little-endian 64-bit words of SHAKE-256(length of seed, 8 bytes big-endian; seed;
    label in UTF-8). `size` >= 0.
    """
    return np.argsort(words(seed, label, size), kind="stable").astype(np.int64)


def words(seed: bytes, label: str, size: int) -> npt.NDArray[np.uint64]:
    """The first `size` words that public bytes and a label give: of SHAKE-256, as `permutation` says."""
    stretched = hashlib.shake_256(len(seed).to_bytes(8, "big") + seed + label.encode()).digest(8 * size)
    return np.frombuffer(stretched, dtype="<u8").astype(np.uint64)
