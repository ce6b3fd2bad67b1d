"""How the act of several hospitals ended: two tables and the curves for people, or one JSON object."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rich.table import Table

from marketplace.commands.display import console
from marketplace.protocol.analysis_quote import Setting, learned
from marketplace.protocol.identity import OrderId
from marketplace.protocol.result import REPORT
from marketplace.terminal import plain
from scripts.story.folder import EXACT, NOISY
from scripts.story.oracle import Curves, LogRankTest, Point
from scripts.story.split import spread

SHOWN_POINTS = 8


@dataclass(frozen=True)
class Answered:
    """One purchase of the analysis, at its end. `state`: the order's, in words. `label`: of the guarantee.

    `by`: the column whose values are the groups. `moved_bytes`: sent and heard by all parties together. `apart`: the most by
    which it differs from lifelines on the pooled records; None where noise is in it.
    """

    order: OrderId
    state: str
    setting: Setting
    label: str
    by: str
    seconds: float
    moved_bytes: int
    curves: Curves
    apart: float | None

    def document(self) -> dict[str, Any]:
        """The purchase as a value for JSON."""
        return {
            "order": self.order.hex(),
            "state": self.state,
            "parties": self.setting.parties,
            "lane": self.setting.lane.value,
            "guarantee": self.label,
            "learned": learned(self.setting),
            "seconds": round(self.seconds, 3),
            "bytes": self.moved_bytes,
            "grid": [float(time) for time in self.curves.grid],
            "result": {
                name: [
                    {
                        "time": float(point.time),
                        "at_risk": point.at_risk,
                        "events": point.events,
                        "survival": point.survival,
                    }
                    for point in points
                ]
                for name, points in self.curves.groups.items()
            },
            "logrank": {"statistic": self.curves.test.statistic, "p": self.curves.test.p},
        }


def curves_of(answer: Mapping[str, Any]) -> Curves:
    """The curves in an answer of the result's document."""
    groups = {
        curve["group"]: tuple(
            Point(
                Decimal(step["time"]),
                step["at_risk"],
                step["events"],
                float(step["survival"]),
                float(step["low"]),
                float(step["high"]),
            )
            for step in curve["steps"]
        )
        for curve in answer["curves"]
    }
    test = answer["log_rank"]
    return Curves(groups, LogRankTest(float(test["statistic"]), None if test["p"] is None else float(test["p"])))


def show(exact: Answered, noisy: Answered, out: Path) -> None:
    """The two answers for people, side by side, on standard output. `out`: the folder that the demo leaves."""
    screen = console()
    screen.print(f"\nSurvival over {exact.setting.parties} hospitals, of whom none saw another's records")
    screen.print(_curves(exact, noisy))
    for one in (exact, noisy):
        screen.print(f"{one.label}: {_test(one.curves.test)}", soft_wrap=True)
    if any(point.is_hidden for points in noisy.curves.groups.values() for point in points):
        screen.print(
            "Hidden: so few records drown in the noise there, and the answer says so in place of guessing.",
            soft_wrap=True,
        )
    screen.print()
    screen.print(_learned(exact, noisy))
    screen.print(f"\nThe buyer has answers, their certificates and a report for people in {out}:", soft_wrap=True)
    for place in (EXACT, NOISY):
        screen.print(f"  {place}/{REPORT}", soft_wrap=True)


def _curves(exact: Answered, noisy: Answered) -> Table:
    """What survives of each group at some points, without noise, and with it as a 95 % interval."""
    table = Table()
    table.add_column("up to", justify="right", no_wrap=True)
    for name in exact.curves.groups:
        table.add_column(plain(f"{exact.by} {name}"), justify="right")
        table.add_column("with noise", justify="right")
    for time in sorted({*spread(exact.curves.grid, SHOWN_POINTS), *spread(noisy.curves.grid, SHOWN_POINTS)}):
        cells = [(_at(exact, name, time), _interval(noisy, name, time)) for name in exact.curves.groups]
        table.add_row(f"{time:f}", *(text for one, other in cells for text in (f"{one.survival:.3f}", other)))
    return table


def _at(answered: Answered, name: str, time: Decimal) -> Point:
    """The last point of a group's curve up to `time`."""
    points = answered.curves.groups[name]
    return next((point for point in reversed(points) if point.time <= time), points[0])


def _interval(noisy: Answered, name: str, time: Decimal) -> str:
    """What is told of a group at `time`; nothing where the grid with noise has no such point."""
    point = next((point for point in noisy.curves.groups[name] if point.time == time), None)
    if point is None:
        return ""
    return "hidden" if point.is_hidden else f"{point.low:.2f} to {point.high:.2f}"


def _test(test: LogRankTest) -> str:
    if test.p is None:
        return "no log-rank test is possible, fewer than two groups have anybody in them"
    return f"log-rank chi-square {test.statistic:.3f}, p {test.p:.4g}"


def _learned(exact: Answered, noisy: Answered) -> Table:
    table = Table(title="Who learns what", title_justify="left")
    table.add_column("who", no_wrap=True)
    table.add_column(exact.label)
    table.add_column(noisy.label)
    pairs = zip_longest(learned(exact.setting).items(), learned(noisy.setting).items())
    for (who, first), (_, second) in pairs:
        table.add_row(who, first, second)
    return table
