"""Plots as inline SVG: drawn by whole rules, so that the same numbers give the same bytes on every machine."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from node.evaluation.page import text, wide

COLOURS = ("#2b6c99", "#a63d00", "#3f7d3f", "#7a4b94", "#8a6d00", "#00797a", "#b0305c", "#555555", "#5b5bd6", "#94601c")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4")
INK, LINE, SHADE = "#444", "#ccc", "#cfe3f1"

Point = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """One side of a plot: its name and the numbers at its ends, `low` < `high`."""

    name: str
    low: float
    high: float

    def ticks(self) -> tuple[float, ...]:
        """Round numbers within the ends, about five of them."""
        width = self.high - self.low
        power = 10.0 ** math.floor(math.log10(width / 5))
        step = next(power * times for times in (1, 2, 5, 10) if width / (power * times) <= 6)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(place * step for place in range(first, last + 1))


@dataclass(frozen=True)
class Plot:
    """A plane with two axes. `height`, `width`: of the whole drawing, in pixels. `left`: room for the names at the left."""

    across: Axis
    up: Axis
    width: int = 760
    height: int = 340
    left: int = 64

    def x(self, value: float) -> float:
        """Where `value` lies across, in pixels; at the edge what lies beyond."""
        return self._place(self.across, value, self.left, self.width - 16)

    def y(self, value: float) -> float:
        """The same for up and down."""
        return self._place(self.up, value, self.height - 44, 14)

    def line(self, points: Sequence[Point], place: int, thick: float = 2) -> str:
        """A line through `points` in the colour of the series at `place`."""
        path = " ".join(f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in points)
        return f'<polyline points="{path}" fill="none" stroke="{colour(place)}" stroke-width="{thick}"{_dash(place)}/>'

    def band(self, lower: Sequence[Point], upper: Sequence[Point], place: int) -> str:
        """The area between two lines."""
        path = " ".join(f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in (*lower, *reversed(upper)))
        return f'<polygon points="{path}" fill="{colour(place)}" fill-opacity=".13"/>'

    def bar(self, left: float, right: float, top: float) -> str:
        """A bar that stands on the lower end of the plane."""
        x, y = self.x(left), self.y(top)
        size = f'width="{max(0.5, self.x(right) - x - 1):.1f}" height="{self.y(self.up.low) - y:.1f}"'
        return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{COLOURS[0]}" fill-opacity=".75"/>'

    def dot(self, at: Point, place: int, radius: float = 4) -> str:
        """A dot in the colour of the series at `place`."""
        return f'<circle cx="{self.x(at[0]):.1f}" cy="{self.y(at[1]):.1f}" r="{radius}" fill="{colour(place)}"/>'

    def ring(self, across: float) -> str:
        """A ring on the lower edge of the plane, for what has no number."""
        at = f'cx="{self.x(across):.1f}" cy="{self.y(self.up.low):.1f}"'
        return f'<circle {at} r="4" fill="none" stroke="{INK}" stroke-width="1.5"/>'

    def words(self, x: float, y: float, words: str, anchor: str = "start", ink: str = INK) -> str:
        """Text at pixels `x` and `y`. `anchor`: which end of it lies there."""
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}">{text(words)}</text>'

    def key(self, entry: int, name: str, place: int) -> str:
        """What the line of the series at `place` means, as an entry at the top right: its name and a piece of it."""
        y, right, ink = 24 + 16 * entry, self.width - 24, colour(place)
        piece = (
            f'<line x1="{right - 34}" x2="{right}" y1="{y}" y2="{y}" stroke="{ink}" stroke-width="2"{_dash(place)}/>'
        )
        return piece + self.words(right - 42, y + 4, name, "end", ink)

    def level(self, value: float, dashed: bool = True) -> str:
        """A line across at `value`."""
        ends = f'x1="{self.left}" x2="{self.width - 16}" y1="{self.y(value):.1f}" y2="{self.y(value):.1f}"'
        return f'<line {ends} stroke="{INK}"{" stroke-dasharray=" + chr(34) + "4 3" + chr(34) if dashed else ""}/>'

    def upright(self, value: float) -> str:
        """A dashed line up at `value`."""
        ends = f'y1="14" y2="{self.height - 44}" x1="{self.x(value):.1f}" x2="{self.x(value):.1f}"'
        return f'<line {ends} stroke="{INK}" stroke-dasharray="4 3"/>'

    def draw(self, marks: Sequence[str], description: str, *, numbers_up: bool = True) -> str:
        """The whole drawing, which scrolls on a narrow screen. `description`: text for whoever cannot see it.

        `numbers_up`: whether the left has numbers.
        """
        head = (
            f'<svg viewBox="0 0 {self.width} {self.height}" width="100%" role="img" font-size="12" '
            f'font-family="system-ui, DejaVu Sans, sans-serif" aria-label="{text(description)}">'
            f"<title>{text(description)}</title>"
        )
        return wide(head + "".join([*self._axes(numbers_up), *marks]) + "</svg>")

    def _axes(self, numbers_up: bool) -> Iterator[str]:
        low, left, right = self.height - 44, self.left, self.width - 16
        for value in self.up.ticks() if numbers_up else ():
            y = self.y(value)
            yield f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#eee"/>'
            yield self.words(left - 6, y + 4, number(value), "end")
        for value in self.across.ticks():
            x = self.x(value)
            yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low}" y2="{low + 4}" stroke="{INK}"/>'
            yield self.words(x, low + 18, number(value), "middle")
        yield f'<line x1="{left}" x2="{right}" y1="{low}" y2="{low}" stroke="{INK}"/>'
        yield self.words((left + right) / 2, self.height - 8, self.across.name, "middle")
        if self.up.name:
            middle = (low + 14) / 2
            yield (
                f'<text transform="translate(14 {middle:.1f}) rotate(-90)" text-anchor="middle" fill="{INK}">'
                f"{text(self.up.name)}</text>"
            )

    @staticmethod
    def _place(axis: Axis, value: float, start: float, end: float) -> float:
        share = (min(axis.high, max(axis.low, value)) - axis.low) / (axis.high - axis.low)
        return start + share * (end - start)


def _dash(place: int) -> str:
    """How the line of the series at `place` is broken: no two series are told apart by their colour alone."""
    return f' stroke-dasharray="{DASHES[place % len(DASHES)]}"' if place % len(DASHES) else ""


def colour(place: int) -> str:
    """The colour of the series at `place`."""
    return COLOURS[place % len(COLOURS)]


def number(value: float) -> str:
    """A number for people, four significant digits, thousands apart."""
    rounded = float(f"{value:.4g}")
    if rounded == int(rounded) and abs(rounded) < 1e7:
        return f"{int(rounded):,}"
    return f"{rounded:.4g}"


def p_text(p: float) -> str:
    """The p of a test for people."""
    return "p below 0.0001" if p < 0.0001 else f"p = {p:.4f}" if p < 0.01 else f"p = {p:.3f}"
