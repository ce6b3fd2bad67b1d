"""What released scores and a spot check mean for a delivery: it is accepted, or it is rejected."""

from collections.abc import Callable, Sequence

from marketplace.buying.asking import NoEndpoint
from marketplace.buying.fetching import Progress
from marketplace.buying.spot_check import Finding, TooSmall, Verdict
from marketplace.errors import Refused
from marketplace.scores.thresholds import Judgement

TRIES, AGAIN_S = 3, 20.0


class NotAccepted(Refused):
    """A delivery that was rejected. `verdict`: of the spot check; None where a threshold was missed."""

    def __init__(self, found: str, verdict: Verdict | None = None) -> None:
        super().__init__(f"expected {found}; it is rejected, and the price less the compute fee is yours to withdraw")
        self.verdict = verdict


def require_met(judgements: Sequence[Judgement], reject: Callable[[], object], progress: Progress) -> None:
    """Returns where every threshold is met. Otherwise calls `reject` and raises `NotAccepted`, which names the others."""
    missed = [each.threshold for each in judgements if not each.met]
    if missed:
        reject()
        wanted = ", ".join(f"{each.score} of at most {each.at_most}" for each in missed)
        raise NotAccepted(f"a delivery with {wanted}, its released scores miss that")
    if judgements:
        progress(f"released scores: {len(judgements)} of {len(judgements)} thresholds are met")


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
        found = f"{verdict.finding.value}: {verdict.evidence}"
        raise NotAccepted(f"a delivery of which a few chunks are right, got {found}", verdict)
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
