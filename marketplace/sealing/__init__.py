"""Sealing: a result for one reader, so that paying and reading are one step. `docs/sealing.md` defines every byte.

The provider calls `seal`, the buyer `unseal` before accepting and `open_chunks` once the key is revealed. If a chunk is
wrong, `proof_of` gives what the ledger needs to see it.
"""

from marketplace.sealing.chunk import capacity_for, chunk_key, most_disclosed
from marketplace.sealing.commitment import Commitment
from marketplace.sealing.header import sealed_bytes
from marketplace.sealing.opening import WrongChunk, open_chunk, open_chunks
from marketplace.sealing.proof import ChunkProof, proof_of
from marketplace.sealing.seal import plain_root_of, seal
from marketplace.sealing.unseal import unseal

__all__ = [
    "ChunkProof",
    "Commitment",
    "WrongChunk",
    "capacity_for",
    "chunk_key",
    "most_disclosed",
    "open_chunk",
    "open_chunks",
    "plain_root_of",
    "proof_of",
    "seal",
    "sealed_bytes",
    "unseal",
]
