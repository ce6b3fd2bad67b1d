"""The picture of a result: synthetic columns beside released noisy counts, and how the columns hang together."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from marketplace.protocol.schema import Column, Number, Schema
from marketplace.scores.cells import Bins
from node.evaluation.codes import frame_of
from node.evaluation.histogram import Bar, Codes, NoisyCounts, bars, middle

LARGEST_PANELS = 16
ACROSS = 4
SYNTHETIC, RELEASED, INK, QUIET = "#7fb3d5", "#a63d00", "#222222", "#666666"
POINT: dict[str, Any] = {"fmt": "o", "ms": 3.4, "color": RELEASED, "elinewidth": 1.2, "capsize": 2}
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": "#999999",
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": False,
    "axes.axisbelow": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "text.parse_math": False,
    "figure.constrained_layout.h_pad": 0.09,
    "figure.constrained_layout.w_pad": 0.09,
}


def draw(synthetic: pa.Table, schema: Schema, noisy: Sequence[NoisyCounts]) -> bytes:
    """A PNG of the first 16 columns of a coded table and of their association, from released and public numbers alone.

    Bars are shares of the synthetic rows; points with whiskers are released noisy counts of the real records with 95 %
    intervals, for the columns that `noisy` has. The matrix is Cramer's V of the synthetic columns, numbers in at most
    16 bins. The same arguments give the same bytes on the same versions of matplotlib. One row or more.
    """
    table = frame_of(synthetic, schema)
    shown = schema.columns[:LARGEST_PANELS]
    counts = {histogram.column: histogram for histogram in noisy}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        down = -(-len(shown) // ACROSS)
        heights = [0.75, 2.3 * down, 1.9 + 0.26 * len(shown)]
        figure = Figure(figsize=(13, sum(heights)), dpi=110, facecolor="white", layout="constrained")
        head, body, foot = figure.subfigures(3, 1, height_ratios=heights, squeeze=False).ravel()
        _head(head, len(shown), len(schema.columns), bool(counts))
        panels = body.subplots(down, ACROSS, squeeze=False).ravel()
        for axes, column in zip(panels, shown, strict=False):
            _panel(axes, table[column.name].to_numpy(), column, counts.get(column.name))
        for axes in panels[len(shown) :]:
            axes.remove()
        if len(shown) > 1:
            _matrix(foot, association(table, schema)[: len(shown), : len(shown)], shown)
        return png(figure)


def association(table: pd.DataFrame, schema: Schema) -> npt.NDArray[np.float64]:
    """Cramer's V of each pair of columns, 0 (independent) to 1, corrected for chance; shape (columns, columns).

    Numbers are cut into at most 16 bins; missing is a value like any other. Source: Bergsma 2013.
    """
    cells = Bins.of(table, schema).cut(table)
    result = np.eye(len(schema.names))
    for left in range(len(schema.names)):
        for right in range(left):
            pair = (schema.names[left], schema.names[right])
            counts = np.bincount(cells.keys(pair), minlength=cells.size(pair)).reshape(-1, cells.sizes[right])
            result[left, right] = result[right, left] = _cramer(counts)
    return result


def _cramer(counts: npt.NDArray[np.int64]) -> float:
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    rows, (high, wide) = counts.sum(), counts.shape
    if min(high, wide) < 2 or rows < 2:
        return 0.0
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / rows
    phi2 = float(((counts - expected) ** 2 / expected).sum() / rows)
    phi2 = max(0.0, phi2 - (high - 1) * (wide - 1) / (rows - 1))
    smaller = min(high - (high - 1) ** 2 / (rows - 1), wide - (wide - 1) ** 2 / (rows - 1))
    return float(np.sqrt(min(1.0, phi2 / (smaller - 1)))) if smaller > 1 else 0.0


def _panel(axes: Axes, codes: Codes, column: Column, noisy: NoisyCounts | None) -> None:
    found = bars(codes, column, noisy)
    axes.set_title(_short(column.label if isinstance(column, Number) else column.name, 30))
    if isinstance(column, Number) and found[0].codes is not None:
        _number_panel(axes, codes, column, found)
    else:
        _labelled_panel(axes, found)


def _labelled_panel(axes: Axes, found: tuple[Bar, ...]) -> None:
    places = np.arange(len(found))
    axes.barh(places, [100 * bar.share for bar in found], color=SYNTHETIC, height=0.72)
    for place, bar in zip(places, found, strict=True):
        if bar.released is not None:
            axes.errorbar(100 * bar.released, place, xerr=100 * bar.reach, **POINT)
    axes.set_yticks(places, [_short(bar.label, 17) for bar in found])
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("% of rows")
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.tick_params(axis="y", length=0)


def _number_panel(axes: Axes, codes: Codes, column: Number, found: tuple[Bar, ...]) -> None:
    lower, step = float(column.lower), float(column.step)
    low, high = middle(codes)
    for bar in found:
        if bar.codes is None:
            continue
        first, after = (lower + (code - 0.5) * step for code in bar.codes)
        width = after - first
        axes.bar(first, 100 * bar.share / width, width=width, align="edge", color=SYNTHETIC, edgecolor="white", lw=0.5)
        start, end = max(first, lower + (low - 0.5) * step), min(after, lower + (high + 0.5) * step)
        if bar.released is not None and start < end:
            axes.errorbar((start + end) / 2, 100 * bar.released / width, yerr=100 * bar.reach / width, **POINT)
    axes.set_xlim(lower + (low - 0.5) * step, lower + (high + 0.5) * step)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("% of rows per unit")
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    if found[-1].codes is None:
        axes.set_xlabel(_missing(found[-1]), fontsize=8)


def _missing(bar: Bar) -> str:
    released = "" if bar.released is None else f", released {100 * bar.released:.1f} ± {100 * bar.reach:.1f} %"
    return f"missing: synthetic {100 * bar.share:.1f} %{released}"


def _matrix(figure: SubFigure, values: npt.NDArray[np.float64], shown: tuple[Column, ...]) -> None:
    axes = figure.subplots(1, 2, width_ratios=[len(shown), max(1, 20 - len(shown))])[0]
    figure.axes[1].remove()
    hidden = np.ma.masked_array(values, np.triu(np.ones_like(values, dtype=bool)))[1:, :-1]
    image = axes.imshow(hidden, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for up, across in zip(*np.tril_indices(len(values) - 1), strict=True):
        value = values[up + 1, across]
        ink = "white" if value > 0.55 else INK
        axes.text(across, up, f"{value:.2f}".removeprefix("0"), ha="center", va="center", fontsize=7.5, color=ink)
    names = [_short(column.name, 18) for column in shown]
    axes.set_xticks(range(len(names) - 1), names[:-1], rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names) - 1), names[1:])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.suptitle(
        "How columns of the synthetic table hang together: Cramér's V, from 0 (not at all) to 1 (completely)",
        x=0.01, ha="left", fontsize=9.5, weight="bold",
    )  # fmt: skip
    bar = figure.colorbar(image, ax=axes, aspect=30, pad=0.02)
    bar.outline.set_visible(False)


def _head(figure: SubFigure, shown: int, columns: int, released: bool) -> None:
    figure.text(0.01, 0.72, "The synthetic table, column by column", fontsize=13, weight="bold", va="center")
    some = "" if shown == columns else f"the first {shown} of {columns} columns; "
    note = f"{some}numbers are shown over the middle 98 % of the synthetic values"
    figure.text(0.99, 0.72, note, fontsize=8.5, color=QUIET, ha="right", va="center")
    handles: list[Artist] = [Patch(color=SYNTHETIC, label="synthetic rows")]
    if released:
        label = "real records, as released: with noise; the whisker is the 95 % interval"
        handles.append(Line2D([], [], color=RELEASED, marker="o", ms=4, lw=1.2, label=label))
    figure.legend(
        handles=handles, loc="center left", bbox_to_anchor=(0.008, 0.28), ncols=2, frameon=False, borderaxespad=0
    )


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def png(figure: Figure) -> bytes:
    """The figure's bytes, without what this machine would add."""
    out = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
