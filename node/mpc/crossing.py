"""Tables of columns that lie at different parties, opened with everybody's noise inside and nothing else of them.

Buckets are shared with polynomials of degree t, the threshold, 2t < m. Inside, a bucket is emptied for a side unless one of
its parties alone has somebody there, and for tables within one side unless the other has somebody too; those products are
brought back to degree t. Then every party multiplies what it holds of
either side, bucket by bucket, and adds up: shares of each number on a polynomial of degree 2t. The noise of each party is
shared with a random polynomial of degree 2t, and all are added before the shares are opened, so that what is seen is a random
polynomial with the noisy number at 0. Hence one number to open for each cell, however many buckets there are.
Source: Ben-Or, Goldwasser and Wigderson 1988; Gennaro, Rabin and Rabin 1998 for the lowered degree; against at most t parties
that put together what they see and follow the protocol. Of the shares that a party deals, t follow from keys that it has told
those who hold them, so that they need not be sent.
"""

import hmac
import secrets
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from marketplace.protocol.crossing import PIECE_ELEMENTS, Crossing, Side, Table
from node.mpc import field
from node.mpc.field import Elements, Halves, Integers
from node.mpc.frames import PIECE_VALUES, Kind, Line, Rubbish
from node.mpc.masks import Stream
from node.mpc.plan import Plan
from node.mpc.stating import Stating

SEED_BYTES = 32

_MASKS = b"agora/crossing-masks/1"


class Crosses(Stating):
    """One party's part in one order about a split table, once everybody is connected.

    Its methods raise `Ended`, which names a party; nothing can be asked of it afterwards but `abort`.
    """

    def __init__(
        self,
        plan: Plan,
        key: EllipticCurvePrivateKey,
        folder: Path,
        sending: dict[int, Line],
        hearing: dict[int, Line],
    ) -> None:
        super().__init__(plan, key, sending, hearing)
        self._told = {number: secrets.token_bytes(SEED_BYTES) for number in plan.others}
        self._seeds: dict[int, bytes] = {}
        self._dealing: dict[int, Stream] = {}
        self._given: dict[int, Stream] = {}
        self._rounds = 0

    def greet(self) -> None:
        """Agrees with each other party on the keys of shares that are not sent, and with all on `agreed`. To be done first."""
        self._meet(self._told.__getitem__, self._take_seed, SEED_BYTES)

    def answer(self, asked: bytes, read: Callable[[int], Integers], write: Callable[[Integers], None]) -> None:
        """The tables of a crossing with everybody's noise in them. `asked`: its bytes.

        `read`: of each part at this party's side, presence first, bucket by bucket, 0 or the cell that its person has, counted
        from 1, with the person's sign; and then this party's noise. `write`: takes the tables. Raises `ValueError` for what a
        crossing does not have, before anything of it is shared, and for what cannot have been opened.
        """
        crossing = Crossing.decode(asked)
        if len(crossing.sides) != len(self._plan.peers):
            raise ValueError("expected a side for each party")
        self._mean_alike(asked)
        cells = crossing.cells[crossing.sides[self._plan.own]]
        marks = _read(read, crossing.buckets * len(cells)).reshape(len(cells), crossing.buckets)
        noise = _read(read, crossing.opened)
        if (np.abs(marks).max(axis=1) > np.array(cells)).any() or (marks * marks[0] < np.abs(marks)).any():
            raise ValueError("expected cells that the crossing declares, of persons who are there")
        if int(np.abs(noise).max()) > crossing.most:
            raise ValueError("expected noise within what the crossing declares")
        found = self._open((self._products(crossing, marks) + self._noise(noise)) % field.PRIME)
        if int(np.abs(found).max()) > crossing.largest:
            raise ValueError("expected tables within the declared bounds")
        self._known.update(asked + found.astype("<i8").tobytes())
        self._rounds += 1
        for start in range(0, len(found), PIECE_VALUES):
            write(found[start : start + PIECE_VALUES])

    def _products(self, crossing: Crossing, marks: Integers) -> Elements:
        """This party's shares, of degree 2t, of all tables without noise."""
        self._dealing = {n: self._masks(self._told[n]) for n in self._seeded(self._plan.own)}
        led = [number for number in self._plan.others if self._plan.own in self._seeded(number)]
        self._given = {number: self._masks(self._seeds[number]) for number in led}
        own, sides = crossing.sides[self._plan.own], [Rows(crossing, side) for side in Side]
        sums: list[Elements] = [np.zeros(1, np.uint64) for _ in crossing.tables]
        for piece in _pieces(crossing.buckets, max(one.count for one in sides)):
            width = piece.stop - piece.start
            secret = sides[own].secret(marks[:, piece])
            dealt = self._dealt(secret, [sides[side].count * width for side in crossing.sides])
            parts = self._multiplied(crossing, sides, [share.reshape(-1, width) for share in dealt])
            sums = [(one + parts.table(table)) % field.PRIME for one, table in zip(sums, crossing.tables, strict=True)]
        opened = zip(sums, crossing.tables, strict=True)
        return np.concatenate([np.ravel(one)[: table.opened] for one, table in opened])

    def _multiplied(self, crossing: Crossing, sides: "Sequence[Rows]", held: list[Elements]) -> "Parts":
        """What both sides have in some buckets, of degree t. `held`: the rows of each party."""
        parties = [[held[n] for n, one in enumerate(crossing.sides) if one is side] for side in Side]
        alone = [self._alone(np.stack([one[sides[side].there] for one in parties[side]])) for side in Side]
        across, met = [], []
        for side, mine in zip(Side, parties, strict=True):
            only = [one[sides[side].across] for one in mine]
            emptied = [one * at for one, at in zip(only, alone[side], strict=True)]
            across.append(only[0] if len(mine) == 1 else self._lowered(_added(emptied)))
        for side, mine in zip(Side, parties, strict=True):
            other = across[1 - side][:1]
            met.append(other if len(mine) == 1 else self._lowered(alone[side] * other % field.PRIME))
        within = [
            [one[sides[side].first] * at % field.PRIME for one, at in zip(parties[side], met[side], strict=True)]
            for side in Side
        ]
        ends = accumulate(len(one) for one in chain(*within))
        lowered = iter(np.split(self._lowered(np.concatenate([*chain(*within)])), [*ends][:-1]))
        within = [[next(lowered) for _ in mine] for mine in within]
        return Parts(sides, across, within, parties)

    def _alone(self, there: Elements) -> Elements:
        """Of each party of a side whether none of its others has somebody in a bucket. `there`: shape (parties, buckets)."""
        absent = (1 + field.PRIME - there) % field.PRIME
        found = np.roll(absent, 1, axis=0)
        for step in range(2, len(there)):
            found = self._lowered(found * np.roll(absent, step, axis=0) % field.PRIME)
        return found

    def _lowered(self, products: Elements) -> Elements:
        """Shares of degree t of what these are shares of degree 2t of."""
        known = range(1, 2 * self._plan.threshold + 2)
        dealt = self._dealt(products.ravel(), [products.size] * len(self._plan.peers))
        return field.at(0, known, dealt[: len(known)]).reshape(products.shape)

    def _dealt(self, secret: Elements, counts: Sequence[int]) -> list[Elements]:
        """This party's share of what each party deals, as many elements as `counts` says; and the others have theirs of `secret`.

        Who need not be sent a share is sent an empty message, so that everybody waits for everybody, and who is silent is named
        by all.
        """
        own = self._plan.own
        values = [secret, *(field.drawn(stream, secret.size) for stream in self._dealing.values())]
        points = [0, *(number + 1 for number in self._dealing)]
        for number in self._plan.others:
            self._say_all(number, values[0][:0] if number in self._dealing else field.at(number + 1, points, values))
        shares = []
        for number, count in enumerate(counts):
            if number == own:
                shares.append(field.at(own + 1, points, values))
            elif number in self._given:
                self._hear_all(number, 0)
                shares.append(field.drawn(self._given[number], count))
            else:
                shares.append(self._hear_all(number, count))
        return shares

    def _noise(self, noise: Integers) -> Elements:
        """This party's share of the noise of all: each shared with a random polynomial of degree 2t."""
        own, degree = self._plan.own, 2 * self._plan.threshold
        stream = Stream(secrets.token_bytes(SEED_BYTES))
        values = [field.elements_of(noise), *(field.drawn(stream, noise.size) for _ in range(degree))]
        for number in self._plan.others:
            self._say_all(number, field.at(number + 1, range(degree + 1), values))
        shares = (self._hear_all(number, noise.size) for number in self._plan.others)
        return sum(shares, field.at(own + 1, range(degree + 1), values))

    def _open(self, share: Elements) -> Integers:
        """The numbers behind everybody's shares of degree 2t. Raises `ValueError` where the shares are of no such polynomial."""
        for number in self._plan.others:
            self._say_all(number, share)
        shares = [share if n == self._plan.own else self._hear_all(n, share.size) for n in range(len(self._plan.peers))]
        known = range(1, 2 * self._plan.threshold + 2)
        for number in range(len(known), len(shares)):
            if (field.at(number + 1, known, shares[: len(known)]) != shares[number]).any():
                raise ValueError("expected shares that fit each other")
        return field.numbers_of(field.at(0, known, shares[: len(known)]))

    def _seeded(self, number: int) -> tuple[int, ...]:
        """Whose shares of what `number` hands in follow from keys: of the parties after it, as many as the threshold."""
        return tuple((number + 1 + step) % len(self._plan.peers) for step in range(self._plan.threshold))

    def _masks(self, seed: bytes) -> Stream:
        """The shares of this round that follow from a seed. The same on both sides, for each round another."""
        return Stream(hmac.digest(seed, _MASKS + self._rounds.to_bytes(4, "big"), "sha256"))

    def _take_seed(self, number: int, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise Rubbish
        self._seeds[number] = seed

    def _say_all(self, number: int, elements: Elements) -> None:
        for start in range(0, max(1, elements.size), PIECE_ELEMENTS):
            self._say(number, Kind.SHARES, field.to_bytes(elements[start : start + PIECE_ELEMENTS]))

    def _hear_all(self, number: int, count: int) -> Elements:
        parts = range(0, max(1, count), PIECE_ELEMENTS)
        return np.concatenate([self._shares(number, min(PIECE_ELEMENTS, count - start)) for start in parts])

    def _shares(self, number: int, count: int) -> Elements:
        """`count` elements of what a party sends; who sends something else is named."""
        try:
            return field.from_bytes(self._listen(number, Kind.SHARES, field.ELEMENT_BYTES * count), count)
        except Rubbish as error:
            raise self._named(number, error) from None


class Rows:
    """Which rows of numbers a party of a side shares: a 1 or -1 for each cell of a part, and for some a 1 whatever the sign.

    `there`: the row of presence without its sign. `across`, `first`, `second`: the rows of those parts that `Crossing` so calls,
    `places`: where among them each part stands.
    """

    def __init__(self, crossing: Crossing, side: Side) -> None:
        self._cells = crossing.cells[side]
        chosen = crossing.across(side), crossing.first_within(side), crossing.second_within(side)
        signed = _places(self._cells, sorted({*chosen[0], *chosen[1]}))
        self._signed = signed
        self._plain = _places(self._cells, chosen[2], sum(self._cells[part] for part in signed))
        self.count = sum(self._cells[part] for places in (signed, self._plain) for part in places)
        self.there = self._plain[0].start
        self.across, self.first = (
            [row for part in parts for row in range(signed[part].start, signed[part].stop)] for parts in chosen[:2]
        )
        self.second = slice(self.there, self.count)
        self.places = [_places(self._cells, parts) for parts in chosen]

    def secret(self, marks: Integers) -> Elements:
        """What a party shares of its marks, flat, the bucket varying fastest."""
        found = np.zeros((self.count, marks.shape[1]), np.int64)
        for places, values in ((self._signed, marks), (self._plain, np.abs(marks))):
            for part, place in places.items():
                there = np.flatnonzero(values[part])
                found[place.start + np.abs(values[part, there]) - 1, there] = np.sign(values[part, there])
        return field.elements_of(found).ravel()


class Parts:
    """What both sides have in some buckets, as this party's shares of degree t, ready to be multiplied.

    `across`: of each side, where one of its parties alone has somebody. `within`: of each party of a side, where it is alone and
    meets somebody at the other. `parties`: the rows of each party of a side.
    """

    def __init__(
        self,
        sides: Sequence[Rows],
        across: Sequence[Elements],
        within: Sequence[Sequence[Elements]],
        parties: Sequence[Sequence[Elements]],
    ) -> None:
        self._places = [one.places for one in sides]
        self._across = [Halves(one) for one in across]
        self._within = [[Halves(one) for one in side] for side in within]
        self._plain = [[Halves(one[sides[n].second]) for one in side] for n, side in enumerate(parties)]

    def table(self, table: Table) -> Elements:
        """This party's share, of degree 2t, of each pair of cells of two parts: shape (cells, cells)."""
        side, other = table.where.sides
        if side is not other:
            rows, columns = self._places[side][0][table.first], self._places[other][0][table.second]
            return self._across[side].times(rows, self._across[other], columns)
        rows, columns = self._places[side][1][table.first], self._places[side][2][table.second]
        both = zip(self._within[side], self._plain[side], strict=True)
        return _added([one.times(rows, plain, columns) for one, plain in both])


def _added(parts: Sequence[Elements]) -> Elements:
    """Their sum; each may be a product of two elements."""
    return sum((part % field.PRIME for part in parts[1:]), parts[0] % field.PRIME) % field.PRIME


def _places(cells: Sequence[int], parts: Sequence[int], start: int = 0) -> dict[int, slice]:
    """Where the cells of each of these parts stand, one part after the other from `start` on."""
    ends = accumulate((cells[part] for part in parts), initial=start)
    return {part: slice(at, at + cells[part]) for part, at in zip(parts, ends, strict=False)}


def _pieces(buckets: int, rows: int) -> Iterator[slice]:
    """Buckets, as many at a time as keep what one party shares of them within `PIECE_ELEMENTS`."""
    width = max(1, PIECE_ELEMENTS // rows)
    for start in range(0, buckets, width):
        yield slice(start, min(start + width, buckets))


def _read(read: Callable[[int], Integers], count: int) -> Integers:
    return np.concatenate([read(min(PIECE_VALUES, count - start)).copy() for start in range(0, count, PIECE_VALUES)])
