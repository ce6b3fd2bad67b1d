"""A conversation whose parties state at the end what they said to and heard from each other: for lanes of secret shares,
where each party hears something else."""

from collections.abc import Callable
from hashlib import sha256
from secrets import token_bytes

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from node.mpc.conversation import Conversation
from node.mpc.ending import Ended, Reason
from node.mpc.frames import Kind, Line, Rubbish
from node.mpc.persons import KEY_BYTES
from node.mpc.plan import Plan
from node.mpc.transcript import Transcript

SALT_BYTES, DIGEST_BYTES = 32, 32
_AGREED = b"agora/linkage-key/1"


class Stating(Conversation):
    """One party's part in one order, in which everything that is said to one other party counts for the transcript."""

    def __init__(
        self, plan: Plan, key: EllipticCurvePrivateKey, sending: dict[int, Line], hearing: dict[int, Line]
    ) -> None:
        super().__init__(plan, key, sending, hearing)
        self._said = {number: sha256() for number in plan.others}
        self._heard = {number: sha256() for number in plan.others}
        self._known = sha256(plan.context)

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

    def _meet(self, secret: Callable[[int], bytes], take: Callable[[int, bytes], None], most: int) -> None:
        """Agrees with all on order, specification and `agreed`, and tells each other party what is `secret` between the two.

        `take`: hears what another says so, of at most `most` bytes, and raises `Rubbish` where it is none of the kind.
        """
        context, parts = self._plan.context, {self._plan.own: token_bytes(KEY_BYTES)}
        start = len(context) + SALT_BYTES + KEY_BYTES
        for number in self._plan.others:
            self._say(number, Kind.HELLO, context + token_bytes(SALT_BYTES) + parts[self._plan.own] + secret(number))
        for number in self._plan.others:
            came = self._listen(number, Kind.HELLO, start + most)
            if came[: len(context)] != context:
                raise Ended(number, Reason.DISAGREED, self._plan.own)
            parts[number] = came[start - KEY_BYTES : start]
            try:
                if len(came) < start:
                    raise Rubbish
                take(number, came[start:])
            except Rubbish as error:
                raise self._named(number, error) from None
        self.agreed = sha256(_AGREED + context + b"".join(parts[number] for number in sorted(parts))).digest()
        self._known.update(sha256(_AGREED + self.agreed).digest())

    def _mean_alike(self, asked: bytes) -> None:
        """Sees to it that all parties are asked the same by their nodes."""
        for number in self._plan.others:
            self._say(number, Kind.OPENING, asked)
        for number in self._plan.others:
            if self._listen(number, Kind.OPENING, len(asked)) != asked:
                raise Ended(number, Reason.DISAGREED, self._plan.own)

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
