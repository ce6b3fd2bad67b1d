"""Training a network with noisy gradients: a stage for each step, all records in every one of them.

Neighbours differ by all rows of one person, added or taken away. Every step sums clipped gradients over all rows and
releases the sum with discrete Gaussian noise, so a person takes part in every step, and the price is the plain sum of all
steps: nothing is amplified by sampling, and no batch is told apart. One batch of all rows is no loss: with the noise that
so much rho buys, t disjoint batches would each hold a t-th of the signal under the same noise. Source: Abadi et al. 2016
for the clipping; Bun and Steinke 2016, Lemma 2.3 and Proposition 1.6, for the price, at Canonne, Kamath and Steinke 2020's
noise on whole numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import torch

from node.noise.gaussian import discrete_gaussian, rho_micro_of_gaussian, sigma2_for
from node.noise.stream import NoiseStream
from node.synthesis.budget import divided
from node.synthesis.generator import Cancelled, Progress, stop_if
from node.synthesis.neural.gradients import Grid, summed
from node.synthesis.neural.measured import Step
from node.synthesis.neural.network import Weights
from node.synthesis.neural.plan import Plan

STEPS = 20
CLIP = 1.0
RATE = 0.1
MOMENTS = (0.9, 0.99)
AVERAGED = 5

Sums = Callable[[Weights, Plan, torch.Tensor, Grid], torch.Tensor]


@dataclass
class Descent:
    """One order's training in progress. `rows`: bins in the plan's order, at most `bound` of each person. `total`: released
    number of rows, above 0. `steps`: what was released so far."""

    plan: Plan
    rows: torch.Tensor
    bound: int
    total: float
    noise: NoiseStream
    progress: Progress
    cancelled: Cancelled
    steps: list[Step] = field(default_factory=list)

    def run(self, weights: Weights, rho_micro: int) -> dict[str, torch.Tensor]:
        """The weights after all steps, which cost at most `rho_micro` together. Raises `Stopped` if cancelled.

        What happens between two releases is post-processing: Adam (Kingma and Ba 2015), and the mean of the last
        iterates (Polyak and Juditsky 1992).
        """
        grid = Grid(CLIP, self.plan.parameters)
        now, first, second = _flat(weights, self.plan), torch.zeros(()), torch.zeros(())
        last: list[torch.Tensor] = []
        for number, part in enumerate(divided(rho_micro, [1.0] * STEPS), start=1):
            stop_if(self.cancelled)
            self.progress("training with noise", (number - 1) / STEPS)
            noisy = self._released(_named(now, self.plan), grid, part)
            slope = noisy.to(now.device) * (grid.unit / self.total)
            first = MOMENTS[0] * first + (1 - MOMENTS[0]) * slope
            second = MOMENTS[1] * second + (1 - MOMENTS[1]) * slope.square()
            corrected = first / (1 - MOMENTS[0] ** number), second / (1 - MOMENTS[1] ** number)
            now = now - RATE * corrected[0] / (corrected[1].sqrt() + 1e-8)
            last = [*last[-AVERAGED + 1 :], now]
        return _named(torch.stack(last).mean(0), self.plan)

    def _released(self, weights: Weights, grid: Grid, rho_micro: int) -> torch.Tensor:
        """One sum of gradients with its noise, in units of the grid, float32."""
        sums = summed(weights, self.plan, self.rows, grid).cpu().numpy()
        sensitivity = self.bound * grid.bound
        sigma2 = sigma2_for(rho_micro, sensitivity**2)
        stage = f"gradient/{len(self.steps)}"
        noisy = sums + discrete_gaussian(self.noise.stage(stage), sigma2, len(sums))
        self.steps.append(Step(stage, _cost(sensitivity, sigma2), sensitivity, sigma2))
        return torch.from_numpy(noisy.astype(np.float32))


def _cost(sensitivity: int, sigma2: Fraction) -> int:
    return rho_micro_of_gaussian(sensitivity**2, sigma2)


def _flat(weights: Weights, plan: Plan) -> torch.Tensor:
    return torch.cat([weights[name].reshape(-1) for name in plan.shapes])


def _named(flat: torch.Tensor, plan: Plan) -> dict[str, torch.Tensor]:
    found, place = {}, 0
    for name, shape in plan.shapes.items():
        count = int(np.prod(shape))
        found[name] = flat[place : place + count].reshape(shape)
        place += count
    return found
