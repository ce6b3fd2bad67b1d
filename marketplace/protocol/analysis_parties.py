"""How many parties a joint analysis has, and how many of them may join hands before it promises nothing."""

from marketplace.errors import Refused
from marketplace.protocol.analysis_statistic import LARGEST_PARTIES

FEWEST_PARTIES = 3


def check_parties(parties: int, threshold: int) -> None:
    """Raises `Refused` unless 3 <= `parties` <= 16, `threshold` >= 1 and twice the threshold is below the parties.

    `threshold`: how many dishonest parties the noise is sized against. With two parties each could tell the other's
    numbers from the sum.
    """
    if not FEWEST_PARTIES <= parties <= LARGEST_PARTIES:
        raise Refused(f"expected {FEWEST_PARTIES} to {LARGEST_PARTIES} parties in a joint analysis, got {parties}")
    if threshold < 1 or 2 * threshold >= parties:
        raise Refused(
            f"expected a threshold of at least 1 and below half of {parties} parties, got {threshold}; offer it otherwise"
        )
