"""A party of the closed lane that follows the protocol and looks at what it sees: `curious_closed.py`.

A product of two secrets that is opened as it is shows a polynomial that falls into two factors, and who has a share of one of the
secrets tells the secret from its factor. Whether polynomials do is written into a file.
"""

import sys
from pathlib import Path
from typing import Any

from node.mpc import party
from node.mpc.closed import Closed
from node.mpc.transcript import Transcript

SEEN = "seen"
NUMBERS = 60
"""How many secrets are looked at together."""


def falls_into_factors(values: list[int], prime: int) -> bool:
    """Whether the polynomial of degree 2 with these values at 1, 2 and 3 has roots in the field."""
    first, second, third = values
    square = (first - 2 * second + third) * pow(2, -1, prime)
    linear = second - first - 3 * square
    constant = first - linear - square
    return pow(linear**2 - 4 * square * constant, (prime - 1) // 2, prime) in (0, 1)


class Curious(Closed):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        from mpyc import thresha

        self._polynomials: list[list[int]] = []
        recombine = thresha.np_recombine

        def watched(field: Any, points: Any, x_rs: Any = 0) -> Any:
            if len(points) == 3 and len(points[0][1]) == NUMBERS:
                shares = (dict(points)[x] for x in (1, 2, 3))
                self._polynomials = [list(map(int, one)) for one in zip(*shares, strict=True)]
                self._prime = int(field.modulus)
            return recombine(field, points, x_rs)

        thresha.np_recombine = watched

    def finish(self) -> Transcript:
        fall = sum(falls_into_factors(one, self._prime) for one in self._polynomials)
        Path(SEEN).write_text(f"{len(self._polynomials)} {fall}", encoding="utf-8")
        return super().finish()


if __name__ == "__main__":
    sys.exit(party.main(Curious))
