"""Makes docs/sealing-vectors.json: `python -m tests.sealing.vectors` from the root of the checkout writes it anew.

Everything in it but `sealed` follows from the inputs; `sealed` is random by nature, and must open.
"""

import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from marketplace.keys.sealing import SealingPrivateKey, order_key
from marketplace.sealing import chunk_key, proof_of, seal, unseal
from marketplace.sealing.chunk import RECORD_BYTES, crypt, leaf_hash, plain_hash, salt
from marketplace.sealing.header import read_header
from marketplace.sealing.inner import INNER
from marketplace.sealing.segments import SegmentWriter

PLACE = Path(__file__).resolve().parents[2] / "docs" / "sealing-vectors.json"
SECRET, KEY, SEED, NONCE = (bytes(range(start, start + 32)) for start in (0, 32, 64, 96))
READER = SealingPrivateKey(bytes(range(128, 160)))
CONTEXT = b"chain 1, order 7, manifest bafkexample"
RESULT = bytes(place % 251 for place in range(1500))
CAPACITY = 3


def fixed_vectors() -> dict[str, Any]:
    """All vectors that can be computed again."""
    sealed, inner = io.BytesIO(), io.BytesIO()
    inputs = {"secret": SECRET, "key": KEY, "reader": READER.public_key, "context": CONTEXT}
    commitment = seal(io.BytesIO(RESULT), sealed, capacity=CAPACITY, **inputs)  # type: ignore[arg-type]
    sealed.seek(0)
    unseal(sealed, inner, reader=READER, context=CONTEXT, expected=commitment)
    proof = proof_of(inner, 2)
    return {
        "format": "agora/sealing-vectors/1",
        "result": RESULT.hex(),
        "capacity": CAPACITY,
        "secret": SECRET.hex(),
        "key": KEY.hex(),
        "chunks": [_chunk_vector(index, inner.getvalue()) for index in range(CAPACITY)],
        "commitment": {
            "root": commitment.root.hex(),
            "plain_root": commitment.plain_root.hex(),
            "count": commitment.count,
            "key_hash": commitment.key_hash.hex(),
        },
        "proof": {
            "index": proof.index,
            "plain_hash": proof.plain_hash.hex(),
            "cipher_sha256": sha256(proof.cipher).hexdigest(),
            "path": [node.hex() for node in proof.path],
        },
        "inner_sha256": sha256(inner.getvalue()).hexdigest(),
        "order_key": {
            "seed": SEED.hex(),
            "nonce": NONCE.hex(),
            "private_key": bytes(order_key(SEED, NONCE)).hex(),
            "public_key_sha256": order_key(SEED, NONCE).public_key.fingerprint.hex(),
        },
        "segments": _segment_vector(),
    }


def sealed_vector() -> dict[str, Any]:
    """One whole object for a fixed private key, different each time."""
    out = io.BytesIO()
    seal(io.BytesIO(RESULT), out, capacity=CAPACITY, secret=SECRET, key=KEY, reader=READER.public_key, context=CONTEXT)
    out.seek(0)
    file_key = read_header(out).file_key(READER, CONTEXT)
    return {
        "private_key": bytes(READER).hex(),
        "public_key": READER.public_key.raw.hex(),
        "context": CONTEXT.hex(),
        "file_key": file_key.hex(),
        "object": out.getvalue().hex(),
    }


def _chunk_vector(index: int, inner: bytes) -> dict[str, Any]:
    record = inner[len(INNER) + index * RECORD_BYTES :][:RECORD_BYTES]
    (chunk,) = crypt(index, [record[32:]], KEY)
    assert plain_hash(index, chunk) == record[:32]
    return {
        "index": index,
        "salt": salt(SECRET, index).hex(),
        "chunk": chunk.hex(),
        "plain_hash": record[:32].hex(),
        "chunk_key": chunk_key(KEY, index).hex(),
        "cipher": record[32:].hex(),
        "leaf": leaf_hash(index, record).hex(),
    }


def _segment_vector() -> dict[str, Any]:
    key, prefix, bound = bytes(range(32)), bytes(range(7)), bytes(range(32, 64))
    plain = bytes(place % 251 for place in range(2 * 65_536 + 5))
    out = io.BytesIO()
    writer = SegmentWriter(out, key, prefix, bound)
    writer.write(plain)
    writer.finish()
    return {
        "key": key.hex(),
        "prefix": prefix.hex(),
        "bound": bound.hex(),
        "plain_bytes": len(plain),
        "plain_sha256": sha256(plain).hexdigest(),
        "sealed_bytes": len(out.getvalue()),
        "sealed_sha256": sha256(out.getvalue()).hexdigest(),
    }


if __name__ == "__main__":
    PLACE.write_text(json.dumps({**fixed_vectors(), "sealed": sealed_vector()}, indent=1) + "\n")
