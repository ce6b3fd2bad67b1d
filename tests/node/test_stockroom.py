"""Results that are kept encrypted, whole or not at all, each for its own order."""

import io
from pathlib import Path

import pytest

from marketplace.errors import Corrupt, Unreachable
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol.identity import OrderId
from node.stockroom import FORMAT, PIECE_BYTES, Stockroom

ORDER, OTHER = OrderId(b"o" * 32), OrderId(b"p" * 32)
BOX = SecretBox(bytes(range(32)))
RESULT = b"a line of a table\n" * 200_000


def room(folder: Path) -> Stockroom:
    return Stockroom(folder / "stock", BOX)


def kept(folder: Path, order: OrderId = ORDER, data: bytes = RESULT) -> Path:
    room(folder).keep(order, io.BytesIO(data))
    return folder / "stock" / f"{order.hex()}.sealed"


def taken(folder: Path, order: OrderId = ORDER) -> bytes:
    out = io.BytesIO()
    room(folder).copy(order, out)
    return out.getvalue()


@pytest.mark.parametrize("length", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_what_was_kept_comes_back_to_the_byte(tmp_path: Path, length: int) -> None:
    data = (RESULT * 2)[:length]
    kept(tmp_path, data=data)
    assert taken(tmp_path) == data


def test_a_kept_result_is_encrypted_and_for_its_owner_only(tmp_path: Path) -> None:
    path = kept(tmp_path)
    assert b"a line of" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_orders_are_told_by_what_is_there(tmp_path: Path) -> None:
    assert room(tmp_path).orders() == ()
    kept(tmp_path)
    kept(tmp_path, OTHER)
    assert room(tmp_path).orders() == (ORDER, OTHER)
    room(tmp_path).drop(ORDER)
    room(tmp_path).drop(ORDER)
    assert room(tmp_path).orders() == (OTHER,)
    assert (room(tmp_path).has(ORDER), room(tmp_path).has(OTHER)) == (False, True)


def test_what_was_left_half_written_goes_with_the_rest(tmp_path: Path) -> None:
    part = kept(tmp_path).with_suffix(".sealed.part")
    part.write_bytes(b"half")
    assert room(tmp_path).orders() == (ORDER,)
    room(tmp_path).drop(ORDER)
    assert list((tmp_path / "stock").iterdir()) == []


def test_keeping_again_replaces(tmp_path: Path) -> None:
    kept(tmp_path)
    kept(tmp_path, data=b"short")
    assert taken(tmp_path) == b"short"


def test_nothing_is_taken_of_an_order_that_nothing_is_kept_of(tmp_path: Path) -> None:
    with pytest.raises(Corrupt, match="found none"):
        taken(tmp_path)


def pieces(path: Path) -> list[bytes]:
    data, found = path.read_bytes()[len(FORMAT) :], []
    while data:
        length = 4 + int.from_bytes(data[:4], "big")
        found.append(data[:length])
        data = data[length:]
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts[:-1],
        lambda parts: parts[1:],
        lambda parts: [parts[1], parts[0], *parts[2:]],
        lambda parts: [*parts, parts[-1]],
        lambda parts: [parts[0][:-1] + bytes([parts[0][-1] ^ 1]), *parts[1:]],
        lambda parts: [parts[0][:100]],
        lambda parts: [],
    ],
)
def test_no_piece_can_be_cut_moved_repeated_or_altered(tmp_path: Path, change: object) -> None:
    path = kept(tmp_path)
    assert len(pieces(path)) == 4
    path.write_bytes(FORMAT + b"".join(change(pieces(path))))  # type: ignore[operator]
    with pytest.raises(Corrupt):
        taken(tmp_path)


def test_a_result_is_not_taken_for_another_order_or_key(tmp_path: Path) -> None:
    kept(tmp_path).rename(tmp_path / "stock" / f"{OTHER.hex()}.sealed")
    with pytest.raises(Corrupt):
        taken(tmp_path, OTHER)
    kept(tmp_path)
    with pytest.raises(Corrupt):
        Stockroom(tmp_path / "stock", SecretBox(bytes(32))).copy(ORDER, io.BytesIO())


def test_another_format_is_named(tmp_path: Path) -> None:
    path = kept(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"result/1", b"result/2", 1))
    with pytest.raises(Corrupt, match="known format"):
        taken(tmp_path)


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "stock").write_bytes(b"a file where the folder belongs")
    with pytest.raises(Unreachable, match="expected a disk"):
        kept(tmp_path)
