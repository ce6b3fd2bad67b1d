"""How an order's rho is spent: what its generator may use, what its released scores may use."""

from dataclasses import dataclass

from marketplace.errors import Invalid

EVALUATE_PERCENT = 5
LEAST_EVALUATE_MICRO = 21
"""So much pays for every released score of one table, whatever its workload: one micro-rho for the lightest of them."""


@dataclass(frozen=True)
class Spending:
    """Two parts in micro-rho that sum to what the order was charged."""

    generate_micro: int
    evaluate_micro: int


UNCHARGED = Spending(1_000_000, 1_000_000)
"""What an exact order's stages draw their noise with, if they draw any. Nobody is charged it and it promises nothing."""


def spending_of(rho_micro: int) -> Spending:
    """Nineteen to one for the generator, the scores' part rounded up and never too little to pay for each of them.

    Raises `Invalid` if that leaves nothing for the generator.
    """
    evaluate_micro = max(LEAST_EVALUATE_MICRO, -(-rho_micro * EVALUATE_PERCENT // 100))
    if rho_micro <= evaluate_micro:
        raise Invalid(
            f"expected at least {LEAST_EVALUATE_MICRO + 1} micro-rho for a result and its scores, got {rho_micro}; "
            "charge more"
        )
    return Spending(rho_micro - evaluate_micro, evaluate_micro)
