"""How a certificate quotes the epsilon that its rho implies."""

import math

from marketplace.protocol.rho import delta_of, epsilon_of

DIGITS = 6


def quoted_epsilon(rho_micro: int, delta_atto: int) -> str:
    """The epsilon of `rho_micro` at `delta_atto` as a decimal with six digits, rounded up."""
    millionths = math.ceil(epsilon_of(rho_micro, delta_of(delta_atto)) * 10**DIGITS)
    return f"{millionths // 10**DIGITS}.{millionths % 10**DIGITS:0{DIGITS}d}"
