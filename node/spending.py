"""How an order's rho is spent: what its generator may use, what its released scores may use."""

from dataclasses import dataclass

from marketplace.errors import Invalid

EVALUATE_PERCENT = 5


@dataclass(frozen=True)
class Spending:
    """Two parts in micro-rho that sum to what the order was charged."""

    generate_micro: int
    evaluate_micro: int


def spending_of(rho_micro: int) -> Spending:
    """Twenty to one for the generator, the scores' part rounded up. Raises `Invalid` below 2 micro-rho."""
    if rho_micro < 2:
        raise Invalid(f"expected at least 2 micro-rho for a result and its scores, got {rho_micro}; charge more")
    evaluate_micro = -(-rho_micro * EVALUATE_PERCENT // 100)
    return Spending(rho_micro - evaluate_micro, evaluate_micro)
