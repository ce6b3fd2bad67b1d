"""What a network's training took from the records, and the network that came of it."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketplace.errors import Corrupt
from marketplace.protocol import canonical
from node.noise.gaussian import rho_micro_of_gaussian
from node.synthesis.measurements import Histogram, histogram_of
from node.synthesis.neural.plan import Plan

NOUN, VERSION = "neural-measurements", 1
THOUSANDTHS = 1_000

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class Step:
    """One sum of clipped gradients, released with discrete Gaussian noise.

    `sensitivity`: the L2 distance, in units of the grid, that all rows of one person can move it. `sigma2`: the noise's
    variance parameter. The noisy sum itself is not kept: the network is what came of it.
    """

    stage: str
    rho_micro: int
    sensitivity: int
    sigma2: Fraction

    def cost_micro(self) -> int:
        """What the stage costs by its sensitivity and noise, in micro-rho, rounded up."""
        return rho_micro_of_gaussian(self.sensitivity**2, self.sigma2)

    def document(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "rho_micro": self.rho_micro,
            "sensitivity": self.sensitivity,
            "sigma2": str(self.sigma2),
        }


@dataclass(frozen=True)
class NeuralMeasurements:
    """A `generator.Measured`. `cells`: counts of the columns' own cells, noisy where `steps` are there, else the records'
    own. `steps`: the noisy gradients; none says that nothing is private. `weights`: flat, as `plan.shapes` has them."""

    generator: str
    cells: tuple[Histogram, ...]
    steps: tuple[Step, ...]
    plan: Plan
    weights: Floats32

    @property
    def histograms(self) -> tuple[Histogram, ...]:
        """The noisy counts; none where they have no noise."""
        return self.cells if self.steps else ()

    @property
    def stages(self) -> tuple[Histogram | Step, ...]:
        """Every stage with noise."""
        return (*self.histograms, *self.steps)

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        return (
            ("hidden", str(self.plan.hidden)),
            ("parameters", str(self.plan.parameters)),
            ("steps", str(len(self.steps))),
            ("width", str(self.plan.width)),
        )

    @property
    def arrays(self) -> dict[str, Floats32]:
        """The network's parameters by name."""
        found, place = {}, 0
        for name, shape in self.plan.shapes.items():
            count = int(np.prod(shape))
            found[name] = self.weights[place : place + count].reshape(shape)
            place += count
        return found

    def encode(self) -> bytes:
        return canonical.encode(
            {
                "format": canonical.format_name(NOUN, VERSION),
                "generator": self.generator,
                "cells": [histogram.document() for histogram in self.cells],
                "steps": [step.document() for step in self.steps],
                "plan": _plan_document(self.plan),
                "weights": base64.b64encode(self.weights.astype("<f4").tobytes()).decode(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "NeuralMeasurements":
        """The measurements in `data`. Raises `Corrupt` where the bytes are none, or a stage's price is not its cost."""
        document = canonical.decode(data, NOUN, VERSION)
        try:
            measured = cls(
                generator=str(document["generator"]),
                cells=tuple(histogram_of(each) for each in document["cells"]),
                steps=tuple(_step_of(each) for each in document["steps"]),
                plan=_plan_of(document["plan"]),
                weights=np.frombuffer(base64.b64decode(document["weights"], validate=True), "<f4").astype(np.float32),
            )
            faithful = measured.encode() == data and len(measured.weights) == measured.plan.parameters
            honest = all(stage.rho_micro == stage.cost_micro() for stage in measured.stages)
        except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError, binascii.Error):
            raise Corrupt("expected the parts of a network's measurements, got others; restore the journal") from None
        if not faithful:
            raise Corrupt("expected the parts of a network's measurements and no more; restore the journal")
        if not honest:
            raise Corrupt("expected each stage to cost what its noise says; restore the journal")
        return measured

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NeuralMeasurements) and self.encode() == other.encode()

    def __hash__(self) -> int:
        return hash(self.encode())


def _plan_document(plan: Plan) -> dict[str, Any]:
    return {
        "order": list(plan.order),
        "sizes": list(plan.sizes),
        "weights_thousandths": [round(weight * THOUSANDTHS) for weight in plan.weights],
        "width": plan.width,
        "hidden": plan.hidden,
    }


def _plan_of(document: Mapping[str, Any]) -> Plan:
    return Plan(
        order=tuple(document["order"]),
        sizes=tuple(document["sizes"]),
        weights=tuple(thousandths / THOUSANDTHS for thousandths in document["weights_thousandths"]),
        width=document["width"],
        hidden=document["hidden"],
    )


def _step_of(document: Mapping[str, Any]) -> Step:
    return Step(document["stage"], document["rho_micro"], document["sensitivity"], Fraction(document["sigma2"]))
