"""A linkage count inside: from the secret buckets of each party only how many buckets some have in common, with noise."""

from typing import Any

from marketplace.protocol.analysis_linkage import TIMES, KnownTo, joint_weights, parts_of
from marketplace.protocol.closing_cells import CLOSED
from marketplace.protocol.closing_opening import Opening
from node.mpc.engine import Engine


async def linked(engine: Engine, held: list[Any], opening: Opening) -> list[int]:
    """What everybody sees: `CLOSED` for each bucket, then each number of `parts_of` with the noise of all parties in it.

    `held`: each party's numbers as a secret array, buckets of 0 or 1 and then its noise. Raises `ValueError` where the opened
    numbers are not those of so many parties, and where one cannot be: somebody's shares were wrong, and nobody can know whose.
    """
    buckets, numbers = opening.shape
    parts = parts_of(len(held), KnownTo.TWO if opening.least == 2 else KnownTo.ALL)
    if len(parts) != numbers:
        raise ValueError("expected an opening for as many parties as there are")
    counts = _in_common(engine, [one[:buckets] for one in held])
    noise = sum((one[buckets:] for one in held[1:]), held[0][buckets:])
    sums = [
        sum((times * counts[of] for of, times in joint_weights(part, len(held)).items() if times), engine.zero)
        for part in parts
    ]
    found = await engine.open(engine.joined(sums) + noise)
    if any(abs(number) > TIMES * buckets + len(held) * opening.most for number in found):
        raise ValueError("expected numbers of buckets with noise within the declared bounds")
    return [CLOSED] * buckets + found


def _in_common(engine: Engine, held: list[Any]) -> dict[int, Any]:
    """Of each set of parties, bit by bit, in how many buckets all of them have a person: a secret array of one number.

    The products of all parties but the last are formed bucket by bucket; what is left are inner products, each one message.
    """
    *others, last = held
    products = {1 << place: one for place, one in enumerate(others)}
    for place, one in enumerate(others):
        bit = 1 << place
        products |= {of | bit: found * one for of, found in products.items() if of < bit}
    counts = {of: found.reshape(1, len(last)).sum(axis=1) for of, found in products.items()}
    bit = 1 << len(others)
    counts[bit] = last.reshape(1, len(last)).sum(axis=1)
    for of, found in products.items():
        counts[of | bit] = found.reshape(1, len(last)) @ last
    return counts
