"""What a spot check means for a delivery: it is accepted, or it is rejected."""

from collections.abc import Callable

from marketplace.buying.asking import NoEndpoint
from marketplace.buying.fetching import Progress
from marketplace.buying.spot_check import Finding, TooSmall, Verdict
from marketplace.errors import Refused

TRIES, AGAIN_S = 3, 20.0


class NotAccepted(Refused):
    """A delivery that was rejected for what a spot check found."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(
            f"expected a delivery of which a few chunks are right, got {verdict.finding.value}: {verdict.evidence}; it is "
            "rejected, and the price less the compute fee is yours to withdraw"
        )
        self.verdict = verdict


def require_right(
    check: Callable[[], Verdict], reject: Callable[[], object], pause: Callable[[float], None], progress: Progress
) -> None:
    """Returns where `check` finds the delivery right, or cannot be made: then `progress` is told why.

    Where nobody answers it is made again, `TRIES` times in all with pauses of `AGAIN_S` between them. Otherwise calls
    `reject` and raises `NotAccepted`. Raises as both of them do.
    """
    try:
        verdict = _answered(check, pause, progress)
    except (NoEndpoint, TooSmall) as reason:
        progress(f"no spot check: {reason}")
        return
    if not verdict.passed:
        reject()
        raise NotAccepted(verdict)
    progress(f"spot check: {verdict.evidence} are opened and right")


def _answered(check: Callable[[], Verdict], pause: Callable[[float], None], progress: Progress) -> Verdict:
    """The verdict of the first check that is answered, or else of the last one."""
    verdict = check()
    for _ in range(TRIES - 1):
        if verdict.finding is not Finding.NO_ANSWER:
            break
        progress(f"{verdict.evidence}; asking again")
        pause(AGAIN_S)
        verdict = check()
    return verdict
