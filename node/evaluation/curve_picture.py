"""The picture of an order's curves: survival in the synthetic table beside the released noisy one with its noise band."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from marketplace.protocol.schema import Number, Schema
from marketplace.protocol.specification import Curve, Specification
from marketplace.scores.curve import Grid, Line, NoisyCurve
from node.evaluation.codes import frame_of
from node.evaluation.picture import QUIET, RELEASED, STYLE, SYNTHETIC, png

LARGEST_PANELS, ACROSS = 12, 3
BLUE = "#2b6c99"


def draw_curves(
    synthetic: pa.Table,
    schema: Schema,
    specification: Specification,
    curves: Sequence[NoisyCurve],
    rows_declared: int,
) -> bytes | None:
    """A PNG with a panel for each curve and group, at most 12, from released and public numbers alone; None without any.

    `curves`: the released counts of the specification's curves, in order. Groups of whom the noise hides all have no panel.
    The same arguments give the same bytes on the same versions of matplotlib.
    """
    table, panels = frame_of(synthetic, schema), list[tuple[Curve, Grid, Line]]()
    for index, (curve, noisy) in enumerate(zip(specification.workload.curves, curves, strict=True)):
        grid = Grid.of(curve, schema)
        found = noisy.judged(index, grid, table, specification.digest, rows_declared)
        panels += [(curve, grid, line) for line in found.lines]
    if not panels:
        return None
    shown = panels[:LARGEST_PANELS]
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        down = -(-len(shown) // ACROSS)
        figure = Figure(figsize=(13, 3.1 * down + 0.5), dpi=110, facecolor="white", layout="constrained")
        axes = figure.subplots(down, ACROSS, squeeze=False).ravel()
        for one, (curve, grid, line) in zip(axes, shown, strict=False):
            _panel(one, schema, curve, grid, line)
        for one in axes[len(shown) :]:
            one.remove()
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False)
        if len(panels) > len(shown):
            figure.text(0.99, 0.99, f"the first {len(shown)} of {len(panels)}", color=QUIET, ha="right", va="top")
        return png(figure)


def _panel(axes: Axes, schema: Schema, curve: Curve, grid: Grid, line: Line) -> None:
    times = _times(schema, grid)
    ends, released = times[: len(line.released) + 1], np.concatenate([[1.0], line.released])
    reach = np.concatenate([[0.0], line.reach])
    low, high = np.clip(released - reach, 0, 1), np.clip(released + reach, 0, 1)
    label = "real records, as released with noise"
    axes.fill_between(
        ends, 100 * low, 100 * high, step="post", color=RELEASED, alpha=0.16, lw=0, label="95 % of the noise"
    )
    axes.step(ends, 100 * released, where="post", color=RELEASED, lw=1.6, label=label)
    axes.step(
        ends, 100 * np.concatenate([[1.0], line.synthetic]), where="post", color=BLUE, lw=1.6, label="synthetic rows"
    )
    if ends[-1] < times[-1]:
        axes.axvspan(ends[-1], times[-1], color=SYNTHETIC, alpha=0.12, lw=0)
        axes.text((ends[-1] + times[-1]) / 2, 97, "too few\nto read", ha="center", va="top", fontsize=8, color=QUIET)
    axes.set_xlim(times[0], times[-1])
    axes.set_ylim(0, 102)
    axes.set_xlabel(curve.time)
    axes.set_ylabel(
        f"% without {curve.event}" if curve.occurred is None else f"% without {curve.event} = {curve.occurred}"
    )
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    name = "all" if curve.by is None else f"{curve.by} = {schema.column(curve.by).text(line.group)}"
    axes.set_title(name if len(name) <= 40 else name[:39] + "…")


def _times(schema: Schema, grid: Grid) -> list[float]:
    column = schema.column(grid.time)
    assert isinstance(column, Number)
    return [float(column.lower) + float(column.step) * code for code in (0, *grid.after)]
