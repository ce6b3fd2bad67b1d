"""Sums modulo 2^64 over all parties: each sends its numbers masked to all others, and the masks cancel in the sum."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.typing import NDArray

from node.mpc.conversation import Conversation
from node.mpc.ending import Ended, Reason
from node.mpc.frames import PIECE_VALUES, Kind, Line
from node.mpc.masks import KEY_BYTES, Batch, Pair, Spent, Words
from node.mpc.plan import Plan
from node.mpc.transcript import DIGEST_BYTES, Recording, Transcript

Integers = NDArray[np.int64]


class Summing(Conversation):
    """One party's part in one order's sums, once everybody is connected.

    `sending`, `hearing`: lines by party. `folder`: the order's own, where used masks are written down. Its methods raise
    `Ended`, which names a party; nothing can be asked of it afterwards but `abort`.
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
        self._spent = Spent(folder)
        self._pairs: dict[int, Pair] = {}
        self._recording = Recording(plan, [])

    def greet(self) -> None:
        """Agrees with each other party on a key made for this order and this process alone. To be done first."""
        private = X25519PrivateKey.generate()
        publics = self._exchange_keys(private.public_key().public_bytes_raw())
        self._pairs = {number: self._pair(private, publics[number], number) for number in self._plan.others}
        self._recording = Recording(self._plan, publics)

    def answer(self, asked: bytes, read: Callable[[int], Integers], write: Callable[[Integers], None]) -> None:
        """As `sum`, of the batch in `asked`. Raises `ValueError` where there is none."""
        self.sum(Batch.decode(asked), read, write)

    def sum(self, batch: Batch, read: Callable[[int], Integers], write: Callable[[Integers], None]) -> None:
        """The sums of all parties' numbers, piece by piece, once all mean the same batch after the same transcript.

        `read`: the next so many of this party's numbers, shape (count,). `write`: takes as many sums, in order. The true
        sums lie in [-2^63, 2^63), which the bounds of `Statistic` see to.
        """
        self._recording.open(batch)
        opening = self._recording.digest()
        self._tell(Kind.OPENING, opening)
        for number in self._plan.others:
            if self._hear(number, Kind.OPENING, DIGEST_BYTES) != opening:
                raise Ended(number, Reason.DISAGREED, self._plan.own)
        pairs = tuple(self._pairs.values())
        self._spent.spend(pairs, batch)
        heard = np.empty(PIECE_VALUES, np.uint64)
        for masks in zip(*(pair.masks(batch) for pair in pairs), strict=True):
            masked: Words = read(len(masks[0])).astype(np.uint64)
            for pair, mask in zip(pairs, masks, strict=True):
                (np.add if pair.adds else np.subtract)(masked, mask, out=masked)
            write(self._exchange(masked, heard[: len(masked)]).view(np.int64))

    def finish(self) -> Transcript:
        """The transcript with everybody's signature; and everybody has this party's."""
        return self._sign_off(self._recording.digest())

    def _exchange_keys(self, public: bytes) -> list[bytes]:
        context = self._plan.context
        self._tell(Kind.HELLO, context + public)
        publics = [public] * len(self._plan.peers)
        for number in self._plan.others:
            came = self._hear(number, Kind.HELLO, len(context) + KEY_BYTES)
            if came[: len(context)] != context:
                raise Ended(number, Reason.DISAGREED, self._plan.own)
            publics[number] = came[len(context) :]
        return publics

    def _pair(self, private: X25519PrivateKey, public: bytes, number: int) -> Pair:
        try:
            return Pair(private, public, self._plan.own, number, self._plan.context)
        except ValueError:
            raise Ended(number, Reason.RUBBISH, self._plan.own) from None

    def _exchange(self, masked: Words, heard: Words) -> Words:
        payload = masked.astype("<u8", copy=False).data.cast("B")
        self._recording.hear(self._plan.own, payload)
        self._tell(Kind.VALUES, payload)
        total = masked
        for number in self._plan.others:
            self._hear_values(number, heard)
            self._recording.hear(number, heard.data.cast("B"))
            total = total + heard
        return total
