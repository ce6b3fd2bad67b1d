"""MPyC 0.11 behind our own connections: the one module that imports it, for the process of one party and one order.

MPyC as shipped believes the number that a peer gives itself, and unpickles what it sends. Here it has no connection of its
own: its exchange is `Exchange`, the arrays in its messages are whole field elements of fixed width (`Elements`), keys and
inputs are shared by us, and `transfer` and `shutdown`, which would unpickle, are closed.
"""

import asyncio
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from node.mpc.frames import PIECE_VALUES, VALUE_BYTES, Rubbish

SECURITY_BITS = 40
NUMBER_BITS, WIDE_BITS = 64, 240
SEED_BYTES = 16
MASK_BITS = 64
"""How many bits more than the numbers the masks have that many of them are opened under to cut digits off."""
GUARD_DIGITS = 30
"""How many digits are cut off exactly where a number is opened afterwards."""
LABEL_BYTES = 8
LARGEST_MESSAGE = VALUE_BYTES * PIECE_VALUES
LARGEST_WAITING = 64 * LARGEST_MESSAGE
MESSAGE_BYTES = 512
"""More than it takes to keep a message beside what is in it."""

Objects = NDArray[np.object_]


class Odd(Exception):
    """A party's share has another length than the others'."""

    def __init__(self, party: int) -> None:
        super().__init__("expected shares of one length")
        self.party = party


class Exchange:
    """What MPyC takes for the connection to one party. `send_on`: sends one message to it.

    A message is the label that both sides know it by, 8 bytes, and whole field elements of `width` bytes.
    """

    def __init__(self, send_on: Callable[[bytes], None], width: int) -> None:
        self._send_on, self.width = send_on, width
        self._here: dict[int, bytes | asyncio.Future[bytes]] = {}
        self._waiting_bytes = 0
        self._since: dict[int, float] = {}
        self._heard: set[int] = set()

    @property
    def awaited_since(self) -> float:
        """Since when the party owes a message, of `time.monotonic`; infinite where it owes none."""
        return min(self._since.values(), default=math.inf)

    def send(self, label: int, payload: bytes) -> None:
        """Sends `payload` under `label`."""
        self._send_on(label.to_bytes(LABEL_BYTES, "little", signed=True) + payload)

    def receive(self, label: int) -> bytes | asyncio.Future[bytes]:
        """What the party sends under `label`, now or later."""
        found = self._here.pop(label, None)
        if isinstance(found, bytes):
            self._waiting_bytes -= MESSAGE_BYTES + len(found)
            return found
        awaited: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._here[label] = awaited
        self._since[label] = time.monotonic()
        return awaited

    def arrived(self, message: bytes) -> None:
        """Takes a message of the party. Raises `Rubbish` for what is none, a second one, or more than can wait."""
        if len(message) < LABEL_BYTES or (len(message) - LABEL_BYTES) % self.width:
            raise Rubbish
        label, payload = int.from_bytes(message[:LABEL_BYTES], "little", signed=True), message[LABEL_BYTES:]
        if label in self._heard:
            raise Rubbish
        self._heard.add(label)
        awaited = self._here.pop(label, None)
        if isinstance(awaited, asyncio.Future):
            del self._since[label]
            awaited.set_result(payload)
            return
        self._waiting_bytes += MESSAGE_BYTES + len(payload)
        if self._waiting_bytes > LARGEST_WAITING:
            raise Rubbish
        self._here[label] = payload


class Elements:
    """Stands where MPyC has the module `pickle`: arrays of field elements as fixed-width whole numbers, and nothing else."""

    def __init__(self, field: Any) -> None:
        self._field = field

    def dumps(self, elements: Any) -> bytes:
        """The bytes of a flat array of elements. Raises `TypeError` for anything else."""
        if not isinstance(elements, np.ndarray):
            raise TypeError("expected an array of field elements")
        found: bytes = self._field.to_bytes(elements)
        return found

    def loads(self, data: bytes) -> Objects:
        """The flat array of whole numbers in `data`; one beyond the modulus stands for its remainder."""
        return _numbers(self._field, data)


class Engine:
    """MPyC for the party `own`; one for each process. `width`: bytes of a field element.

    Raises `ValueError` unless threshold >= 1 and 2 * threshold < parties.
    """

    LARGEST_SEEDS = 1 << 18

    def __init__(self, own: int, parties: int, threshold: int) -> None:
        if threshold < 1 or 2 * threshold >= parties:
            raise ValueError("expected a threshold of at least 1, below half of the parties")
        flags = [f"-M{parties}", f"-I{own}", f"-T{threshold}", f"-K{SECURITY_BITS}", "--no-log", "--no-uvloop"]
        own_argv, sys.argv = sys.argv, [sys.argv[0], *flags]
        from mpyc import runtime, thresha

        sys.argv = own_argv
        self._mpc: Any = runtime.mpc
        if (self._mpc.options.sec_param, self._mpc.threshold) != (SECURITY_BITS, threshold):
            raise ValueError("expected the engine to start with its own parameters")
        self._thresha: Any = thresha
        self._own, self._odd = own, -1
        self.hold(NUMBER_BITS)
        runtime.Runtime.transfer = runtime.Runtime.shutdown = _closed
        self._mpc.np_is_zero_public = self._are_zero
        for name in ("recombine", "np_recombine"):
            setattr(thresha, name, self._checked(getattr(thresha, name)))

    def hold(self, bits: int) -> None:
        """Goes on with numbers of `bits` bits, when nothing is under way. To be done alike at every party."""
        from mpyc import runtime

        self._bits, self._kind = bits, self._mpc.SecInt(bits)
        self._field = self._kind.field
        self.width: int = self._field.byte_length
        runtime.pickle = Elements(self._field)

    def seeds(self, other: int) -> bytes:
        """This party's seeds for the subsets that it leads and `other` is in: secret, for `other` alone."""
        return b"".join(self._mpc._prss_keys[subset] for subset in self._subsets(self._own, other))

    def take_seeds(self, other: int, seeds: bytes) -> None:
        """Takes the seeds of `other`. Raises `Rubbish` for another number of them."""
        subsets = self._subsets(other, self._own)
        if len(seeds) != SEED_BYTES * len(subsets):
            raise Rubbish
        for place, subset in enumerate(subsets):
            self._mpc._prss_keys[subset] = seeds[SEED_BYTES * place : SEED_BYTES * (place + 1)]

    def _subsets(self, leader: int, member: int) -> list[tuple[int, ...]]:
        parties = range(len(self._mpc.parties))
        subsets = combinations(parties, len(parties) - self._mpc.threshold)
        return [subset for subset in subsets if subset[0] == leader and member in subset]

    def join(self, exchanges: dict[int, Exchange]) -> None:
        """Sets what MPyC talks to the others by."""
        for number, exchange in exchanges.items():
            self._mpc.parties[number].protocol = exchange

    def split(self, values: Sequence[int]) -> list[bytes]:
        """A share of each of `values` for each party, as bytes; any `threshold` of them together tell nothing."""
        elements = self._field.array(np.array(values, dtype=object))
        parties = len(self._mpc.parties)
        shares = self._thresha.np_random_split(self._field, elements, self._mpc.threshold, parties)
        return [self._field.to_bytes(share) for share in shares]

    def total(self, shares: Sequence[bytes]) -> Any:
        """The sum of the values behind everybody's shares, as a secret array, from the shares that this party holds."""
        held = sum((_numbers(self._field, share) for share in shares), np.array(0, dtype=object))
        return self._kind.array(self._field.array(held))

    def held(self, share: bytes) -> Any:
        """The values behind one party's share, as a secret array, from the share that this party holds."""
        return self._kind.array(self._field.array(_numbers(self._field, share)))

    def known(self, numbers: Objects) -> Any:
        """Public whole `numbers` among secret ones."""
        return self._kind.array(self._field.array(numbers))

    @property
    def zero(self) -> Any:
        """A secret array of one 0."""
        return self.known(np.array([0], dtype=object))

    def at_least(self, numbers: Any, least: int, bits: int) -> Any:
        """Whether each of the secret `numbers` reaches `least`, as secret 0 or 1. All differences lie within `bits` bits.

        Raises `ValueError` for more bits than the field has beside the security parameter.
        """
        if not 2 <= bits <= self._bits:
            raise ValueError(f"expected a comparison of 2 to {self._bits} bits")
        return 1 - self._mpc.np_sgn(numbers - least, l=bits, LT=True)

    def joined(self, parts: Sequence[Any]) -> Any:
        """Secret arrays one after the other."""
        return self._mpc.np_concatenate(tuple(parts))

    async def cut(self, numbers: Any, digits: int, bits: int) -> Any:
        """The secret `numbers` without their last `digits` binary digits: rounded down, or too large by up to one for each
        subset of parties that knows a seed together. Of any shape, between -2^bits and 2^bits.

        Each subset's mask is 2^MASK_BITS times as large as the numbers and known with and without its last digits, so that
        one opening of the masked numbers is enough. Raises `ValueError` where a mask could leave the field. Source: Catrina and
        de Hoogh 2010, with pseudorandom secret sharing (Cramer, Damgard and Ishai 2005) in place of random bits.
        """
        (found,) = await self._cut([await self._mpc.gather(numbers)], digits, bits)
        return found

    async def cut_products(
        self, multiply: Callable[[Any, Any], Any], pairs: Sequence[tuple[Any, Any]], digits: int, bits: int
    ) -> list[Any]:
        """The products of `pairs` of secret arrays, matrix products or number by number, each as `cut` has it: in one opening,
        without being brought back to the threshold's degree before."""
        held = [multiply(*await self._mpc.gather(one, other)) for one, other in pairs]
        return await self._cut(held, digits, bits)

    async def _cut(self, held: Sequence[Any], digits: int, bits: int) -> list[Any]:
        """The same of this party's shares, of twice the threshold's degree at most."""
        keys, flat = self._mpc._prss_keys, np.concatenate([one.value.reshape(-1) for one in held])
        span = bits + 1 + MASK_BITS
        if not 0 <= digits <= bits or span + math.comb(len(self._mpc.parties), self._mpc.threshold).bit_length() > (
            self._field.modulus.bit_length() - 2
        ):
            raise ValueError("expected a mask that stays within the field")
        label, masks, tops = self._mpc._prss_uci(), 0, 0
        for subset, key in keys.items():
            drawn = self._thresha.PRF(key, 1 << span)(label, (len(flat),))
            share = self._thresha._f_S_i(self._field, len(self._mpc.parties), self._own, subset)
            masks, tops = masks + drawn * share, tops + (drawn >> digits) * share
        offset = 1 << bits
        seen = (await self._open_product(self._field.array(flat + offset + masks))).value >> digits
        kept = np.split(seen - (offset >> digits) - tops, np.cumsum([one.size for one in held])[:-1])
        return [self._kind.array(self._field.array(one.reshape(of.shape))) for one, of in zip(kept, held, strict=True)]

    async def are_zero(self, numbers: Any) -> list[bool]:
        """Of each of the secret `numbers`, openly, whether it is 0: nothing else of it is opened."""
        return [bool(one) for one in await self._are_zero(numbers)]

    async def _are_zero(self, numbers: Any) -> Any:
        """The same as an array. It takes the place of MPyC's own, which opens a product's shares as they are: their polynomial
        falls into its factors, and a party that knows its share of one tells the number from them."""
        held = await self._mpc.gather(numbers)
        factors = self._mpc._np_randoms(self._field, held.size)
        return (await self._open_product(held.reshape(-1) * factors)).value.reshape(held.shape) == 0

    async def _open_product(self, shares: Any) -> Any:
        """The numbers behind shares of twice the threshold's degree, as field elements. Shares of 0 are added, so that what is
        seen is a random polynomial with the number at 0. Source: Cramer, Damgard and Ishai 2005."""
        mpc = self._mpc
        prfs, parties = mpc.prfs(self._field.order), len(mpc.parties)
        nothing = self._thresha.np_pseudorandom_share_0(
            self._field, parties, self._own, prfs, mpc._prss_uci(), shares.size
        )
        return await mpc.output(shares + nothing, threshold=2 * mpc.threshold)

    async def rounded(self, numbers: Any, digits: int, bits: int) -> Any:
        """The same to one of the two whole numbers beside it, however many the parties are: fit to be opened."""
        kept = min(digits, GUARD_DIGITS)
        if not kept:
            return numbers
        fine = await self.cut(numbers, digits - kept, bits)
        return self._mpc.np_trunc(fine, kept, l=bits - digits + kept + 1)

    async def open(self, numbers: Any) -> list[int]:
        """The secret `numbers`, to everybody."""
        return [int(number) for number in await self._mpc.output(numbers)]

    async def settle(self) -> None:
        """Waits until nothing that was begun is unfinished, so that no message is on its way out."""
        while self._mpc._pc_level > self._mpc._program_counter[1]:
            await asyncio.sleep(0)

    def run(self, work: "asyncio.Task[None]") -> None:
        """Does `work`, a task of `loop`. Raises what it raises, `Odd` naming a party, and `ValueError` where else MPyC failed.

        Source of the failures: MPyC stops its loop where one of its coroutines raises.
        """
        try:
            self.loop.run_until_complete(work)
        except RuntimeError:
            if self._odd >= 0:
                raise Odd(self._odd) from None
            raise ValueError("expected the engine to come to an end") from None

    def _checked(self, recombine: Callable[..., Any]) -> Callable[..., Any]:
        """`recombine`, which fails where a party's share has another length than this one's, or than that of most."""

        def checked(field: Any, points: Sequence[tuple[int, Any]], x_rs: Any = 0) -> Any:
            lengths = {x - 1: len(share) for x, share in points}
            right = lengths.get(self._own) or Counter(lengths.values()).most_common(1)[0][0]
            for party, length in lengths.items():
                if length != right:
                    self._odd = party
                    raise Odd(party)
            return recombine(field, points, x_rs)

        return checked

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that everything runs on."""
        found: asyncio.AbstractEventLoop = self._mpc._loop
        return found


def _numbers(field: Any, data: bytes) -> Objects:
    return np.array(field.from_bytes(data), dtype=object)


def _closed(*_: object, **__: object) -> NoReturn:
    raise TypeError("expected no exchange of arbitrary objects")
