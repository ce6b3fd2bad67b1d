"""Draft bounds and steps for numbers: round values around what a provider's records hold."""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from marketplace.protocol.schema import Number

MOST_POINTS = 800_000
"""No draft grid has more points before its bounds are widened."""
FINE_POINTS = 10_000
"""Nor more than these, unless that would blur the middle half of the values."""
MIDDLE_POINTS = 100
"""What a draft grid leaves, if it can, to the middle half of the values."""
EDGE_PARTS = 10
"""Bounds are rounded outwards by at most one such part of the width."""


def draft_number(name: str, low: Decimal, high: Decimal, *, decimals: int, middle: Decimal, missing: bool) -> Number:
    """A column declared from what was seen: a step of 1, 2 or 5 times a power of ten, and bounds rounded outwards.

    `low`, `high`: the extremes seen. `decimals`: the most digits after the point, at most `MOST_DECIMALS`; whole
    numbers get step 1 wherever the grid stays within `MOST_POINTS`. `middle`: the width of the middle half of the
    values, 0 if unknown. For the provider only: bounds that follow the records tell their extremes.
    """
    width = high - low
    step = next(step for step in _rising(Decimal(1).scaleb(-decimals)) if width <= step * MOST_POINTS)
    if decimals:
        coarser = list(_up_to(_coarse_enough(step, width), _rising(step)))
        sharp = [step for step in coarser if step * MIDDLE_POINTS <= middle] if middle else coarser
        step = max(sharp, default=step)
    units = [unit for unit in _up_to(width / EDGE_PARTS, _rising(step)) if unit % step == 0]
    unit = max(units, default=step)
    lower = (low / unit).to_integral_value(ROUND_FLOOR) * unit
    upper = (high / unit).to_integral_value(ROUND_CEILING) * unit
    return Number(name, _plain(lower), _plain(upper), _plain(step), missing)


def _coarse_enough(step: Decimal, width: Decimal) -> Decimal:
    return next(step for step in _rising(step) if width <= step * FINE_POINTS)


def _rising(first: Decimal) -> Iterator[Decimal]:
    """1, 2, 5, 10, ... times the power of ten at or below `first`, from `first` on."""
    power = Decimal(1).scaleb(first.adjusted())
    while True:
        yield from (step for step in (power, 2 * power, 5 * power) if step >= first)
        power *= 10


def _up_to(last: Decimal, rising: Iterator[Decimal]) -> Iterator[Decimal]:
    for step in rising:
        if step > last:
            return
        yield step


def _plain(value: Decimal) -> Decimal:
    """The same number written without an exponent, without needless zeros, and without a sign for zero."""
    return Decimal(f"{value.normalize() + 0:f}")
