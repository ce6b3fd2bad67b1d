"""Which rows of each person are used, and which persons are held out: rules that look at one person's rows alone.

Whatever is done here to one person's rows depends on those rows and on the dataset's secret, so that adding or
removing a person changes that person's rows and nothing else. The order of the file has no say.
"""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from node.vault.coding import Coded

SECRET_BYTES = 32
TAG_BYTES = 16

Tags = NDArray[np.uint64]


@dataclass(frozen=True)
class Bounded:
    """The rows that may be used, those of the holdout last, otherwise in an order that the dataset's secret decides.

    `places`: their places among the records. `person`: a dense number for each one's person, int32, from 0.
    `identity`: what stands for that person, 16 bytes as two uint64, shape (rows, 2). `held_out`: whether that person is
    in the holdout.
    """

    places: NDArray[np.int64]
    person: NDArray[np.int32]
    identity: Tags
    held_out: NDArray[np.bool_]


def identity_of(text: str, secret: bytes) -> bytes:
    """What stands for a person of this name in the records: 16 bytes, keyed with the dataset's secret of 32 bytes."""
    return _tag(secret, b"agora person", text.encode())


def bound(coded: Coded, secret: bytes, *, rows_per_person: int, holdout_percent: int) -> Bounded:
    """At most `rows_per_person` rows of each person, chosen by a keyed hash of the row, and each person's side.

    `secret`: the dataset's 32 bytes. `holdout_percent`: the share of persons to hold out, decided for each by a keyed
    hash. Where records have no person column, each row is a person of its own.
    """
    tags = _row_tags(coded, secret)
    persons = tags if coded.identities is None else tags_of(coded.identities)
    order = np.lexsort((tags[:, 1], tags[:, 0], persons[:, 1], persons[:, 0]))
    starts = _starts(persons[order])
    number = np.cumsum(starts) - 1
    rank = np.arange(len(order)) - np.flatnonzero(starts)[number]
    lots = _lots(persons[order][starts], secret)
    kept = rank < rows_per_person
    places, number = order[kept], number[kept]
    threshold = 2**64 * holdout_percent // 100
    held_out = np.array([lot < threshold for lot in lots], dtype=np.bool_)[number]
    shuffled = np.lexsort((tags[places, 1], tags[places, 0], held_out))
    places, number = places[shuffled], number[shuffled]
    return Bounded(places, number.astype(np.int32), persons[places], held_out[shuffled])


def _row_tags(coded: Coded, secret: bytes) -> Tags:
    """A keyed hash of each row and its person; of rows that agree in both, also of their number among themselves."""
    lines, width = len(coded.rows), coded.rows.shape[1] * 4
    content = np.ascontiguousarray(coded.rows, dtype="<i4").tobytes()
    identities = coded.identities or [b""] * lines
    found = [
        _tag(secret, b"agora row", identity + content[line * width : (line + 1) * width])
        for line, identity in enumerate(identities)
    ]
    tags = tags_of(found)
    order = np.lexsort((tags[:, 1], tags[:, 0]))
    starts = _starts(tags[order])
    occurrence = np.arange(lines) - np.flatnonzero(starts)[np.cumsum(starts) - 1]
    for place in np.flatnonzero(occurrence):
        line = int(order[place])
        found[line] = _tag(secret, b"agora again", found[line] + int(occurrence[place]).to_bytes(8, "big"))
    return tags_of(found)


def _lots(persons: Tags, secret: bytes) -> list[int]:
    return [
        int.from_bytes(_tag(secret, b"agora holdout", person.tobytes())[:8], "big") for person in persons.astype(">u8")
    ]


def _starts(ordered: Tags) -> NDArray[np.bool_]:
    """Where in an ordered list a tag differs from the one before."""
    starts = np.ones(len(ordered), dtype=np.bool_)
    starts[1:] = np.any(ordered[1:] != ordered[:-1], axis=1)
    return starts


def bytes_of(tags: Tags) -> list[bytes]:
    """Tags as 16 bytes each."""
    joined = tags.astype(">u8").tobytes()
    return [joined[at : at + TAG_BYTES] for at in range(0, len(joined), TAG_BYTES)]


def tags_of(tags: list[bytes]) -> Tags:
    """Tags from 16 bytes each, shape (tags, 2)."""
    return np.frombuffer(b"".join(tags), dtype=">u8").reshape(-1, 2).astype(np.uint64)


def _tag(secret: bytes, purpose: bytes, data: bytes) -> bytes:
    return blake2b(data, key=secret, digest_size=TAG_BYTES, person=purpose).digest()
