"""Sums that stay shared between the parties, of which only what may be seen is opened: the lane for what is not a sum.

Source: Shamir 1979; Ben-Or, Goldwasser and Wigderson 1988, against parties that follow the protocol, fewer than half of
which put together what they see.
"""

import asyncio
import secrets
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from numpy.typing import NDArray

from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_opening import How, Opening
from node.mpc import asking, openings
from node.mpc.conversation import Conversation
from node.mpc.ending import Ended, Reason
from node.mpc.engine import LARGEST_MESSAGE, NUMBER_BITS, WIDE_BITS, Engine, Exchange, Odd
from node.mpc.frames import PIECE_VALUES, Aborted, Kind, Line, Rubbish
from node.mpc.linkage import linked
from node.mpc.persons import KEY_BYTES
from node.mpc.plan import Plan
from node.mpc.transcript import Transcript

SALT_BYTES, DIGEST_BYTES = 32, 32
WIDE = (How.RANKS, How.SOLVED, How.LEAST_SQUARES)
"""What is computed with numbers of many more bits."""
_AGREED = b"agora/linkage-key/1"

Integers = NDArray[np.int64]


class Closed(Conversation):
    """One party's part in one order of the closed lane, once everybody is connected.

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
        self._engine = Engine(plan.own, len(plan.peers), plan.threshold)
        self._exchanges = {number: Exchange(self._sender(number), self._engine.width) for number in plan.others}
        self._engine.join(self._exchanges)
        self._said = {number: sha256() for number in plan.others}
        self._heard = {number: sha256() for number in plan.others}
        self._known = sha256(plan.context)
        self._shut = False
        self._failure: tuple[int, Exception] | None = None

    def greet(self) -> None:
        """Agrees with each other party on the seeds of this order and this process alone, and with all on `agreed`. To be done
        first."""
        context, parts = self._plan.context, {self._plan.own: secrets.token_bytes(KEY_BYTES)}
        start = len(context) + SALT_BYTES + KEY_BYTES
        for number in self._plan.others:
            salt = secrets.token_bytes(SALT_BYTES)
            self._say(number, Kind.HELLO, context + salt + parts[self._plan.own] + self._engine.seeds(number))
        for number in self._plan.others:
            came = self._listen(number, Kind.HELLO, start + Engine.LARGEST_SEEDS)
            if came[: len(context)] != context:
                raise Ended(number, Reason.DISAGREED, self._plan.own)
            parts[number] = came[start - KEY_BYTES : start]
            try:
                if len(came) < start:
                    raise Rubbish
                self._engine.take_seeds(number, came[start:])
            except Rubbish as error:
                raise self._named(number, error) from None
        self.agreed = sha256(_AGREED + context + b"".join(parts[number] for number in sorted(parts))).digest()
        self._known.update(sha256(_AGREED + self.agreed).digest())

    def answer(self, asked: bytes, read: Callable[[int], Integers], write: Callable[[Integers], None]) -> None:
        """What is opened of the sums of all parties' numbers. `asked`: tensor and opening.

        `read` and `write`: as in `Summing`. Raises `ValueError` for a number beyond what the opening declares, before
        anything of it is shared. Once an opening shows nothing, everything after it stays closed.
        """
        tensor, opening = asking.decode(asked)
        for number in self._plan.others:
            self._say(number, Kind.OPENING, asked)
        for number in self._plan.others:
            if self._listen(number, Kind.OPENING, len(asked)) != asked:
                raise Ended(number, Reason.DISAGREED, self._plan.own)
        counts = [min(PIECE_VALUES, tensor.cells - start) for start in range(0, tensor.cells, PIECE_VALUES)]
        values = np.concatenate([read(count).copy() for count in counts])
        if values.size and max(-int(values.min()), int(values.max())) > opening.most:
            raise ValueError("expected numbers within what the opening declares")
        if opening.how is How.LINKED and not set(values[: opening.shape[0]].tolist()) <= {0, 1}:
            raise ValueError("expected buckets with a person or none")
        shown = [CLOSED] * tensor.cells if self._shut else self._opened(values, opening)
        self._shut = self._shut or all(one == CLOSED for one in shown)
        found = np.array(shown, np.int64)
        self._known.update(asked + found.astype("<i8").tobytes())
        start = 0
        for count in counts:
            write(found[start : start + count])
            start += count

    def finish(self) -> Transcript:
        """The transcript with everybody's signature; and everybody has this party's.

        Each party states a hash of all that it said to each other, and of all that it heard from each; salts in the first
        messages keep a statement from telling anything. Who states something else than another heard is named.
        """
        parties = range(len(self._plan.peers))
        own = b"".join(
            bytes(2 * DIGEST_BYTES) if n == self._plan.own else self._said[n].digest() + self._heard[n].digest()
            for n in parties
        )
        self._tell(Kind.STATEMENT, own)
        stated = [own if n == self._plan.own else self._hear(n, Kind.STATEMENT, len(own)) for n in parties]
        for number in self._plan.others:
            if len(stated[number]) != len(own) or any(
                _part(stated[one], other, 0) != _part(stated[other], one, 1)
                for one, other in ((number, self._plan.own), (self._plan.own, number))
            ):
                raise Ended(number, Reason.DISAGREED, self._plan.own)
        return self._sign_off(sha256(self._known.digest() + b"".join(stated)).digest())

    def _opened(self, values: Integers, opening: Opening) -> list[int]:
        self._engine.hold(WIDE_BITS if opening.how in WIDE else NUMBER_BITS)
        for exchange in self._exchanges.values():
            exchange.width = self._engine.width
        shares = self._engine.split(values.tolist())
        for number in self._plan.others:
            self._say(number, Kind.SHARES, shares[number])
        for number in self._plan.others:
            held = self._listen(number, Kind.SHARES, len(shares[self._plan.own]))
            if len(held) != len(shares[self._plan.own]):
                raise Ended(number, Reason.RUBBISH, self._plan.own)
            shares[number] = held
        if opening.how is How.LINKED:
            return self._together(linked(self._engine, [self._engine.held(share) for share in shares], opening))
        return self._together(openings.opened(self._engine, self._engine.total(shares), opening, len(shares)))

    def _together(self, work: Any) -> list[int]:
        """The result of `work`, while what the others send is heard; at the end nobody has anything of it left to say."""
        found: list[int] = []

        async def whole() -> None:
            found.extend(await work)
            await self._engine.settle()

        task = self._engine.loop.create_task(whole())
        threads = [threading.Thread(target=self._follow, args=(n, task), daemon=True) for n in self._plan.others]
        for thread in threads:
            thread.start()
        try:
            self._engine.run(task)
        except Odd as odd:
            raise Ended(odd.party, Reason.RUBBISH, self._plan.own) from None
        except (asyncio.CancelledError, ValueError):
            if self._failure is None:
                raise
        if self._failure is None:
            for number in self._plan.others:
                self._say(number, Kind.STILL, b"")
            for thread in threads:
                thread.join()
        if self._failure is not None:
            raise self._named(*self._failure)
        return found

    def _follow(self, number: int, task: "asyncio.Task[None]") -> None:
        """Hears a party until it has no more to say of what is computed, or fails, which ends `task`."""
        loop = self._engine.loop
        try:
            while True:
                kind, message = self._hearing[number].receive_either(Kind.SHARES, Kind.STILL, LARGEST_MESSAGE)
                self._heard[number].update(message)
                if kind == Kind.STILL:
                    return
                loop.call_soon_threadsafe(self._arrived, number, message, task)
        except (OSError, EOFError, Rubbish, Aborted) as error:
            self._fail(number, error)
            loop.call_soon_threadsafe(task.cancel)

    def _arrived(self, number: int, message: bytes, task: "asyncio.Task[None]") -> None:
        try:
            self._exchanges[number].arrived(message)
        except Rubbish as error:
            self._fail(number, error)
            task.cancel()

    def _fail(self, number: int, error: Exception) -> None:
        """Takes note of the first failure. Of several that are silent, the one that owes a message for longest is named: the
        others wait for it too."""
        if isinstance(error, TimeoutError):
            number = min((number, *self._plan.others), key=lambda other: self._exchanges[other].awaited_since)
        self._failure = self._failure or (number, error)

    def _sender(self, number: int) -> Callable[[bytes], None]:
        def send(message: bytes) -> None:
            self._said[number].update(message)
            try:
                self._senders[number].send(Kind.SHARES, message)
            except OSError as error:
                self._fail(number, error)
                raise

        return send

    def _say(self, number: int, kind: Kind, payload: bytes) -> None:
        self._said[number].update(payload)
        self._tell_one(number, kind, payload)

    def _listen(self, number: int, kind: Kind, most: int) -> bytes:
        came = self._hear(number, kind, most)
        self._heard[number].update(came)
        return came


def _part(statement: bytes, other: int, side: int) -> bytes:
    """What a statement says of `other`: of what was said to it, or for `side` 1 of what was heard from it."""
    start = (2 * other + side) * DIGEST_BYTES
    return statement[start : start + DIGEST_BYTES]
