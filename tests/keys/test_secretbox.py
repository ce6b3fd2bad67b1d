import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Corrupt, Invalid
from marketplace.keys.secretbox import SecretBox

BOX = SecretBox(b"storage key of one node, 32 byte")


@given(st.binary(max_size=40), st.binary(max_size=200))
def test_a_secret_comes_back_under_its_label(label: bytes, data: bytes) -> None:
    assert BOX.open(label, BOX.seal(label, data)) == data


def test_sealing_twice_gives_different_bytes() -> None:
    assert BOX.seal(b"noise key", b"data") != BOX.seal(b"noise key", b"data")


@given(st.data())
def test_a_flipped_bit_anywhere_is_refused(data: st.DataObject) -> None:
    blob = bytearray(BOX.seal(b"noise key", b"a secret"))
    bit = data.draw(st.integers(0, 8 * len(blob) - 1))
    blob[bit // 8] ^= 1 << bit % 8
    with pytest.raises((Corrupt, Invalid)) as caught:
        BOX.open(b"noise key", bytes(blob))
    assert isinstance(caught.value, Corrupt) or bit < 8 * 18


@given(st.integers(0, 53))
def test_a_cut_secret_is_corrupt(length_bytes: int) -> None:
    blob = BOX.seal(b"noise key", b"a secret")
    assert len(blob) == 54
    with pytest.raises(Corrupt):
        BOX.open(b"noise key", blob[:length_bytes])


def test_a_secret_under_another_label_or_another_key_is_corrupt_and_not_shown() -> None:
    blob = BOX.seal(b"noise key of order 1", b"a secret")
    for box, label in ((BOX, b"noise key of order 2"), (SecretBox(bytes(32)), b"noise key of order 1")):
        with pytest.raises(Corrupt, match="does not open") as caught:
            box.open(label, blob)
        assert "a secret" not in str(caught.value)


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="Expected the format agora/secretbox/1, found agora/secretbox/2"):
        BOX.open(b"label", b"agora/secretbox/2\n" + bytes(40))


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), "x" * 32, None])
def test_a_storage_key_of_another_length_is_invalid(key: object) -> None:
    with pytest.raises(Invalid, match="storage key must be 32 bytes"):
        SecretBox(key)  # type: ignore[arg-type]


def test_a_box_does_not_show_its_key() -> None:
    assert "storage key of" not in repr(BOX)
    assert not hasattr(BOX, "__dict__")
