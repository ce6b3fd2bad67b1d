"""Plots of a joint analysis's answers: survival curves, bars of a histogram, shares of a table, coefficients, a mean."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from marketplace.protocol.analysis_counts import Distribution
from marketplace.protocol.analysis_survival import GroupCurve, Step
from marketplace.protocol.schema import Number
from node.evaluation.drawing import SHADE, Axis, Plot, colour, number

AT_RISK_COLUMNS = 7
ROW_PX = 26
SHARE_PX, LABEL_PX = 36, 52
LONGEST_NAME = 24


@dataclass(frozen=True)
class Estimate:
    """A number with the ends of its interval."""

    name: str
    value: float
    low: float
    high: float


def survival_plot(curves: Sequence[GroupCurve], names: Sequence[str], time: str) -> str:
    """Kaplan-Meier curves as steps with their 95 % intervals as bands. `names`: of the groups."""
    last = float(curves[0].steps[-1].time)
    plot = Plot(Axis(time, 0, last), Axis("share that survives", 0, 1), height=360, left=110)
    marks = []
    for place, curve in enumerate(curves):
        seen = told(curve)
        lower, upper = (_stairs(seen, level) for level in ("low", "high"))
        marks += [plot.band(lower, upper, place), plot.line(_stairs(seen, "survival"), place)]
    marks += [plot.key(place, cut(name), place) for place, name in enumerate(names)]
    return plot.draw(marks, "Kaplan-Meier curves; the table below has their numbers")


def hidden_from(curve: GroupCurve) -> Decimal | None:
    """The first time at which noise hides the curve, whose interval then reaches down to 0; None where there is none."""
    return next((step.time for step in curve.steps if step.low == 0 < step.survival), None)


def told(curve: GroupCurve) -> tuple[Step, ...]:
    """The steps at which anybody is at risk and that noise does not hide."""
    end = hidden_from(curve)
    return tuple(step for step in curve.steps if step.at_risk and (end is None or step.time < end))


def at_risk(curves: Sequence[GroupCurve]) -> tuple[tuple[Step, ...], ...]:
    """Of each curve the steps, at most 7 and evenly spread, whose numbers at risk stand under the plot."""
    points = len(curves[0].steps)
    shown = min(points, AT_RISK_COLUMNS)
    places = sorted({round(place * (points - 1) / max(1, shown - 1)) for place in range(shown)})
    return tuple(tuple(curve.steps[place] for place in places) for curve in curves)


def _stairs(steps: Sequence[Step], level: str) -> list[tuple[float, float]]:
    points, before = [(0.0, 1.0)], 1.0
    for step in steps:
        now = float(getattr(step, level))
        points += [(float(step.time), before), (float(step.time), now)]
        before = now
    return points


def histogram_plot(found: Distribution, column: Number) -> str:
    """Bars over a number's declared range."""
    highest = max(1, *found.counts)
    width = float(column.step)
    plot = Plot(Axis(column.label, float(column.lower), float(column.upper) + width), Axis("rows", 0, highest * 1.05))
    ends = [(float(first), float(last) + width) for first, last in found.texts]
    bars = [plot.bar(low, high, count) for (low, high), count in zip(ends, found.counts, strict=True) if count > 0]
    return plot.draw(bars, f"histogram of {column.name}; the table below has its numbers")


def bars_plot(names: Sequence[str], counts: Sequence[int], across: str) -> str:
    """A bar for each name, from the top down."""
    plot = Plot(Axis(across, 0, max(1, *counts) * 1.05), Axis("", 0, 1), height=60 + ROW_PX * len(names), left=190)
    marks = []
    for place, (name, count) in enumerate(zip(names, counts, strict=True)):
        y = 18 + ROW_PX * place
        wide = plot.x(count) - plot.left
        marks.append(
            f'<rect x="{plot.left}" y="{y}" width="{wide:.1f}" height="17" fill="{colour(0)}" fill-opacity=".75"/>'
        )
        marks.append(plot.words(plot.left - 8, y + 13, cut(name), "end"))
    return plot.draw(marks, "bars; the table below has their numbers", numbers_up=False)


def shares_plot(table: Sequence[Sequence[int]], rows: Sequence[str], columns: Sequence[str], second: str) -> str:
    """For each value of the first column how its rows fall over the second, as shares of one bar."""
    keys = -(-len(columns) // 4)
    plot = Plot(
        Axis(f"share of rows by {second}", 0, 1),
        Axis("", 0, 1),
        height=64 + ROW_PX * len(rows) + 18 * keys,
        left=190,
    )
    marks = []
    for place, (name, counts) in enumerate(zip(rows, table, strict=True)):
        y, before, total = 18 + ROW_PX * place, 0, sum(counts)
        marks.append(plot.words(plot.left - 8, y + 13, cut(name), "end"))
        for series, count in enumerate(counts):
            if count > 0:
                x, end = plot.x(before / total), plot.x((before + count) / total)
                size = f'width="{end - x:.1f}" height="17" stroke="#fff"'
                marks.append(f'<rect x="{x:.1f}" y="{y}" {size} fill="{colour(series)}"/>')
                if end - x >= SHARE_PX:
                    marks.append(plot.words((x + end) / 2, y + 13, f"{100 * count / total:.0f} %", "middle", "#fff"))
                before += count
    for series, name in enumerate(columns):
        x, y = plot.left + 138 * (series % 4), 18 + ROW_PX * len(rows) + 18 * (series // 4)
        marks.append(f'<rect x="{x}" y="{y}" width="11" height="11" fill="{colour(series)}"/>')
        marks.append(plot.words(x + 16, y + 10, cut(name, 17)))
    return plot.draw(marks, "shares; the table below has the numbers", numbers_up=False)


def forest_plot(estimates: Sequence[Estimate], across: str, nothing: float = 0.0) -> str:
    """A dot and an interval for each estimate, from the top down, and a dashed line where nothing is associated."""
    low = min(nothing, *(one.low for one in estimates))
    high = max(nothing, *(one.high for one in estimates))
    room = (high - low or 1.0) * 0.05
    plot = Plot(Axis(across, low - room, high + room), Axis("", 0, 1), height=70 + ROW_PX * len(estimates), left=190)
    marks = [plot.upright(nothing)]
    for place, one in enumerate(estimates):
        y = 28 + ROW_PX * place
        ends = f'x1="{plot.x(one.low):.1f}" x2="{plot.x(one.high):.1f}" y1="{y}" y2="{y}"'
        marks.append(f'<line {ends} stroke="{colour(0)}" stroke-width="2"/>')
        marks.append(f'<circle cx="{plot.x(one.value):.1f}" cy="{y}" r="4.5" fill="{colour(0)}"/>')
        marks.append(plot.words(plot.left - 8, y + 4, cut(one.name), "end"))
    return plot.draw(marks, "estimates with intervals; the table below has their numbers", numbers_up=False)


def mean_plot(column: Number, mean: float, spread: float | None) -> str:
    """A mean on its declared range, and one standard deviation to both sides."""
    plot = Plot(Axis(column.label, float(column.lower), float(column.upper)), Axis("", 0, 1), height=96, left=16)
    marks = []
    if spread is not None:
        x, end = plot.x(mean - spread), plot.x(mean + spread)
        marks.append(f'<rect x="{x:.1f}" y="24" width="{end - x:.1f}" height="18" fill="{SHADE}"/>')
    marks.append(f'<circle cx="{plot.x(mean):.1f}" cy="33" r="5" fill="{colour(1)}"/>')
    marks.append(plot.words(plot.x(mean), 18, number(mean), "middle"))
    return plot.draw(marks, f"mean of {column.name}", numbers_up=False)


def marks_plot(column: Number, values: Sequence[float]) -> str:
    """Values on a number's declared range, the words of those that lie close above each other."""
    plot = Plot(Axis(column.label, float(column.lower), float(column.upper)), Axis("", 0, 1), height=96, left=16)
    ends, levels = list[float](), list[int]()
    for value in sorted(values):
        x = plot.x(value)
        level = next((place for place, end in enumerate(ends) if x - end >= LABEL_PX), len(ends))
        ends[level : level + 1] = [x]
        levels.append(level)
    high = 14 * max(levels)
    plot = replace(plot, height=96 + high)
    marks = []
    for value, level in zip(sorted(values), levels, strict=True):
        x = plot.x(value)
        marks.append(f'<circle cx="{x:.1f}" cy="{33 + high}" r="5" fill="{colour(1)}"/>')
        marks.append(plot.words(x, 18 + high - 14 * level, number(value), "middle"))
    return plot.draw(marks, f"quantiles of {column.name}; the table below has their numbers", numbers_up=False)


def cut(name: str, longest: int = LONGEST_NAME) -> str:
    """A name that fits beside a plot."""
    return name if len(name) <= longest else name[: longest - 1] + "…"
