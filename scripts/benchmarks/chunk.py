"""One chunk of a delivery of any size and its way up the tree, without the other chunks."""

from hashlib import sha256

from marketplace.sealing import ChunkProof
from marketplace.sealing.chunk import leaf_hash
from marketplace.sealing.tree import node_hash


def lone_proof(index: int, plain_hash: bytes, cipher: bytes, levels: int) -> tuple[ChunkProof, bytes]:
    """The proof that a tree of `levels` commits to this chunk at `index`, and the tree's root.

    The siblings are any hashes, so nobody knows the other chunks.
    """
    path = tuple(sha256(b"sibling %d" % level).digest() for level in range(levels))
    root = leaf_hash(index, plain_hash + cipher)
    for level, sibling in enumerate(path):
        root = node_hash(sibling, root) if index >> level & 1 else node_hash(root, sibling)
    return ChunkProof(index, plain_hash, cipher, path), root
