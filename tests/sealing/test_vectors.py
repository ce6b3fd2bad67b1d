import io
import json

import pytest

from marketplace.keys.sealing import SealingPrivateKey
from marketplace.sealing import ChunkProof, Commitment, open_chunks, unseal
from marketplace.sealing.header import read_header
from tests.sealing.vectors import PLACE, fixed_vectors

VECTORS = json.loads(PLACE.read_text())
FIXED = fixed_vectors()
COMMITMENT = Commitment(
    bytes.fromhex(VECTORS["commitment"]["root"]),
    bytes.fromhex(VECTORS["commitment"]["plain_root"]),
    VECTORS["commitment"]["count"],
    bytes.fromhex(VECTORS["commitment"]["key_hash"]),
)


@pytest.mark.parametrize("name", FIXED)
def test_the_published_vectors_are_what_this_code_computes(name: str) -> None:
    assert VECTORS[name] == FIXED[name]


def test_nothing_else_is_published() -> None:
    assert VECTORS.keys() == FIXED.keys() | {"sealed"}


def test_the_published_object_opens_to_the_published_result() -> None:
    sealed = VECTORS["sealed"]
    reader, context = SealingPrivateKey(bytes.fromhex(sealed["private_key"])), bytes.fromhex(sealed["context"])
    source, inner, out = io.BytesIO(bytes.fromhex(sealed["object"])), io.BytesIO(), io.BytesIO()
    assert read_header(source).file_key(reader, context).hex() == sealed["file_key"]
    assert reader.public_key.raw.hex() == sealed["public_key"]
    source.seek(0)
    unseal(source, inner, reader=reader, context=context, expected=COMMITMENT)
    open_chunks(inner, out, key=bytes.fromhex(VECTORS["key"]), expected=COMMITMENT)
    assert out.getvalue().hex() == VECTORS["result"]


def test_the_published_proof_holds() -> None:
    proof, chunk = VECTORS["proof"], VECTORS["chunks"][VECTORS["proof"]["index"]]
    path = tuple(bytes.fromhex(node) for node in proof["path"])
    published = ChunkProof(proof["index"], bytes.fromhex(proof["plain_hash"]), bytes.fromhex(chunk["cipher"]), path)
    assert published.is_committed(COMMITMENT)
    assert not published.shows_wrong_chunk(COMMITMENT, bytes.fromhex(VECTORS["key"]))
