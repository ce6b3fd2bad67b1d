"""The ledger hashes and decrypts a chunk as the plain version of the same functions does, and as Python does."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketplace.sealing.chunk import chunk_key, key_hash, leaf_hash, plain_hash, stream, xor
from marketplace.sealing.tree import depth_of, node_hash
from scripts.benchmarks.evm import Deployed, Evm
from tests.sealing.vectors import PLACE

from .doubles import double

WORDS = st.binary(min_size=32, max_size=32)
INDICES = st.integers(0, 2**32 - 1)
CIPHERS = st.binary(min_size=1024, max_size=1024)


@pytest.fixture(scope="module")
def library() -> Deployed:
    return Evm().deploy(double("OpenSealing"))


@pytest.fixture(scope="module")
def plain(library: Deployed) -> Deployed:
    return library.evm.deploy(double("SealingReference"))


@settings(max_examples=40, deadline=None)
@given(WORDS, INDICES, CIPHERS)
@example(bytes(32), 0, bytes(1024))
@example(b"\xff" * 32, 2**32 - 1, b"\xff" * 1024)
def test_a_chunk_decrypts_alike_everywhere(
    library: Deployed, plain: Deployed, key: bytes, index: int, cipher: bytes
) -> None:
    expected = plain_hash(index, xor(cipher, stream(chunk_key(key, index))))
    assert library.ask("hashPlain", key, index, cipher) == expected
    assert plain.ask("hashPlain", key, index, cipher) == expected


@settings(max_examples=40, deadline=None)
@given(INDICES, WORDS, st.lists(WORDS, max_size=32))
@example(2**32 - 1, bytes(32), [bytes([level]) * 32 for level in range(32)])
@example(0xAAAAAAAA, bytes(32), [bytes([level]) * 32 for level in range(32)])
def test_a_path_leads_to_the_same_root_everywhere(
    library: Deployed, plain: Deployed, index: int, leaf: bytes, path: list[bytes]
) -> None:
    expected = leaf
    for level, sibling in enumerate(path):
        expected = node_hash(sibling, expected) if index >> level & 1 else node_hash(expected, sibling)
    assert library.ask("rootOf", index, leaf, path) == expected
    assert plain.ask("rootOf", index, leaf, path) == expected


@settings(max_examples=40, deadline=None)
@given(WORDS, INDICES, CIPHERS)
def test_keys_and_leaves_are_hashed_as_in_python(library: Deployed, word: bytes, index: int, cipher: bytes) -> None:
    assert library.ask("hashKey", word) == key_hash(word)
    assert library.ask("hashLeaf", index, word, cipher) == leaf_hash(index, word + cipher)


@pytest.mark.parametrize("power", range(33))
def test_a_tree_is_as_deep_as_in_python(library: Deployed, plain: Deployed, power: int) -> None:
    for count in (2**power - 1, 2**power, 2**power + 1):
        if 1 <= count < 2**32:
            assert library.ask("depthOf", count) == plain.ask("depthOf", count) == depth_of(count)


def test_the_published_vectors_hold_on_the_ledger(library: Deployed) -> None:
    vectors = json.loads(PLACE.read_text())
    key = bytes.fromhex(vectors["key"])
    assert library.ask("hashKey", key).hex() == vectors["commitment"]["key_hash"]
    for index, chunk in enumerate(vectors["chunks"]):
        cipher, own = bytes.fromhex(chunk["cipher"]), bytes.fromhex(chunk["plain_hash"])
        assert library.ask("hashPlain", key, index, cipher) == own
        assert library.ask("hashLeaf", index, own, cipher).hex() == chunk["leaf"]
    path = [bytes.fromhex(node) for node in vectors["proof"]["path"]]
    leaf = bytes.fromhex(vectors["chunks"][2]["leaf"])
    assert library.ask("rootOf", 2, leaf, path).hex() == vectors["commitment"]["root"]
