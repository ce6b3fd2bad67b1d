"""What a generator has released inside the node: every stage with its noise, its sensitivity and its price."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

from marketplace.errors import Corrupt
from marketplace.protocol import canonical
from node.noise.gaussian import rho_micro_of_gaussian
from node.noise.selection import rho_micro_of_selection

NOUN, VERSION = "measurements", 1


@dataclass(frozen=True)
class Histogram:
    """Counts of rows in cells, each with discrete Gaussian noise.

    `stage`: the noise stream's stage. `columns`: whose cells they are. `sensitivity`: the L2 distance, in rows, that
    one person can move the counts. `sigma2`: the noise's variance parameter, in rows squared. `counts`: noisy, perhaps
    negative; cells in the order that the generator defines.
    """

    stage: str
    columns: tuple[str, ...]
    rho_micro: int
    sensitivity: int
    sigma2: Fraction
    counts: tuple[int, ...]

    @property
    def variance(self) -> Fraction:
        """Of all the noise in one count, in rows squared."""
        return self.sigma2

    @property
    def stddev(self) -> float:
        """The noise of one count, in rows."""
        return sqrt(self.variance)

    def cost_micro(self) -> int:
        """What the stage costs by its sensitivity and noise, in micro-rho, rounded up."""
        return rho_micro_of_gaussian(self.sensitivity**2, self.sigma2)

    def document(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "columns": list(self.columns),
            "rho_micro": self.rho_micro,
            "sensitivity": self.sensitivity,
            "sigma2": str(self.sigma2),
            "counts": list(self.counts),
        }


@dataclass(frozen=True)
class Choice:
    """One candidate chosen by the exponential mechanism.

    `sensitivity`: how far, in rows, one person can move a candidate's score. `columns`: the chosen marginal.
    """

    stage: str
    columns: tuple[str, ...]
    rho_micro: int
    sensitivity: int
    epsilon: Fraction

    def cost_micro(self) -> int:
        """What the stage costs by its epsilon, in micro-rho, rounded up."""
        return rho_micro_of_selection(self.epsilon)

    def document(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "columns": list(self.columns),
            "rho_micro": self.rho_micro,
            "sensitivity": self.sensitivity,
            "epsilon": str(self.epsilon),
        }


@dataclass(frozen=True)
class Measurements:
    """All that a generator took from the records. `generator`: its name and version, which also order the stages."""

    generator: str
    choices: tuple[Choice, ...]
    histograms: tuple[Histogram, ...]

    def encode(self) -> bytes:
        """The canonical bytes, for the node's journal; they hold no number that was not paid for."""
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "generator": self.generator,
                "choices": [choice.document() for choice in self.choices],
                "histograms": [histogram.document() for histogram in self.histograms],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Measurements":
        """The measurements in `data`. Raises `Corrupt` where the bytes are none, or a stage's price is not its cost."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            measurements = cls(
                generator=canonical.text(document["generator"]),
                choices=tuple(_choice_of(choice) for choice in document["choices"]),
                histograms=tuple(histogram_of(histogram) for histogram in document["histograms"]),
            )
            faithful = measurements.encode() == data
            honest = all(stage.rho_micro == stage.cost_micro() for stage in measurements.stages)
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            raise Corrupt("expected the parts of measurements, got others; restore the journal") from None
        if not faithful:
            raise Corrupt("expected the parts of measurements and no more; restore the journal")
        if not honest:
            raise Corrupt("expected each stage to cost what its noise says; restore the journal")
        return measurements

    @property
    def stages(self) -> tuple[Choice | Histogram, ...]:
        """Every stage that touched records."""
        return (*self.choices, *self.histograms)

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Which marginals the model was fitted to, in order, and how many of them were chosen privately."""
        marginals = [histogram for histogram in self.histograms if "/marginal/" in f"/{histogram.stage}"]
        shown = "; ".join(" x ".join(histogram.columns) for histogram in marginals)
        return (("chosen", str(len(self.choices))), ("marginals", shown))


def spent_rho_micro(stages: Sequence[Choice | Histogram]) -> int:
    """What the stages cost together, recomputed from sensitivities and noise alone, each rounded up, in micro-rho.

    Holds for stages chosen in view of earlier ones. Source: Bun and Steinke 2016, Lemma 2.3 (composition).
    """
    return sum(stage.cost_micro() for stage in stages)


def _choice_of(document: dict[str, Any]) -> Choice:
    return Choice(
        stage=canonical.text(document["stage"]),
        columns=_texts(document["columns"]),
        rho_micro=canonical.whole(document["rho_micro"]),
        sensitivity=canonical.whole(document["sensitivity"]),
        epsilon=Fraction(canonical.text(document["epsilon"])),
    )


def histogram_of(document: dict[str, Any]) -> Histogram:
    """The histogram of a document. Raises `KeyError`, `TypeError` or `ValueError` where a part is missing or another."""
    return Histogram(
        stage=canonical.text(document["stage"]),
        columns=_texts(document["columns"]),
        rho_micro=canonical.whole(document["rho_micro"]),
        sensitivity=canonical.whole(document["sensitivity"]),
        sigma2=Fraction(canonical.text(document["sigma2"])),
        counts=tuple(canonical.whole(count) for count in document["counts"]),
    )


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError
    return tuple(canonical.text(value) for value in values)
