"""Where results of earlier orders are kept, encrypted, so that they can be sold again as they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from marketplace.errors import Corrupt
from marketplace.keys.secretbox import SecretBox
from marketplace.protocol.identity import OrderId
from node.files import disk, forget, make_folder, reading, whole_file

FORMAT = b"agora/kept-result/1\n"
PIECE_BYTES = 2**20
_LENGTH_BYTES = 4
_SUFFIX = ".sealed"


class Stockroom:
    """Results by their orders, one file each, in `folder`. A file is there whole or not at all, for its owner only.

    Every piece is bound to its order and its place, so none can be moved, repeated, left out or read for another order.
    """

    def __init__(self, folder: Path, box: SecretBox) -> None:
        self._folder = folder
        self._box = box

    def orders(self) -> tuple[OrderId, ...]:
        """Whose results are kept."""
        with disk():
            found = sorted(self._folder.glob(f"*{_SUFFIX}")) if self._folder.is_dir() else []
        return tuple(OrderId(bytes.fromhex(path.name.removesuffix(_SUFFIX))) for path in found)

    def has(self, order: OrderId) -> bool:
        """Whether the result of `order` is kept."""
        return self._path(order).is_file()

    def keep(self, order: OrderId, plain: BinaryIO) -> None:
        """Keeps what `plain` holds from its position on, durably when this returns. Raises as `files.disk` says."""
        make_folder(self._folder)
        with whole_file(self._path(order)) as out:
            out.write(FORMAT)
            piece, place = plain.read(PIECE_BYTES), 0
            while True:
                following = plain.read(PIECE_BYTES)
                sealed = self._box.seal(_label(order, place, last=not following), piece)
                out.write(len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed)
                if not following:
                    return
                piece, place = following, place + 1

    def copy(self, order: OrderId, out: BinaryIO) -> None:
        """Writes the kept result of `order` to `out`.

        Raises `Corrupt` where it is not there or not as it was kept; what was written by then is authentic.
        """
        if not self.has(order):
            raise Corrupt("expected a kept result, found none; restore the node's folder from its backup")
        with reading(self._path(order)) as file:
            if file.read(len(FORMAT)) != FORMAT:
                raise Corrupt("expected a kept result of a known format, got another; update this program")
            for place, (sealed, last) in enumerate(_pieces(file)):
                out.write(self._box.open(_label(order, place, last=last), sealed))

    def drop(self, order: OrderId) -> None:
        """Deletes what is kept of `order`, durably when this returns. Nothing happens where nothing is kept."""
        path = self._path(order)
        for each in (path, path.with_name(path.name + ".part")):
            forget(each)

    def _path(self, order: OrderId) -> Path:
        return self._folder / f"{order.hex()}{_SUFFIX}"


def _label(order: OrderId, place: int, *, last: bool) -> bytes:
    return FORMAT + order + place.to_bytes(4, "big") + bytes([last])


def _pieces(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The sealed pieces in order, each with whether it is the last."""
    length = file.read(_LENGTH_BYTES)
    while True:
        sealed = file.read(int.from_bytes(length, "big"))
        length = file.read(_LENGTH_BYTES)
        yield sealed, not length
        if not length:
            return
