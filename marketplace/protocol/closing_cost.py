"""What a joint analysis takes in the closed lane, told before it is bought: what is compared and multiplied, and what of it waits
for what."""

import math

from marketplace.protocol.analysis_cost import ENDING_WAITS, MEETING_WAITS, PARTY_S, SETUP_S, Cost
from marketplace.protocol.analysis_cox import CoxRegression
from marketplace.protocol.analysis_statistic import Statistic
from marketplace.protocol.closing import ClosedSpecification
from marketplace.protocol.closing_opening import WINDOW_POINTS, How, Opening
from marketplace.protocol.schema import Schema

FITS = (How.SOLVED, How.LEAST_SQUARES, How.HAZARD_FIRST, How.HAZARD_STEP, How.HAZARD_FIT)
COMPARED = (How.SIGNS, How.CELLS, How.GENOTYPES, How.SUPPORTED, How.CURVES, How.INTERVALS)
CELL_S = {
    How.WHOLE: 0.0,
    How.LINKED: 9e-6,
    How.RANKS: 1e-4,
    **dict.fromkeys(COMPARED, 0.0012),
    **dict.fromkeys(FITS, 7e-5),
}
WAIT_S = 0.002
CELL_BYTES = {
    How.WHOLE: 100,
    How.SIGNS: 1_800,
    How.CELLS: 1_660,
    How.LINKED: 28,
    How.RANKS: 108,
    How.GENOTYPES: 2_190,
    **dict.fromkeys((How.SUPPORTED, How.CURVES, How.INTERVALS), 1_650),
    **dict.fromkeys(FITS[:2], 172),
    **dict.fromkeys(FITS[2:], 165),
}
ORDER_BYTES, STATISTIC_BYTES = 1_000, 130
ROUND_BYTES = {How.RANKS: 10_600, How.SOLVED: 27_000, How.LEAST_SQUARES: 27_000} | dict.fromkeys(FITS[2:], 20_000)
"""Seconds of a number with two peers, by what is asked about it, and of a message that others wait for; a party's bytes with each
of its peers: of a number, of the order, and of a statistic in a round. Of a linkage count, of a bucket each time that it is
shared: by its party, and as a product of several by 2 t + 1 of the parties. Of time grids, of a comparison. Of equations, of an
element of the inverse for each digit, and of a point of the grid in each turn of its division."""
INVERSE_TURNS, DIVISION_TURNS, INPUTS_FOR_ONE = 24, 14, 2
"""Turns for an inverse and, of 10,000 rows, those of a division beside two for each doubling; inputs that cost as much as one."""
STATED_WAITS, STATISTIC_WAITS, ROUNDED_WAITS = 1, 3, 3
"""Messages that wait for each other: for what each party states at the end; for a statistic, of which all say first that they
mean the same, then hand in their shares, and at last say that they have no more to say; and for a number to be rounded."""
INVERSE_WAITS, RECIPROCAL_WAITS, RESIDUE_BITS = 8, 11, 104
"""The same of an inverse beside its digits, of a division and what is made of it beside its turns; and of how many bits is
compared what is left of the unit matrix."""


def cost_of_closed(questions: ClosedSpecification, schema: Schema, parties: int) -> Cost:
    """What the closed lane takes. Raises `Invalid` as `openings` does."""
    openings, peers = questions.openings(schema), parties - 1
    asked = [(one.of, openings[one.name]) for each in questions.schedule(schema) for one in each]
    numbers = [_numbers(questions, statistic, opening, parties) for statistic, opening in asked]
    both = [(opening.how, count) for (_, opening), count in zip(asked, numbers, strict=True)]
    moved = sum(STATISTIC_BYTES + ROUND_BYTES.get(how, 0) + CELL_BYTES[how] * count for how, count in both)
    waits = sum(STATISTIC_WAITS + _waits(questions, opening, parties) for _, opening in asked)
    waits += MEETING_WAITS + STATED_WAITS + ENDING_WAITS
    computed = (sum(CELL_S[how] * count for how, count in both) + WAIT_S * waits) * peers / 2
    return Cost(math.ceil(SETUP_S + PARTY_S * parties + computed), peers * (ORDER_BYTES + moved), waits)


def _numbers(questions: ClosedSpecification, statistic: Statistic, opening: Opening, parties: int) -> int:
    """Of how many numbers a statistic's cost is reckoned."""
    match opening.how:
        case How.LINKED:
            products, speaking = 2 ** (parties - 1) - parties, 2 * questions.specification.threshold + 1
            return statistic.inputs + int(statistic.inputs * products * speaking // parties)
        case How.CURVES | How.INTERVALS:
            return _compared(*opening.shape)
        case How.SOLVED | How.LEAST_SQUARES:
            size: int = len(questions.specification.analyses[0].columns)
            return opening.least * size * size
        case How.HAZARD_FIRST | How.HAZARD_STEP | How.HAZARD_FIT:
            cox = _cox(questions)
            divided = (2 * cox.doublings + DIVISION_TURNS) * len(cox.grid)
            return INVERSE_TURNS * len(cox.predictors) ** 2 + divided + statistic.inputs // INPUTS_FOR_ONE
    return statistic.inputs


def _windows(points: int) -> list[int]:
    """How many points each window of a time grid has. `points`: with those beyond the grid."""
    return [min(WINDOW_POINTS, points - 1 - start) for start in range(0, points - 1, WINDOW_POINTS)]


def _compared(groups: int, points: int) -> int:
    """How many comparisons it takes to find where intervals end: in each group of who is there and after each point, and in a
    window of each point and interval without event and with."""
    windows = _windows(points)
    return 2 * groups * (1 + sum(one + (one + 1) + one * (one + 3) // 2 for one in windows))


def _waits(questions: ClosedSpecification, opening: Opening, parties: int) -> int:
    """How many messages wait for each other while a statistic is opened."""
    bits = (parties * opening.most + opening.least).bit_length() + 1
    match opening.how:
        case How.WHOLE:
            return 1
        case How.SIGNS:
            return _comparison(bits) + 1
        case How.CELLS | How.SUPPORTED:
            return _comparison(bits) + 2
        case How.GENOTYPES:
            return _comparison(bits + 1) + 2
        case How.LINKED:
            return parties
        case How.RANKS:
            return _comparison(bits) + 2 + 2 + ROUNDED_WAITS + 1
        case How.CURVES | How.INTERVALS:
            windows = _windows(opening.shape[1])
            looked = len(windows) * (_comparison(bits) + 1) + sum(windows)
            return _comparison(bits) + 1 + looked + (opening.how is How.CURVES)
        case How.SOLVED:
            last = opening.shape[1] > len(questions.specification.analyses[0].columns)
            return 1 + _solved(opening.least, 3 if last else 1) + 2
        case How.LEAST_SQUARES:
            return 1 + _solved(opening.least, 7) + 2
    cox, rounded = _cox(questions), 1 if opening.how is How.HAZARD_STEP else 2
    divided = 2 * cox.doublings + DIVISION_TURNS + 2 + RECIPROCAL_WAITS
    return 1 + divided + _solved(INVERSE_TURNS - 3, rounded) + 1 + (opening.how is How.HAZARD_FIT) + 2


def _comparison(bits: int) -> int:
    """Of a comparison until its secret result is there: random bits, the masked number, the product of `bits` + 1 factors and
    whether that is 0. Source: MPyC 0.11, after Toft 2007."""
    return 3 + bits.bit_length()


def _solved(digits: int, rounded: int) -> int:
    """Of equations whose matrix is told by so many digits, and so many numbers rounded, while what is left is compared."""
    return digits + INVERSE_WAITS + max(_comparison(RESIDUE_BITS), rounded + ROUNDED_WAITS)


def _cox(questions: ClosedSpecification) -> CoxRegression:
    cox = questions.specification.analyses[0]
    assert isinstance(cox, CoxRegression)
    return cox
