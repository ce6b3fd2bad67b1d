"""The answer of a survival analysis for people: the test, the curves with their bands, who is at risk, every point."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from marketplace.protocol.analysis_survival import Step, Survival, SurvivalCurves
from node.evaluation import joint_plots, page
from node.evaluation.drawing import number, p_text
from node.evaluation.joint_tables import HIDDEN_TEST, NO_TEST, some

MOST_CELLS = 400
HIDDEN = "hidden"
NOTHING_TOLD = (
    "Nothing is told of any curve: either nobody was at risk, or noise hides them from the first point on. More is told by fewer "
    "points of the time grid, by fewer questions in an order, by more records, or for a larger epsilon."
)


def survival_parts(asked: Survival, found: SurvivalCurves) -> Iterator[str]:
    """Test, curves, who is at risk, and every point that noise does not hide."""
    hidden_times = [joint_plots.hidden_from(curve) for curve in found.curves]
    if asked.by is not None:
        test = found.log_rank
        if test is None or test.p is None:
            yield page.paragraph(NO_TEST if hidden_times.count(None) == len(hidden_times) else HIDDEN_TEST)
        else:
            yield page.paragraph(
                f"Log-rank test that all groups have the same hazard: chi-square {number(test.statistic)} on "
                f"{test.freedom} degrees of freedom, {p_text(test.p)}."
            )
    if not any(joint_plots.told(curve) for curve in found.curves):
        yield page.paragraph(NOTHING_TOLD)
        return
    names = [f"{asked.by} {curve.group}" if asked.by else "all" for curve in found.curves]
    yield joint_plots.survival_plot(found.curves, names, asked.time)
    hidden = dict(zip(names, hidden_times, strict=True))
    for name, time in hidden.items():
        if time is not None:
            yield page.paragraph(f"From {time} on, noise hides the curve of {name}: nothing is told of it there.")
    risks = joint_plots.at_risk(found.curves)
    heads = ["At risk just before", *(str(step.time) for step in risks[0])]
    rows = [
        [page.text(name), *(HIDDEN if _is_past(step, hidden[name]) else f"{step.at_risk:,}" for step in steps)]
        for name, steps in zip(names, risks, strict=True)
    ]
    yield page.table(heads, rows, numbers=tuple(range(1, len(heads))))
    yield page.paragraph(
        f"Each time was moved up to the next of {len(asked.grid):,} points that the buyer declared, "
        f"{asked.grid[0]} to {asked.grid[-1]}. Bands are 95 % intervals. Restricted mean: the area under a curve up to the "
        "last point."
    )
    rows = [
        [
            page.text(name),
            number(curve.restricted_mean) if hidden[name] is None else HIDDEN,
            _median(joint_plots.told(curve), hidden[name]),
            f"{sum(s.events for s in curve.steps):,}" if hidden[name] is None else HIDDEN,
        ]
        for name, curve in zip(names, found.curves, strict=True)
    ]
    yield page.table(["Group", "Restricted mean", "Median survival", "Events"], rows, numbers=(1, 2, 3))
    steps = [
        [
            page.text(name),
            str(step.time),
            f"{step.at_risk:,}",
            f"{step.events:,}",
            f"{step.survival:.4f}",
            f"{step.low:.3f} to {step.high:.3f}",
        ]
        for name, curve in zip(names, found.curves, strict=True)
        for step in joint_plots.told(curve)
    ]
    heads = ["Group", "Time", "At risk", "Events", "Survival", "95 % interval"]
    yield from some(heads, steps, (1, 2, 3, 4, 5), MOST_CELLS)


def _median(steps: Sequence[Step], hidden_from: Decimal | None) -> str:
    """The first point of the grid at which at most half survive."""
    unknown = "not reached" if hidden_from is None else HIDDEN
    return next((str(step.time) for step in steps if step.survival <= 0.5), unknown)


def _is_past(step: Step, hidden_from: Decimal | None) -> bool:
    return hidden_from is not None and step.time >= hidden_from
