"""What `agora quote` shows of a joint analysis: lane, who learns what, against whom it holds, what it takes, the noise."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from rich.table import Table

from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.analysis_cost import FAR_MS
from marketplace.protocol.analysis_quote import Forecast, learned, threats
from marketplace.terminal import plain

INDENT, WIDTH = 14, 80
SHOWN_NOISE = 20


def forecast_lines(forecast: Forecast) -> Iterator[str]:
    """The forecast for people, but for the table of its noise."""
    setting, cost = forecast.setting, forecast.cost
    rounds = "one round" if forecast.rounds == 1 else f"{forecast.rounds} rounds"
    yield from _named("lane", f"{setting.lane.value}, {setting.parties} parties, {rounds}")
    far = f"{cost.far_seconds:,} s where a message takes {FAR_MS} ms"
    yield from _named("takes", f"about {cost.seconds:,} s, {far}; {cost.bytes:,} bytes at each party")
    for who, what in learned(setting).items():
        yield from _named("learns", f"{who}: {what}")
    for sentence in threats(setting):
        yield from _named("holds", sentence)
    if forecast.own_view is not None and forecast.outside is not None:
        yield from _named("own view", f"epsilon {forecast.own_view}: what a party learns, which knows its own noise")
        yield from _named("outside", f"epsilon {forecast.outside}: what the buyer learns, who knows nobody's")
    if forecast.noise:
        yield from _named("noise", "of all parties together, in rows, or in steps of a column's declared grid:")


def noise_table(forecast: Forecast, specification: AnalysisSpecification) -> Table:
    """The noise in each statistic of the first round, by the question that it is of."""
    table = Table(box=None, pad_edge=False)
    table.add_column("statistic")
    for head in ("cells", "sigma of a cell", "rho, micro"):
        table.add_column(head, justify="right")
    for one in forecast.noise[:SHOWN_NOISE]:
        table.add_row(
            plain(specification.words_of(one.name)), f"{one.cells:,}", f"{float(one.sigma):,.1f}", f"{one.rho_micro:,}"
        )
    if len(forecast.noise) > SHOWN_NOISE:
        table.add_row(f"{len(forecast.noise) - SHOWN_NOISE:,} more", "", "", "")
    return table


def forecast_document(forecast: Forecast) -> dict[str, Any]:
    """The forecast as a value for JSON, with its words."""
    return {
        **forecast.document(),
        "bytes": forecast.cost.bytes,
        "noise": [{**vars(one), "sigma": float(one.sigma)} for one in forecast.noise],
        "own_view": None if forecast.own_view is None else float(forecast.own_view),
        "outside": None if forecast.outside is None else float(forecast.outside),
        "learned": learned(forecast.setting),
        "threats": list(threats(forecast.setting)),
    }


def _named(name: str, words: str) -> Iterator[str]:
    first, *others = wrap(words, WIDTH - INDENT)
    yield f"  {name:<{INDENT - 2}}{first}"
    yield from (" " * INDENT + line for line in others)
