from base64 import b32encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.content.cid import DAG_PB, RAW, Cid
from marketplace.errors import Invalid

HELLO = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
DIGESTS = st.binary(min_size=32, max_size=32)
CODECS = st.sampled_from([RAW, DAG_PB])


def spelled(data: bytes) -> str:
    return "b" + b32encode(data).decode().rstrip("=").lower()


class TestAddressesOfBytes:
    def test_a_raw_block_is_called_as_ipfs_calls_it(self) -> None:
        assert Cid.of_raw(b"hello world").text == HELLO

    def test_a_raw_block_is_the_digest_and_the_codec(self) -> None:
        assert Cid.of_raw(b"abc") == Cid.raw(sha256(b"abc").digest()) == Cid(sha256(b"abc").digest(), RAW)

    def test_a_node_of_the_same_bytes_is_something_else(self) -> None:
        assert Cid.of_dag_pb(b"abc") == Cid(sha256(b"abc").digest(), DAG_PB) != Cid.of_raw(b"abc")

    def test_it_prints_as_its_text(self) -> None:
        assert f"{Cid.parse(HELLO)}" == HELLO


class TestBothWaysAreExact:
    @given(DIGESTS, CODECS)
    def test_text_and_back(self, digest: bytes, codec: int) -> None:
        cid = Cid(digest, codec)
        assert Cid.parse(cid.text) == cid
        assert len(cid.text) == 59

    @given(DIGESTS, CODECS)
    def test_bytes_and_back(self, digest: bytes, codec: int) -> None:
        cid = Cid(digest, codec)
        assert Cid.from_binary(cid.binary) == cid
        assert len(cid.binary) == 36

    @given(st.binary(max_size=40))
    def test_bytes_are_read_in_one_way_or_not_at_all(self, data: bytes) -> None:
        try:
            assert Cid.from_binary(data).binary == data
        except Invalid as error:
            assert "expected a CID of version 1" in str(error)

    @given(st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=57, max_size=59))
    def test_text_is_read_in_one_way_or_not_at_all(self, text: str) -> None:
        for attempt in (text, "bafkrei" + text[:52], "bafybei" + text[:52]):
            try:
                assert Cid.parse(attempt).text == attempt
            except Invalid as error:
                assert "expected" in str(error)


class TestEverythingElseIsInvalid:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "b",
            HELLO[:-1],
            HELLO + "a",
            HELLO.upper(),
            HELLO[:10] + HELLO[10:].upper(),
            HELLO + "=",
            " " + HELLO,
            HELLO + "\n",
            HELLO.replace("z", "1"),
            "/ipfs/" + HELLO,
            "ipfs://" + HELLO,
            "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o",
            "zb2rhj7crUKTQYRGCRATFaQ6YFLTde2YzdqbbhAASkL9uRDXn",
            "f01551220" + "00" * 32,
            "ｂ" + HELLO[1:],
            "b" * 1000,
        ],
    )
    def test_text_that_is_not_the_canonical_spelling(self, text: str) -> None:
        with pytest.raises(Invalid, match="expected a CID of version 1 in lower-case base32") as told:
            Cid.parse(text)
        assert len(str(told.value)) < 320
        assert "\n" not in str(told.value)

    @pytest.mark.parametrize("last", "bcd")
    def test_stray_bits_at_the_end(self, last: str) -> None:
        text = spelled(Cid.raw(bytes(32)).binary)
        with pytest.raises(Invalid, match=f"stray bits at its end; write {text}"):
            Cid.parse(text[:-1] + last)

    @pytest.mark.parametrize(
        "head",
        [b"\x00\x55\x12\x20", b"\x02\x55\x12\x20", b"\x01\x71\x12\x20", b"\x01\x55\x16\x20", b"\x01\x55\x12\x1f"],
        ids=["version 0", "version 2", "dag-cbor", "sha3-256", "31 bytes"],
    )
    def test_other_kinds_of_address(self, head: bytes) -> None:
        with pytest.raises(Invalid, match="expected"):
            Cid.parse(spelled(head + bytes(32)))

    @pytest.mark.parametrize("codec", [-1, 0, 0x71, 0x129])
    def test_another_codec(self, codec: int) -> None:
        with pytest.raises(Invalid, match="expected the codec raw"):
            Cid(bytes(32), codec)

    @pytest.mark.parametrize("length", [0, 31, 33])
    def test_a_digest_of_another_length(self, length: int) -> None:
        with pytest.raises(Invalid, match=f"expected a digest of 32 bytes, got {length}"):
            Cid.raw(bytes(length))
