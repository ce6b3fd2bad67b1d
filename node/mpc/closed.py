"""Sums that stay shared between the parties, of which only what may be seen is opened: the lane for what is not a sum.

Source: Shamir 1979; Ben-Or, Goldwasser and Wigderson 1988, against parties that follow the protocol, fewer than half of
which put together what they see.
"""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from numpy.typing import NDArray

from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_opening import How, Opening
from node.mpc import asking, openings
from node.mpc.ending import Ended, Reason
from node.mpc.engine import LARGEST_MESSAGE, NUMBER_BITS, WIDE_BITS, Engine, Exchange, Odd
from node.mpc.frames import PIECE_VALUES, Aborted, Kind, Line, Rubbish
from node.mpc.linkage import linked
from node.mpc.plan import Plan
from node.mpc.stating import Stating

WIDE = (How.RANKS, How.SOLVED, How.LEAST_SQUARES, How.HAZARD_FIRST, How.HAZARD_STEP, How.HAZARD_FIT)
"""What is computed with numbers of many more bits."""

Integers = NDArray[np.int64]


class Closed(Stating):
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
        self._shut = False
        self._failure: tuple[int, Exception] | None = None

    def greet(self) -> None:
        """Agrees with each other party on the seeds of this order and this process alone, and with all on `agreed`. To be done
        first."""
        self._meet(self._engine.seeds, self._engine.take_seeds, Engine.LARGEST_SEEDS)

    def answer(self, asked: bytes, read: Callable[[int], Integers], write: Callable[[Integers], None]) -> None:
        """What is opened of the sums of all parties' numbers. `asked`: tensor and opening.

        `read` and `write`: as in `Summing`. Raises `ValueError` for a number beyond what the opening declares, before
        anything of it is shared. Once an opening shows nothing, everything after it stays closed.
        """
        tensor, opening = asking.decode(asked)
        self._mean_alike(asked)
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
