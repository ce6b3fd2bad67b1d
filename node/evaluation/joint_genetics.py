"""Genetic variants and pairs of groups for people: a Manhattan plot with its table, allele frequencies, a difference."""

import math
import re
from collections.abc import Iterator, Sequence

from marketplace.protocol.analysis_comparisons import Difference, MannWhitney, Proportions, Welch
from marketplace.protocol.analysis_curves import NORMAL_TIMES
from marketplace.protocol.analysis_genetics import Association, Frequency, Variant
from node.evaluation import joint_plots, page
from node.evaluation.drawing import Axis, Plot, number, p_text

LEVEL, LEAST_P = 0.05, 1e-300
MEGA = 1e6
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)


def associations(found: Sequence[Association]) -> Iterator[str]:
    """The Manhattan plot of the trend tests, and the table behind it."""
    told = [one for one in found if one.trend_p is not None]
    if told:
        line = LEVEL / len(told)
        yield page.paragraph(
            f"{len(told):,} of {len(found):,} variants could be tested. Dashed: p = {number(line)}, which is {LEVEL:g} over "
            "their number."
        )
        yield manhattan_plot(told, line, [one.variant for one in found if one.rows is None])
    else:
        yield page.paragraph("No variant could be tested: a group has too few rows, or all have one genotype.")
    if any(one.rows is None for one in found):
        yield page.paragraph(
            "Variants with too few persons of one genotype stay closed; rings on the axis stand for them."
        )
    rows = [
        [
            page.text(one.variant.column),
            page.text(one.variant.chromosome),
            f"{one.variant.position:,}",
            *(("closed", "closed") if one.rows is None else (f"{count:,}" for count in one.rows)),
            *(("", "") if one.frequencies is None else map(number, one.frequencies)),
            "" if one.allelic_p is None else page.text(p_text(one.allelic_p)),
            "" if one.trend_p is None else page.text(p_text(one.trend_p)),
        ]
        for one in found
    ]
    heads = ["Variant", "Chromosome", "Position", "Controls", "Cases", "Frequency", "in cases", "Alleles", "Trend"]
    yield page.table(heads, rows, numbers=(2, 3, 4, 5, 6, 7, 8))


def manhattan_plot(found: Sequence[Association], line: float, closed: Sequence[Variant] = ()) -> str:
    """-log10 p of each variant's trend test over its place on the genome, chromosome after chromosome.

    `line`: the p at which a dashed line is drawn. `closed`: variants of which nothing is told: rings on the axis.
    """
    heights = [-math.log10(max(LEAST_P, one.trend_p or 0.0)) for one in found]
    places = [*(one.variant for one in found), *closed]
    names = sorted({one.chromosome for one in places}, key=_order)
    starts, end = {}, 0.0
    for name in names:
        starts[name] = end
        end += (max(one.position for one in places if one.chromosome == name) + 1) / MEGA
    high = 1.1 * max(-math.log10(line), *heights)
    plot = Plot(
        Axis("place on the genome, in millions, chromosome after chromosome", 0, end), Axis("-log10 p", 0, high)
    )
    marks = [plot.level(-math.log10(line))]
    for one, height in zip(found, heights, strict=True):
        at = starts[one.variant.chromosome] + one.variant.position / MEGA
        marks.append(plot.dot((at, height), names.index(one.variant.chromosome) % 2))
    marks += [plot.ring(starts[one.chromosome] + one.position / MEGA) for one in closed]
    marks += [plot.words(plot.x(starts[name]) + 3, 26, name) for name in names]
    return plot.draw(marks, "Manhattan plot; the table below has its numbers")


def frequencies(found: Sequence[Frequency]) -> Iterator[str]:
    """Each variant's frequency with its interval."""
    told = [
        joint_plots.Estimate(one.variant.column, one.frequency, *_ends(one.frequency, one.error))
        for one in found
        if one.frequency is not None and one.error is not None
    ]
    if told:
        yield joint_plots.forest_plot(told, "frequency of the counted allele, with its 95 % interval")
    rows = [
        [
            page.text(one.variant.column),
            page.text(one.variant.chromosome),
            f"{one.variant.position:,}",
            "closed" if one.rows is None else f"{one.rows:,}",
            "" if one.frequency is None else number(one.frequency),
            "" if one.error is None else number(one.error),
        ]
        for one in found
    ]
    yield page.table(["Variant", "Chromosome", "Position", "Rows", "Frequency", "Standard error"], rows, (2, 3, 4, 5))


def difference(asked: Welch | MannWhitney | Proportions, found: Difference) -> Iterator[str]:
    """Two groups beside each other, and the test between them."""
    what = {
        Welch: f"mean of {asked.column}",
        MannWhitney: "how often it ranks higher than the other",
        Proportions: f"share of {asked.column}",
    }[type(asked)]
    rows = [
        [page.text(group), f"{count:,}", "" if found.values is None else number(found.values[place])]
        for place, (group, count) in enumerate(zip((asked.first, asked.second), found.rows, strict=True))
    ]
    yield page.table([asked.by, "Rows", what], rows, (1, 2))
    if found.p is None or found.difference is None or found.error is None or found.statistic is None:
        yield page.paragraph("No test is possible: a group has too few rows, or nothing varies.")
        return
    low, high = _ends(found.difference, found.error)
    yield page.paragraph(
        f"Difference {number(found.difference)}, 95 % interval {number(low)} to {number(high)}; test statistic "
        f"{number(found.statistic)}, {p_text(found.p)}."
    )
    yield joint_plots.forest_plot(
        [joint_plots.Estimate(f"{asked.first} - {asked.second}", found.difference, low, high)], f"difference in {what}"
    )


def _ends(value: float, error: float) -> tuple[float, float]:
    return value - NORMAL_TIMES * error, value + NORMAL_TIMES * error


def _order(chromosome: str) -> tuple[int, str]:
    """Chromosomes with numbers by these, and then the others."""
    return (int(chromosome), "") if _WHOLE.fullmatch(chromosome) else (10**9, chromosome)
