import hashlib

import pytest

from marketplace.sealing.chunk import (
    CHUNK_BYTES,
    DATA_BYTES,
    capacity_for,
    chunk_key,
    crypt,
    key_hash,
    leaf_hash,
    most_disclosed,
    plain_hash,
    salt,
    stream,
    xor,
)

SECRET, KEY, INDEX = bytes(range(32)), bytes(range(32, 64)), 0x01020304


def h(text: str) -> bytes:
    return hashlib.sha256(bytes.fromhex(text)).digest()


def test_a_salt_is_the_hash_of_its_tag_the_secret_and_the_index() -> None:
    assert salt(SECRET, INDEX) == h("06" + SECRET.hex() + "01020304")


def test_a_plain_hash_binds_the_index() -> None:
    chunk = b"c" * CHUNK_BYTES
    assert plain_hash(INDEX, chunk) == h("02" + "01020304" + chunk.hex())


def test_a_leaf_binds_index_plain_hash_and_ciphertext() -> None:
    record = b"p" * 32 + b"c" * CHUNK_BYTES
    assert leaf_hash(INDEX, record) == h("00" + "01020304" + record.hex())


def test_the_key_hash_has_its_own_tag() -> None:
    assert key_hash(KEY) == h("03" + KEY.hex())


def test_a_stream_is_32_counted_hashes_of_the_chunk_key() -> None:
    of_chunk = chunk_key(KEY, INDEX)
    assert of_chunk == h("04" + KEY.hex() + "01020304")
    assert stream(of_chunk) == b"".join(h("05" + of_chunk.hex() + f"{block:02x}") for block in range(32))


def test_encrypting_twice_gives_the_chunks_back() -> None:
    chunks = [bytes([number]) * CHUNK_BYTES for number in range(5)]
    ciphers = crypt(9, chunks, KEY)
    assert ciphers[2] == xor(chunks[2], stream(chunk_key(KEY, 11)))
    assert len(set(ciphers)) == 5
    assert crypt(9, ciphers, KEY) == chunks


@pytest.mark.parametrize(
    ("length_bytes", "chunks"), [(0, 1), (984, 1), (985, 2), (984 + 992, 2), (984 + 993, 3), (2**30, 1_082_402)]
)
def test_a_capacity_holds_the_length_and_the_data(length_bytes: int, chunks: int) -> None:
    assert capacity_for(length_bytes) == chunks


def test_a_negative_length_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="negative"):
        capacity_for(-1)


@pytest.mark.parametrize(
    ("count", "content_bytes", "most"),
    [
        (4_000, 32 * DATA_BYTES, 8),
        (4_000, 32 * DATA_BYTES - 1, 7),
        (4_000, 10**9, 8),
        (4_000, 4 * DATA_BYTES, 1),
        (4_000, 4 * DATA_BYTES - 1, 0),
        (31, 10**9, 7),
        (3, 10**9, 0),
        (1, 0, 0),
    ],
)
def test_before_payment_eight_chunks_at_most_are_disclosed_and_never_more_than_a_quarter(
    count: int, content_bytes: int, most: int
) -> None:
    assert most_disclosed(count, content_bytes) == most
