"""What the contract lets the numbers of an offer be, as numbers to read. A test puts the same offers to the contract.

Source: contracts/Limits.sol.
"""

from collections.abc import Iterator
from itertools import pairwise

from marketplace.protocol.identity import NOBODY, NOTHING
from marketplace.protocol.offer import Guarantee, Head, Offer
from marketplace.protocol.rho import LARGEST_DELTA_ATTO
from marketplace.protocol.settlement import WHOLE_BPS

DAY_S = 86_400
SHORTEST_WINDOW_S = 60
SHORTEST_COSTLY_WINDOW_S = 3_600
LONGEST_WINDOW_S = 365 * DAY_S
LONGEST_LICENCE_S = 3_650 * DAY_S
LONGEST_PERMIT_S = 3_650 * DAY_S
LARGEST_COMPUTE_FEE_BPS = 1_000
LARGEST_PRICE_UNITS = 2**96 - 1
MOST_MEMBERS = 16
MOST_SUBJECTS = 64
MOST_USERS = 8

Limit = tuple[str, int, int, int]
"""A field's name, what is given, the least and the most that it may be."""


def faults(offer: Offer, at_s: int) -> Iterator[str]:
    """In words, everything about `offer` that the contract would have refused to publish at `at_s`."""
    for name, given, least, most in (*_of_head(offer.head, at_s), *_of_members(offer)):
        if not least <= given <= most:
            yield f"its {name} is {given:,}, not {least:,} to {most:,}"
    yield from _roles(offer)


def _of_head(head: Head, at_s: int) -> Iterator[Limit]:
    exact, asks, arbitrated = head.guarantee is Guarantee.EXACT, head.authority != NOBODY, head.arbiter != NOBODY
    most_purposes = 2**256 - 1
    yield "number of authorities", int(asks), int(exact), 1
    yield "set of purposes", head.purposes, int(asks), most_purposes if asks else 0
    yield "price", head.price_units, int(not asks), LARGEST_PRICE_UNITS
    yield "delta", head.delta_atto, int(not exact), 0 if exact else LARGEST_DELTA_ATTO
    yield "deliver window", head.deliver_window_s, SHORTEST_WINDOW_S, LONGEST_WINDOW_S
    yield "accept window", head.accept_window_s, SHORTEST_WINDOW_S, LONGEST_WINDOW_S
    yield "reveal window", head.reveal_window_s, SHORTEST_COSTLY_WINDOW_S, LONGEST_WINDOW_S
    yield "challenge window", head.challenge_window_s, SHORTEST_COSTLY_WINDOW_S, LONGEST_WINDOW_S
    shortest_s, longest_s = (SHORTEST_COSTLY_WINDOW_S, LONGEST_WINDOW_S) if arbitrated else (0, 0)
    yield "rule window", head.rule_window_s, shortest_s, longest_s
    yield "contest deposit", head.contest_deposit_units, 0, LARGEST_PRICE_UNITS if arbitrated else 0
    yield "licence", head.licence_s, 1, LONGEST_LICENCE_S
    yield "compute fee", head.compute_fee_bps, 0, LARGEST_COMPUTE_FEE_BPS
    yield "number of open orders", head.max_open, 1, 2**32 - 1
    yield "last second", head.valid_until_s, at_s, 2**64 - 1


def _of_members(offer: Offer) -> Iterator[Limit]:
    exact = offer.head.guarantee is Guarantee.EXACT
    free = offer.head.stock != NOTHING or exact
    yield "number of members", len(offer.members), 1, MOST_MEMBERS
    yield "privacy unit", offer.head.unit, 0, int(len(offer.members) > 1 and not exact)
    yield "sum of shares", sum(member.share_bps for member in offer.members), WHOLE_BPS, WHOLE_BPS
    for member in offer.members:
        yield "rho", member.rho_micro, int(not free), 0 if free else 2**64 - 1


def _roles(offer: Offer) -> Iterator[str]:
    providers = {member.provider for member in offer.members}
    if any(before.dataset >= after.dataset for before, after in pairwise(offer.members)):
        yield "its members are not in the order of their datasets, each once"
    if offer.head.lead not in providers:
        yield "its lead is not among its providers"
    if offer.head.arbiter in providers - {NOBODY}:
        yield "its arbiter is one of its providers"
    if offer.head.authority in providers - {NOBODY}:
        yield "its authority is one of its providers"
