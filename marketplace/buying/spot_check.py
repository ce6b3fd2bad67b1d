"""The spot check before accepting: a few chunks, drawn at random after the delivery, are opened and looked at."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from marketplace.buying.sample import Table
from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused
from marketplace.protocol import result
from marketplace.protocol.draw import draw
from marketplace.protocol.schema import Schema
from marketplace.sealing import WrongChunk, most_disclosed, open_chunk
from marketplace.sealing.chunk import DATA_BYTES, MOST_DISCLOSED
from marketplace.sealing.inner import InnerFile

DEFAULT_CHUNKS = 4
SEED, SEED_BYTES = "spot-check", 32

Ask = Callable[[tuple[int, ...]], Mapping[int, bytes]]
"""Asks the provider's node for the keys of these chunks, in rising order. Raises a `MarketplaceError` if none come."""


class Finding(StrEnum):
    """What a spot check found. All but the first are reasons to reject the delivery."""

    RIGHT = "right"
    NO_ANSWER = "no answer"
    WRONG_KEY = "wrong key"
    OUTSIDE_SCHEMA = "outside the schema"


@dataclass(frozen=True)
class Verdict:
    """What was found, in which chunks, and why. It says that the opened chunks fit the schema, not that they are good."""

    finding: Finding
    chunks: tuple[int, ...]
    evidence: str

    @property
    def passed(self) -> bool:
        """Whether every chunk that was asked for was opened and is right."""
        return self.finding is Finding.RIGHT


class TooSmall(Refused):
    """A result of which nothing is opened before it is paid for: even a few chunks would be worth its price."""


@dataclass(frozen=True)
class Sampled:
    """The delivery that is looked at: what its order's documents declare, and what makes the draw.

    `seed`: 32 random bytes made after the delivery and kept, so that a check that is repeated asks for the same chunks;
    of stock the `stock_seed`, by which all its buyers ask for the same.
    """

    schema: Schema
    rows: int
    seed: bytes
    stock: bool = False

    def below(self, table_chunks: int) -> int:
        """Below which index chunks are drawn: of stock, where its node draws alike, among those that the rows surely fill."""
        return result.least_rows_bytes(self.schema, self.rows) // DATA_BYTES if self.stock else table_chunks

    def most(self, count: int) -> int:
        """How many of `count` chunks may be opened, by public facts: the node counts alike."""
        return most_disclosed(count, result.least_rows_bytes(self.schema, self.rows))


def spot_check(inner: BinaryIO, sampled: Sampled, chunks: int, ask: Ask) -> Verdict:
    """Opens `chunks` chunks of the inner file, 1 to 8, through `ask`, and looks at what is in them.

    Always the first, which says how long the table is, and then chunks drawn at random among those that hold the table;
    where rubbish fills a part f of those, one of n drawn shows it with probability 1 - (1 - f)^n. A result is opened in
    at most 8 chunks for ever, and in at most a quarter of those that its rows surely fill (`most_disclosed`): so the
    smallest results cannot be checked, and small ones in fewer chunks than asked for.

    Raises `Invalid` for another number of chunks, `TooSmall` for a result that is, `Corrupt` for an inner file that is none.
    """
    if not 1 <= chunks <= MOST_DISCLOSED:
        raise Invalid(f"expected 1 to {MOST_DISCLOSED} chunks to open, got {chunks}")
    count = InnerFile(inner).count
    wanted = min(chunks, sampled.most(count))
    if wanted < 1:
        raise TooSmall(
            "expected a result of which a few chunks are not worth its price, this one is too small to be opened in part; "
            "accept or reject it by its released scores"
        )
    look = _Look(inner, ask)
    try:
        (first,) = look.open((0,)).values()
        with _seen(0):
            table = Table.of_first_chunk(first, sampled.schema, sampled.rows, count)
            table.check(0, first)
        for index, data in look.open(draw(sampled.seed, wanted - 1, sampled.below(table.chunks))).items():
            with _seen(index):
                table.check(index, data)
    except _Wrong as wrong:
        return Verdict(wrong.finding, tuple(sorted(look.asked)), wrong.evidence)
    evidence = f"{len(look.asked)} of the {table.chunks:,} chunks with {result.TABLE}{_unseen(sampled.schema)}"
    return Verdict(Finding.RIGHT, tuple(sorted(look.asked)), evidence)


def _unseen(schema: Schema) -> str:
    further = [sheet.file for sheet in result.sheets(schema)[1:]]
    return f"; not looked into: {', '.join(further)}" if further else ""


class _Wrong(Exception):
    """The check is over: something is not as it must be."""

    def __init__(self, finding: Finding, evidence: str) -> None:
        super().__init__(evidence)
        self.finding, self.evidence = finding, evidence


@dataclass
class _Look:
    """A look into the inner file. `asked`: the chunks whose keys were asked for."""

    inner: BinaryIO
    ask: Ask
    asked: set[int] = field(default_factory=set)

    def open(self, indices: tuple[int, ...]) -> dict[int, bytes]:
        """The data of these chunks, 992 bytes each. Raises `_Wrong` if they cannot be had."""
        if not indices:
            return {}
        self.asked.update(indices)
        try:
            keys = self.ask(tuple(sorted(indices)))
        except MarketplaceError as error:
            raise _Wrong(Finding.NO_ANSWER, str(error)) from None
        if set(keys) != set(indices):
            raise _Wrong(Finding.NO_ANSWER, "expected the keys of the chunks that were asked for, got those of others")
        return {index: self._data(index, key) for index, key in keys.items()}

    def _data(self, index: int, key: bytes) -> bytes:
        try:
            return open_chunk(self.inner, index, of_chunk_key=key)
        except (WrongChunk, Invalid):
            evidence = f"chunk {index}: the key that was given does not open it to its committed hash"
            raise _Wrong(Finding.WRONG_KEY, evidence) from None


@contextmanager
def _seen(index: int) -> Iterator[None]:
    try:
        yield
    except Corrupt as fault:
        raise _Wrong(Finding.OUTSIDE_SCHEMA, f"chunk {index}: {fault}") from None
