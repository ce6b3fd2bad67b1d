"""Plots of what joint analyses cost and how good the twin of pooled records is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

INK = "#222222"
COLOURS = {"pooled": "#a63d00", "central": "#2f7db5", "alone": "#8a8a8a"}
OFFSETS = {"pooled": -0.18, "central": 0.0, "alone": 0.18}
TICKS = (0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)


def plot(found: Mapping[str, Any], folder: Path) -> None:
    """Writes a picture for each part that has been measured."""
    if "parties" in found:
        _costs(found["parties"], "parties", "parties", folder / "mpc-parties.png")
    if "latency" in found:
        _costs(found["latency"], "cells", "numbers that are summed", folder / "mpc-latency.png")
    if "twin" in found:
        _twins(found["twin"], folder / "mpc-twin.png")


def _costs(figures: Sequence[Mapping[str, Any]], along: str, words: str, path: Path) -> None:
    from matplotlib.figure import Figure

    picture = Figure(figsize=(9, 3.4), layout="constrained")
    seconds, moved = picture.subplots(1, 2)
    other = "cells" if along == "parties" else "delay_ms"
    for value in sorted({one[other] for one in figures}):
        part = [one for one in figures if one[other] == value]
        name = f"{value:,} numbers" if other == "cells" else f"{value} ms added"
        places = [one[along] for one in part]
        seconds.plot(places, [one["seconds"] for one in part], marker="o", label=name)
        if other == "cells" or value == 0:
            moved.plot(places, [one["moved_mb"] for one in part], marker="o", label=name if other == "cells" else None)
    for axes, title in ((seconds, "seconds of one sum"), (moved, "MB sent and heard by a party")):
        axes.set(xlabel=words, title=title)
        if along == "cells":
            axes.set(xscale="log", yscale="log")
        else:
            axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    seconds.legend(frameon=False)
    picture.savefig(path, dpi=120)


def _twins(lines: Sequence[Mapping[str, Any]], path: Path) -> None:
    from matplotlib.figure import Figure

    lines = [line for line in lines if line["values"] and not line.get("measure", "").startswith("released")]
    groups = list(dict.fromkeys(line["part"] for line in lines if "parties" in line["part"]))
    picture = Figure(figsize=(9, 0.5 * len(groups) + 1.2), layout="constrained")
    axes = picture.subplots()
    for place, group in enumerate(groups):
        for line in (line for line in lines if line["part"] == group and "every one" not in line["who"]):
            kind = next(name for name in COLOURS if name in line["who"])
            mark = "d" if line["who"] == "central at the same rho" else "o"
            mean, height = sum(line["values"]) / len(line["values"]), place + OFFSETS[kind]
            axes.errorbar(
                mean, height, xerr=line["reach"], color=COLOURS[kind], marker=mark, markersize=6, linestyle="none"
            )
        for line in (line for line in lines if line["part"] == group.split(",")[0]):
            kind = "<" if "ceiling" in line["who"] else ">"
            axes.plot(line["values"][0], place, color=INK, marker=kind, markersize=5, linestyle="none")
    axes.set_yticks(range(len(groups)), groups)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set(xlabel="L1-3way: 0 is best", xscale="log", title="Twin of pooled records at epsilon 1")
    names = {
        "pooled twin": ("o", COLOURS["pooled"]), "central, as much noise": ("o", COLOURS["central"]),
        "central, same rho": ("d", COLOURS["central"]), "each hospital alone": ("o", COLOURS["alone"]),
        "ceiling: bootstrap": ("<", INK), "floor: shuffle": (">", INK),
    }  # fmt: skip
    for name, (mark, colour) in names.items():
        axes.plot([], [], marker=mark, color=colour, linestyle="none", label=name)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.set_xticks([], minor=True)
    axes.grid(axis="x", alpha=0.3)
    picture.savefig(path, dpi=120)
